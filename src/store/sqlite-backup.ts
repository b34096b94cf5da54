import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { MeshError } from "../refusals/mesh-error.ts";
import { lookingAt } from "./sqlite-reading.ts";
import { translated } from "./sqlite-errors.ts";
import { applicationId, copyDatabase, currentFormat, pragma, syncPath } from "./sqlite-format.ts";

/** "MshB" in ASCII: a backup is no store until it is restored, and is never opened as one. */
const backupId = 0x4d736842;

/** A small file that goes along with the database. */
export type Companion = { readonly name: string; readonly content: Uint8Array };

/** What a backup holds besides the database. */
export type Backup = { readonly made: number; readonly companions: readonly Companion[] };

/**
 * Writes a snapshot of the database at `path`, with some small files and the time, into one new file, mode 0600: whole, looked through
 * and durable, or not at all. Others may be writing to the database meanwhile; they are not held up. `complete` puts into the copy what is kept elsewhere.
 */
export function writeBackup(path: string, target: string, backup: Backup, complete: (copy: DatabaseSync) => void = () => {}): void {
  translated(() => {
    using source = lookingAt(path);
    copyDatabase(source, target, (copy) => accompany(copy, backup, complete));
  });
}

function accompany(path: string, { made, companions }: Backup, complete: (copy: DatabaseSync) => void): void {
  using copy = new DatabaseSync(path);
  // One file, whatever happens: no journal beside it stays.
  copy.exec("PRAGMA journal_mode = MEMORY; BEGIN; CREATE TABLE companion (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT; CREATE TABLE backup (made INTEGER NOT NULL) STRICT");
  copy.prepare("INSERT INTO backup VALUES (?)").run(made);
  for (const { name, content } of companions) copy.prepare("INSERT INTO companion VALUES (?, ?)").run(name, content);
  complete(copy);
  copy.exec(`PRAGMA application_id = ${backupId}; COMMIT`);
  whole(copy);
}

/**
 * Makes the database at `path`, which must not be there yet, from a backup, and returns what else the backup holds. The backup is only read.
 *
 * The append-only log is left out: whoever goes back in time must not append to it again. The backup has it.
 *
 * Errors: `backup-malformed`, `store-newer`, `store-not-found`, `store-full`.
 */
export function restoreBackup(file: string, path: string): Backup {
  return translated(() => {
    closeSync(openSync(path, "wx", 0o600));
    const { backup, format } = copied(file, path);
    using database = new DatabaseSync(path);
    database.exec(`PRAGMA journal_mode = MEMORY; BEGIN; DROP TABLE companion; DROP TABLE backup; DELETE FROM log; PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${format}; COMMIT`);
    database.close();
    syncPath(path);
    return backup;
  });
}

function copied(file: string, path: string): { readonly backup: Backup; readonly format: number } {
  using source = new DatabaseSync(file, { readOnly: true });
  try {
    if (pragma(source, "application_id") !== backupId) throw malformed("it is none of ours");
    const format = pragma(source, "user_version");
    if (format > currentFormat.number) throw new MeshError("store-newer", `A newer version of the program made this backup (format ${format}, known ${currentFormat.number}).`, "Update this one; nothing was changed.");
    whole(source);
    const made = Number(source.prepare("SELECT made FROM backup").get()?.["made"]);
    const companions = source.prepare("SELECT name, content FROM companion").all().map((row) => ({ name: String(row["name"]), content: row["content"] as Uint8Array }));
    source.prepare("VACUUM INTO ?").run(path);
    return { backup: { made, companions }, format };
  } catch (error) {
    const code = (error as { errcode?: number }).errcode;
    // SQLite's "corrupt" and "not a database", and its plain "error" for a table that is not there.
    if (code !== undefined && [1, 11, 26].includes(code & 0xff)) throw malformed((error as Error).message);
    throw error;
  }
}

function whole(database: DatabaseSync): void {
  const found = Object.values(database.prepare("PRAGMA integrity_check(1)").get() ?? {})[0];
  if (found !== "ok") throw malformed(String(found));
}

function malformed(why: string): MeshError {
  return new MeshError("backup-malformed", `This is no whole backup of a portal: ${why}.`, "Take another one; nothing was changed.");
}
