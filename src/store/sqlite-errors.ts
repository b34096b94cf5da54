import { MeshError } from "../refusals/mesh-error.ts";

/** SQLITE_IOERR_SHMSIZE: there is no room for the index of the journal, which every reader needs. */
const noRoomForIndex = 4874;

const primary = { permission: 3, busy: 5, locked: 6, readOnly: 8, corrupt: 11, full: 13, cannotOpen: 14, notDatabase: 26 } as const;

/** Runs `act`, and turns what SQLite or the file system throws into a MeshError with a `store-` code (https://sqlite.org/rescode.html). */
export function translated<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw translate(error);
  }
}

/** The MeshError for an error of SQLite or the file system; others stay what they are. */
export function translate(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errcode } = error as Error & { code?: string; errcode?: number };
  if (code === "ERR_SQLITE_ERROR") return errcode === noRoomForIndex ? full() : fromSqlite((errcode ?? 0) & 0xff, error.message);
  if (code === "ENOSPC" || code === "EDQUOT") return full();
  if (code === "EACCES" || code === "EROFS" || code === "EPERM") return readOnly();
  if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return missing();
  return error;
}

function fromSqlite(result: number, message: string): MeshError {
  switch (result) {
    case primary.busy:
    case primary.locked:
      return new MeshError("store-busy", "Another process keeps the database busy.", "Try again, or end the other process.");
    case primary.full:
      return full();
    case primary.permission:
    case primary.readOnly:
      return readOnly();
    case primary.corrupt:
    case primary.notDatabase:
      return damaged(message);
    case primary.cannotOpen:
      return missing();
    default:
      return new MeshError("store-failed", `The database failed: ${message}.`);
  }
}

/** The error for a file that is no whole database of ours. */
export function damaged(why: string): MeshError {
  return new MeshError("store-damaged", `The database is damaged: ${why}.`, "Restore it from a backup; the damaged file is left as it is.");
}

function full(): MeshError {
  return new MeshError("store-full", "There is no room left on the disk; nothing was written.", "Make room, then try again.");
}

/** The error for a database or directory without write permission. */
export function readOnly(): MeshError {
  return new MeshError("store-read-only", "The database, or its directory, may not be written to.", "Check the owner and the permissions.");
}

function missing(): MeshError {
  return new MeshError("store-not-found", "The database cannot be opened: its directory does not exist, or it is no file.");
}
