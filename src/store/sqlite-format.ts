import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { MeshError } from "../refusals/mesh-error.ts";
import { damaged } from "./sqlite-errors.ts";

/** "Mesh" in ASCII: marks our databases (`PRAGMA application_id`). */
export const applicationId = 0x4d657368;

/** How a database is laid out: its number, how to make one, and how each older number becomes the next. */
export interface Format {
  /** `PRAGMA user_version`. */
  readonly number: number;
  readonly create: string;
  /** The element at n turns format n into n + 1; runs inside a transaction. */
  readonly migrations: Readonly<Record<number, (database: DatabaseSync) => void>>;
}

/**
 * The layout in force.
 *
 * Rowid tables with a unique index beside them write half as much as `WITHOUT ROWID` where values are larger than keys.
 */
export const currentFormat: Format = {
  number: 1,
  create: `
    CREATE TABLE entry (shelf TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL) STRICT;
    CREATE UNIQUE INDEX entry_key ON entry (shelf, key);
    CREATE TABLE log (number INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT;`,
  migrations: {},
};

/** Whether the database is of a format, new (empty), or to be migrated; refuses what is foreign or newer without a write. */
export function examine(database: DatabaseSync, format: Format): "current" | "new" | "older" {
  const number = pragma(database, "user_version");
  const id = pragma(database, "application_id");
  if (number === 0 && id === 0 && database.prepare("SELECT 1 FROM sqlite_schema").get() === undefined) return "new";
  if (id !== applicationId) throw damaged("it is the database of another program");
  if (number > format.number) {
    const hint = "Update this one; the database was not touched.";
    throw new MeshError("store-newer", `A newer version of the program wrote the database (format ${number}, known ${format.number}).`, hint);
  }
  return number === format.number ? "current" : "older";
}

/** Brings a database to the format: makes an empty one, or copies an older one to `<path>.format-<n>` and migrates it, in one transaction. */
export function establish(database: DatabaseSync, format: Format, copy: (path: string) => void, path: string): void {
  if (examine(database, format) === "current") return;
  database.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have done it while we waited for the lock.
    const found = examine(database, format);
    if (found === "new") database.exec(format.create);
    if (found === "older") migrate(database, format, copy, path);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${format.number}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function migrate(database: DatabaseSync, format: Format, copy: (path: string) => void, path: string): void {
  const from = pragma(database, "user_version");
  // The copy is made by another connection: it sees what was committed, and our lock keeps that still.
  copy(`${path}.format-${from}`);
  for (let number = from; number < format.number; number++) {
    const step = format.migrations[number];
    if (step === undefined) throw damaged(`there is no way from format ${number}`);
    step(database);
  }
}

/**
 * Writes a compact copy of what the connection sees to `target`, mode 0600, whole and durable or not at all; it replaces an older copy.
 *
 * `complete` is given the copy's path before it has its name.
 */
export function copyDatabase(database: DatabaseSync, target: string, complete?: (copy: string) => void): void {
  const temporary = `${target}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  try {
    // SQLite fills an empty file that is already there, so the copy is never readable by others.
    closeSync(openSync(temporary, "wx", 0o600));
    database.prepare("VACUUM INTO ?").run(temporary);
    complete?.(temporary);
    syncPath(temporary);
    renameSync(temporary, target);
    syncPath(dirname(target));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Has a file, or the names in a folder, reach the disk. */
export function syncPath(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The integer that a PRAGMA answers. */
export function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}
