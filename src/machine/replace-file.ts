import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Puts a file in place as a whole, or not at all, and returns when it would survive a power cut.
 *
 * Mode 0600 unless said otherwise. The folder must exist. Errors are those of the file system; the old file then stays.
 */
export function replaceFile(path: string, content: string | Uint8Array, mode = 0o600): void {
  const fresh = `${path}.${process.pid}.new`;
  try {
    const file = openSync(fresh, "w", mode);
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
  // The name is in the folder: it too must reach the disk.
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
