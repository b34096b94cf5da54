import type { Client, QueryResult } from "pg";
import type { Changes } from "./overlay.ts";
import { abandon } from "./postgres-client.ts";
import { clockOff, isConflict, isSaid, translatePostgres, unknownCommit } from "./postgres-errors.ts";
import { movedAway, newerServer, postgresFormat } from "./postgres-format.ts";
import type { Range } from "./range.ts";
import type { Entry } from "./store.ts";
import { MeshError } from "../refusals/mesh-error.ts";

/** So long a turn is waited for, in milliseconds: many times what a commit takes. */
const TURN_MS = 250;

/** The channel on which processes are told which entries of the announced shelf were put. */
export function channelOf(schema: string): string {
  return `${schema}_put`;
}

/** Where a snapshot stands: how many commits came before it, and how long the log is. */
export type Place = { readonly version: number; readonly size: number };

/**
 * One statement is the whole commit. It changes the row of `head` if that is still as the snapshot saw it, and everything else only if it did:
 * whoever committed in between, if only by a moment, has raised the version. No lock has to hold for that, no other statement, and no client.
 */
function commitStatement(schema: string): string {
  return `
    WITH won AS (UPDATE ${schema}.head SET version = version + 1, size = size + cardinality($7::bytea[]) WHERE version = $1::bigint RETURNING size - cardinality($7::bytea[]) AS size),
    put AS (INSERT INTO ${schema}.entry (shelf, key, value) SELECT s, k, v FROM won, unnest($2::bytea[], $3::bytea[], $4::bytea[]) AS t (s, k, v) ON CONFLICT (shelf, key) DO UPDATE SET value = excluded.value),
    gone AS (DELETE FROM ${schema}.entry USING won, unnest($5::bytea[], $6::bytea[]) AS t (s, k) WHERE entry.shelf = t.s AND entry.key = t.k),
    grown AS (INSERT INTO ${schema}.log (number, leaf) SELECT won.size + t.place - 1, t.leaf FROM won, unnest($7::bytea[]) WITH ORDINALITY AS t (leaf, place)),
    told AS (SELECT pg_catalog.pg_notify('${channelOf(schema)}', pg_catalog.encode(t.k, 'hex'))::text FROM won, unnest($2::bytea[], $3::bytea[]) AS t (s, k) WHERE t.s = $8::bytea)
    SELECT (SELECT count(*) FROM told) FROM won`;
}

/**
 * So far, in milliseconds, a process's clock may be from the server's: two processes are then at most six seconds apart, and what one promises for ten
 * seconds later (`docs/spec/log.md` 3.6) is not due by the clock of another before the log has it.
 */
const CLOCKS_APART = 3_000;

/** One connection, with the few statements that a store needs. */
export class PostgresLink {
  readonly #client: Client;
  readonly #now: () => number;
  readonly #text: ReturnType<typeof statements>;
  readonly #turn: string;
  readonly #announced: Buffer;
  #over = false;
  #warned = false;
  #hasTurn = false;

  constructor(client: Client, schema: string, now: () => number, announced: string) {
    this.#client = client;
    this.#now = now;
    this.#announced = octets(announced);
    this.#text = statements(schema);
    this.#turn = `pg_catalog.hashtextextended('mesh ${schema}', 0)`;
    client.on("end", () => (this.#over = true));
    client.on("error", () => (this.#over = true));
    client.on("notice", ({ code }) => (this.#warned ||= code === "01000"));
  }

  /** True once the connection cannot be used any more. */
  get over(): boolean {
    return this.#over;
  }

  /**
   * Waits until those who asked before have committed, so that no work is done in vain; false if that takes too long: whoever has the turn may stand still, and nothing depends on it.
   * It ends with the connection, or with {@link endTurn}.
   */
  async takeTurn(): Promise<boolean> {
    try {
      await this.#client.query(`BEGIN; SET LOCAL lock_timeout = ${TURN_MS}; SELECT pg_catalog.pg_advisory_lock(${this.#turn}); COMMIT`);
      this.#hasTurn = true;
    } catch (error) {
      if (!isConflict(error)) throw error;
      await this.#client.query("ROLLBACK");
    }
    return this.#hasTurn;
  }

  /** Lets the next one have the turn, once what was sent before is done; nobody needs to wait for it. */
  endTurn(): void {
    if (!this.#hasTurn) return;
    this.#hasTurn = false;
    this.#client.query(`SELECT pg_catalog.pg_advisory_unlock(${this.#turn})`).catch(() => (this.#over = true));
  }

  /** Begins a snapshot for reading; `store-clock-off` where the server says that it is another time, however long its answer took. */
  async begin(): Promise<Place> {
    const sent = this.#now();
    const [, head] = await Promise.all([this.#client.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"), this.#ask("head", [])]);
    const found = (head.rows as readonly (Place & { readonly format: number; readonly moved: boolean; readonly time: number })[])[0];
    if (found?.format !== postgresFormat) throw newerServer();
    if (found.moved) throw movedAway();
    if (found.time < sent - CLOCKS_APART || found.time > this.#now() + CLOCKS_APART) throw clockOff(found.time - this.#now());
    return { version: found.version, size: found.size };
  }

  async get(shelf: string, key: string): Promise<Uint8Array | undefined> {
    const { rows } = await this.#ask("get", [octets(shelf), octets(key)]);
    return (rows as { readonly value: Buffer }[]).map(({ value }) => new Uint8Array(value))[0];
  }

  async list(shelf: string, { low, high }: Range, limit: number | undefined, reverse: boolean): Promise<readonly Entry[]> {
    // No text begins with the octet FF, so it is the end of all.
    const { rows } = await this.#ask(reverse ? "falling" : "rising", [octets(shelf), octets(low), high === undefined ? Buffer.of(0xff) : octets(high), limit ?? null]);
    return (rows as { readonly key: Buffer; readonly value: Buffer }[]).map(({ key, value }) => ({ key: key.toString("utf8"), value: new Uint8Array(value) }));
  }

  async leaves(from: number, limit: number): Promise<readonly Uint8Array[]> {
    const { rows } = await this.#ask("leaves", [from, from + limit]);
    return (rows as { readonly leaf: Buffer }[]).map(({ leaf }) => new Uint8Array(leaf));
  }

  /** Ends a snapshot; nobody needs to wait for it. */
  end(): void {
    this.#client.query("COMMIT").catch(() => (this.#over = true));
  }

  /**
   * Makes the changes true and durable if nobody has committed since the snapshot; false if somebody has, and nothing was changed.
   *
   * Throws `store-failed` where it is not known which of the two; any other error means that nothing was changed.
   */
  async commit({ version }: Place, { puts, removals, leaves }: Changes): Promise<boolean> {
    this.#warned = false;
    const columns = [puts.map(({ shelf }) => octets(shelf)), puts.map(({ key }) => octets(key)), puts.map(({ value }) => value), removals.map(({ shelf }) => octets(shelf)), removals.map(({ key }) => octets(key)), leaves];
    try {
      const committed = this.#client.query({ name: "commit", text: this.#text.commit, values: [version, ...columns.map(octetsArray), this.#announced] });
      this.endTurn();
      const { rows } = await committed;
      // The server warns that it did not wait for its standby, as it should have, when somebody cancels that.
      if (this.#warned) throw new MeshError("store-failed", "The database server committed without waiting for its standby.", "Do it again.");
      return rows.length === 1;
    } catch (error) {
      if (error instanceof MeshError) throw error;
      // If it goes on listening, it has undone the statement; if it went away, it may have done so after the commit.
      if (!isSaid(error) || !(await this.#answers())) throw unknownCommit(error);
      if (isConflict(error)) return false;
      throw translatePostgres(error);
    }
  }

  close(): void {
    this.#over = true;
    abandon(this.#client);
  }

  async #answers(): Promise<boolean> {
    return this.#client.query("SELECT 1").then(() => true, () => false);
  }

  #ask(name: keyof ReturnType<typeof statements>, values: readonly unknown[]): Promise<QueryResult> {
    return this.#client.query({ name, text: this.#text[name], values: [...values] });
  }
}

function statements(schema: string) {
  const range = `FROM ${schema}.entry WHERE shelf = $1 AND key >= $2 AND key < $3`;
  return {
    commit: commitStatement(schema),
    head: `SELECT format, moved, version, size, (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint AS time FROM ${schema}.head`,
    get: `SELECT value FROM ${schema}.entry WHERE shelf = $1 AND key = $2`,
    rising: `SELECT key, value ${range} ORDER BY key LIMIT $4`,
    falling: `SELECT key, value ${range} ORDER BY key DESC LIMIT $4`,
    leaves: `SELECT leaf FROM ${schema}.log WHERE number >= $1 AND number < $2 ORDER BY number`,
  };
}

function octets(text: string): Buffer {
  return Buffer.from(text, "utf8");
}

/** A `bytea[]` as it travels in binary: dimensions 1, no nulls, the type, the count, the first index; then each with its length. */
export function octetsArray(values: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(20);
  for (const [at, value] of [values.length === 0 ? 0 : 1, 0, 17, values.length, 1].entries()) head.writeInt32BE(value, at * 4);
  const pieces: Uint8Array[] = [values.length === 0 ? head.subarray(0, 12) : head];
  for (const value of values) {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value.length);
    pieces.push(length, value);
  }
  return Buffer.concat(pieces);
}
