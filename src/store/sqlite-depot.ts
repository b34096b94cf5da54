import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { sha512Text } from "../crypto/digest.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { type Depot, depotNameIn } from "./depot.ts";
import { translate } from "./sqlite-errors.ts";

/** Where the identifier of the depot stands among the rows. */
export type IdRow = { readonly shelf: string; readonly key: string };

/** A row whose value is, or goes, outside. */
type Row = { readonly id: number; readonly value: Uint8Array };

/**
 * Moves the values on some shelves of the database at `path` into a depot, in one transaction, and has the database say which depot that is; returns how many.
 *
 * Nobody else may have the database open (`store-busy`): whoever goes on without a depot would take names for values. Cut off, it is done again.
 */
export function moveIntoDepot(path: string, depot: Depot, id: string, row: IdRow, outside: Iterable<string>): Promise<number> {
  return alone(path, async (database) => {
    const named = idIn(database, row);
    if (named === id) return 0;
    if (named !== undefined) throw another();
    const moved = await each(database, outside, async (value) => {
      const name = sha512Text(value);
      await depot.put(name, value);
      return Buffer.from(name);
    });
    database.prepare("INSERT INTO entry VALUES (?, ?, ?)").run(row.shelf, row.key, Buffer.from(id));
    return moved;
  });
}

/** As `moveIntoDepot`, the other way; every value must be whole (`store-damaged`). The depot stays as it is. */
export function moveOutOfDepot(path: string, depot: Depot, id: string, row: IdRow, outside: Iterable<string>): Promise<number> {
  return alone(path, async (database) => {
    const named = idIn(database, row);
    if (named === undefined) return 0;
    if (named !== id) throw another();
    const moved = await each(database, outside, async (value) => {
      const name = depotNameIn(value);
      const octets = name === undefined ? undefined : await depot.get(name);
      if (octets === undefined || sha512Text(octets) !== name) throw new MeshError("store-damaged", "A file of the depot is missing, or was changed.", "Run `mesh portal check`. Nothing was moved.");
      return octets;
    });
    database.prepare("DELETE FROM entry WHERE shelf = ? AND key = ?").run(row.shelf, row.key);
    return moved;
  });
}

/**
 * Puts values in the place of names in a copy of a database, so that it needs no depot; one that is not there is empty then, and is found by whoever judges it. Returns how
 * many are not whole.
 */
export function bringIn(copy: DatabaseSync, read: (name: string) => Uint8Array | undefined, row: IdRow, outside: Iterable<string>): number {
  let broken = 0;
  for (const { id, value } of rowsOf(copy, outside)) {
    const name = depotNameIn(value) ?? "";
    const octets = name === "" ? undefined : read(name);
    if (octets === undefined || sha512Text(octets) !== name) broken += 1;
    copy.prepare("UPDATE entry SET value = ? WHERE rowid = ?").run(octets ?? new Uint8Array(0), id);
  }
  copy.prepare("DELETE FROM entry WHERE shelf = ? AND key = ?").run(row.shelf, row.key);
  return broken;
}

function idIn(database: DatabaseSync, { shelf, key }: IdRow): string | undefined {
  const value = database.prepare("SELECT CAST(value AS TEXT) AS id FROM entry WHERE shelf = ? AND key = ?").get(shelf, key)?.["id"];
  return value === undefined ? undefined : String(value);
}

function another(): MeshError {
  return new MeshError("store-wrong-portal", "The depot is another one than this portal's.", "Nothing was changed.");
}

async function alone(path: string, work: (database: DatabaseSync) => Promise<number>): Promise<number> {
  if (!existsSync(path)) return 0;
  const database = new DatabaseSync(path, { timeout: 2_000 });
  try {
    // Without its journal for many it is one process's: this fails while another has it open.
    database.exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; BEGIN EXCLUSIVE");
    const moved = await work(database);
    database.exec("COMMIT");
    return moved;
  } catch (error) {
    throw translate(error);
  } finally {
    database.close();
  }
}

async function each(database: DatabaseSync, outside: Iterable<string>, change: (value: Uint8Array) => Promise<Uint8Array>): Promise<number> {
  const [one, set] = [database.prepare("SELECT value FROM entry WHERE rowid = ?"), database.prepare("UPDATE entry SET value = ? WHERE rowid = ?")];
  let moved = 0;
  for (const shelf of outside) {
    for (const { id } of database.prepare("SELECT rowid AS id FROM entry WHERE shelf = ?").all(shelf) as { id: number }[]) {
      set.run(await change(one.get(id)?.["value"] as Uint8Array), id);
      moved += 1;
    }
  }
  return moved;
}

function rowsOf(database: DatabaseSync, outside: Iterable<string>): readonly Row[] {
  return [...outside].flatMap((shelf) => database.prepare("SELECT rowid AS id, value FROM entry WHERE shelf = ?").all(shelf) as Row[]);
}
