import { DatabaseSync } from "node:sqlite";
import { lookingAt } from "./sqlite-reading.ts";
import { translated } from "./sqlite-errors.ts";
import { currentFormat, examine } from "./sqlite-format.ts";

/** So many troubles are told at most. */
const MOST = 100;

/**
 * What SQLite finds wrong with a database as such, page by page and index by index; nothing if it is well. The file must be there; others may have it open.
 *
 * `index` troubles are of what SQLite can make anew from the rows (`rebuildIndexes`).
 */
export function integrityOf(path: string): readonly { readonly kind: "index" | "page"; readonly text: string }[] {
  // Read only: a disk that fails is often made so, and is then the one to look at.
  return withDatabase(lookingAt, path, (database) => {
    const rows = database.prepare(`PRAGMA integrity_check(${MOST})`).all().map((row) => String(Object.values(row)[0]));
    return rows.filter((text) => text !== "ok").map((text) => ({ kind: /missing from index|wrong # of entries in index|non-unique entry in index|rowid not at end-of-record/.test(text) ? "index" : "page", text }) as const);
  });
}

/** Makes all indexes anew from the rows. */
export function rebuildIndexes(path: string): void {
  withDatabase((file) => new DatabaseSync(file, { timeout: 10_000 }), path, (database) => database.exec("REINDEX"));
}

function withDatabase<T>(open: (path: string) => DatabaseSync, path: string, work: (database: DatabaseSync) => T): T {
  return translated(() => {
    using database = open(path);
    examine(database, currentFormat);
    return work(database);
  });
}
