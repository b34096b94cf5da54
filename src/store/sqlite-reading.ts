import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { MeshError } from "../refusals/mesh-error.ts";
import type { Connection } from "./connection.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";

/**
 * Opens a database for reading where nothing can be written, on a full or read-only disk; for as long as a command takes.
 *
 * Without companion files SQLite takes the file as it is, which holds while nobody writes: nobody else can.
 */
export function readingOnly(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 2 });
  try {
    database.prepare("SELECT 1 FROM sqlite_schema").get();
    return database;
  } catch (error) {
    database.close();
    // What the journal holds is part of the database: without it, older than what was acknowledged.
    if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) throw error;
  }
  return new DatabaseSync(new URL(`file://${path.split("/").map(encodeURIComponent).join("/")}?mode=ro&immutable=1`), { readOnly: true });
}

/** Opens a database to look at all of it: as usual, so that nothing is left behind, else for reading only. */
export function lookingAt(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 10_000 });
  try {
    database.prepare("SELECT 1 FROM sqlite_schema").get();
    return database;
  } catch {
    database.close();
    return readingOnly(path);
  }
}

/** The same connection, but whoever would write is told why that does not go. */
export function refusingWrites(connection: SqliteConnection, why: MeshError): Connection {
  const begin = connection.begin.bind(connection);
  connection.begin = (mode) => {
    if (mode === "write") throw why;
    begin(mode);
  };
  return connection;
}
