import { closeSync, openSync } from "node:fs";

import type { MeshError } from "../refusals/mesh-error.ts";

const PATIENCE = 10_000;

/**
 * Runs `act` while no other process, nor another call of this one, is inside for the same path; throws `busy` after ten seconds.
 *
 * The lock is the operating system's, taken through an empty SQLite database at `<path>.lock`: Node has no lock of its own, and a file whose
 * presence is the lock stays behind when its maker is killed. The empty file stays, and means nothing.
 */
export async function withFileLock<T>(path: string, busy: () => MeshError, act: () => Promise<T>): Promise<T> {
  const { DatabaseSync } = await import("node:sqlite"); // On demand: most processes that may need a lock take none.
  const file = `${path}.lock`;
  touch(file);
  const database = new DatabaseSync(file);
  try {
    const deadline = performance.now() + PATIENCE;
    // Waiting inside SQLite would stop the event loop, and with it whoever holds the lock in this process.
    while (!take(() => database.exec("BEGIN EXCLUSIVE"))) {
      if (performance.now() > deadline) throw busy();
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 9));
    }
    return await act();
  } finally {
    database.close();
  }
}

function take(lock: () => void): boolean {
  try {
    lock();
    return true;
  } catch (error) {
    const { errcode } = error as { readonly errcode?: number };
    if (errcode === undefined || (errcode & 0xff) !== 5) throw error; // SQLITE_BUSY
    return false;
  }
}

// Only ever made here, never opened again: closing a descriptor of a file drops all locks that this process holds on it (POSIX).
function touch(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
