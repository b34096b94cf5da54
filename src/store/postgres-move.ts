import { existsSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Client } from "pg";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { connectPostgres } from "./postgres-client.ts";
import { translatePostgres } from "./postgres-errors.ts";
import { establishPostgres, examinePostgres, otherOwner } from "./postgres-format.ts";
import { octetsArray } from "./postgres-link.ts";
import { parsePostgresUrl } from "./postgres-url.ts";
import { openDatabase } from "./sqlite.ts";
import { translate } from "./sqlite-errors.ts";
import { applicationId, currentFormat, pragma, syncPath } from "./sqlite-format.ts";

/** What was moved, compared octet for octet. */
export type Moved = { readonly entries: number; readonly leaves: number };

/** The format of a file whose records were moved away: whoever has it open is stopped by it, and it is never opened as a store again. */
const movedFormat = 0x7fff_ffff;

/** So many rows travel together, or so many octets. */
const BATCH = { rows: 500, octets: 4 << 20 } as const;

/** A row of either table, in the order of both: entries by shelf and key, then leaves, which have no key. */
type Row = { readonly shelf: Buffer; readonly key: Buffer; readonly value: Uint8Array };

/**
 * Copies all of a file into an empty PostgreSQL database in one transaction, compares them, and only then marks the file as moved. Others may not write
 * to the file meanwhile (`store-busy`). Cut off at any point, it is done again: the target is then empty, or equal.
 *
 * Error: `data-exists` for a database that holds anything else.
 */
export async function moveToPostgres(path: string, url: string, owner: string): Promise<Moved> {
  return between(path, url, async (file, client) => {
    demand([currentFormat.number, movedFormat].includes(pragma(file, "user_version")) && pragma(file, "application_id") === applicationId, "store-damaged", "The file is no database of a portal.");
    await establishPostgres(client, "mesh", owner);
    await examineOwner(client, owner, "data-exists");
    file.exec("BEGIN IMMEDIATE");
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    // Whoever else fills it at the same moment raises the version first, or not at all.
    const begun = await client.query("UPDATE mesh.head SET version = version + 1, size = $1 WHERE version = 0", [Number(Object.values(file.prepare("SELECT count(*) FROM log").get() ?? {})[0])]);
    if (begun.rowCount === 1) for await (const rows of batches(rowsOfFile(file))) await insert(client, rows);
    const moved = await compared(rowsOfFile(file), rowsOfServer(client));
    await client.query("COMMIT");
    file.exec(`PRAGMA user_version = ${movedFormat}; COMMIT`);
    return moved;
  });
}

/** As `moveToPostgres`, the other way: into a file that is not there yet. Nobody can commit to the database meanwhile. */
export async function moveToSqlite(url: string, path: string, owner: string): Promise<Moved> {
  const building = `${path}.new`;
  const there = existsSync(path);
  if (!there) {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(building + suffix, { force: true });
    (await openDatabase(building, currentFormat, 1000)).close();
  }
  const moved = await between(there ? path : building, url, async (file, client) => {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    await client.query("UPDATE mesh.head SET moved = true, version = version + 1");
    await examineOwner(client, owner, "any");
    if (!there) {
      file.exec("PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
      const [entry, leaf] = [file.prepare("INSERT INTO entry VALUES (?, ?, ?)"), file.prepare("INSERT INTO log VALUES (?, ?)")];
      for await (const { shelf, key, value } of rowsOfServer(client)) {
        if (shelf === noShelf) leaf.run(Number(key), value);
        else entry.run(shelf.toString("utf8"), key.toString("utf8"), value);
      }
      file.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    }
    const compare = await compared(rowsOfServer(client), rowsOfFile(file));
    file.close();
    syncPath(there ? path : building);
    await client.query("COMMIT");
    return compare;
  });
  if (!there) renameSync(building, path);
  syncPath(dirname(path));
  return moved;
}

async function between(path: string, url: string, work: (file: DatabaseSync, client: Client) => Promise<Moved>): Promise<Moved> {
  demand(existsSync(path), "store-not-found", `There is no file ${path}.`);
  const file = new DatabaseSync(path, { timeout: 10_000 });
  let client: Client | undefined;
  try {
    client = await connectPostgres(parsePostgresUrl(url));
    await client.query("SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0");
    return await work(file, client);
  } catch (error) {
    throw translatePostgres(translate(error));
  } finally {
    if (file.isOpen) file.close();
    await client?.end().catch(() => undefined);
  }
}

async function examineOwner(client: Client, owner: string, moved: "any" | "data-exists"): Promise<void> {
  const head = await examinePostgres(client, "mesh");
  if (head.owner !== owner) throw otherOwner();
  if (moved !== "any" && head.moved) throw exists();
}

const noShelf = Buffer.alloc(0);

function* rowsOfFile(file: DatabaseSync): Generator<Row> {
  for (const row of file.prepare("SELECT shelf, key, value FROM entry ORDER BY shelf, key").iterate()) yield { shelf: Buffer.from(row["shelf"] as string), key: Buffer.from(row["key"] as string), value: row["value"] as Uint8Array };
  for (const row of file.prepare("SELECT number, leaf FROM log ORDER BY number").iterate()) yield { shelf: noShelf, key: Buffer.from(String(row["number"])), value: row["leaf"] as Uint8Array };
}

async function* rowsOfServer(client: Client): AsyncGenerator<Row> {
  for (let last: Row | undefined; ; ) {
    const [where, values] = last === undefined ? ["", []] : ["WHERE (shelf, key) > ($1, $2)", [last.shelf, last.key]];
    const { rows } = await client.query<Row>(`SELECT shelf, key, value FROM mesh.entry ${where} ORDER BY shelf, key LIMIT ${BATCH.rows}`, values);
    yield* rows;
    last = rows.at(-1);
    if (rows.length < BATCH.rows) break;
  }
  for (let next = 0; ; ) {
    const { rows } = await client.query<{ number: number; leaf: Buffer }>("SELECT number, leaf FROM mesh.log WHERE number >= $1 ORDER BY number LIMIT $2", [next, BATCH.rows]);
    for (const { number, leaf } of rows) yield { shelf: noShelf, key: Buffer.from(String(number)), value: leaf };
    if (rows.length < BATCH.rows) return;
    next = (rows.at(-1)?.number ?? 0) + 1;
  }
}

function* batches(rows: Iterable<Row>): Generator<readonly Row[]> {
  let [batch, octets]: [Row[], number] = [[], 0];
  for (const row of rows) {
    batch.push(row);
    octets += row.value.length;
    if (batch.length < BATCH.rows && octets < BATCH.octets) continue;
    yield batch;
    [batch, octets] = [[], 0];
  }
  yield batch;
}

async function insert(client: Client, rows: readonly Row[]): Promise<void> {
  const [entries, leaves] = [rows.filter(({ shelf }) => shelf !== noShelf), rows.filter(({ shelf }) => shelf === noShelf)];
  await client.query("INSERT INTO mesh.entry (shelf, key, value) SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[])", [octetsArray(entries.map(({ shelf }) => shelf)), octetsArray(entries.map(({ key }) => key)), octetsArray(entries.map(({ value }) => value))]);
  await client.query("INSERT INTO mesh.log (number, leaf) SELECT * FROM unnest($1::bigint[], $2::bytea[])", [leaves.map(({ key }) => Number(key)), octetsArray(leaves.map(({ value }) => value))]);
}

/** Goes through both at once; throws where they differ, and counts otherwise. */
async function compared(source: Iterable<Row> | AsyncIterable<Row>, target: Iterable<Row> | AsyncIterable<Row>): Promise<Moved> {
  const [a, b] = [iterate(source), iterate(target)];
  const counts = { entries: 0, leaves: 0 };
  for (;;) {
    const [one, other] = [(await a.next()).value, (await b.next()).value];
    if (one === undefined && other === undefined) return counts;
    const same = one !== undefined && other !== undefined && (one.shelf === noShelf) === (other.shelf === noShelf) && one.shelf.equals(other.shelf) && one.key.equals(other.key) && Buffer.compare(one.value, other.value) === 0;
    if (!same) throw exists();
    counts[one.shelf === noShelf ? "leaves" : "entries"] += 1;
  }
}

async function* iterate(rows: Iterable<Row> | AsyncIterable<Row>): AsyncGenerator<Row, undefined> {
  yield* rows;
  return undefined;
}

function exists(): MeshError {
  return new MeshError("data-exists", "The place to move to holds other records.", "Nothing was changed. Move into an empty database, or take the file portal.db that is there away.");
}
