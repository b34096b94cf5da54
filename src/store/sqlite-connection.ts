import type { DatabaseSync } from "node:sqlite";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Connection } from "./connection.ts";
import type { Range } from "./range.ts";
import { translated } from "./sqlite-errors.ts";
import type { Flusher } from "./sqlite-flusher.ts";
import type { Entry } from "./store.ts";

/** Greater than every text in SQLite's order, where octets come after text: the bound of a range without end. */
const endless = new Uint8Array();

/** One SQLite database connection with its statements prepared; `format` is what `PRAGMA user_version` has to stay. */
export class SqliteConnection implements Connection {
  readonly #database: DatabaseSync;
  readonly #format: number;
  readonly #run;
  readonly #startFlusher: (() => Flusher) | undefined;
  #flusher: Flusher | undefined;
  #works = 0;
  #writes = false;
  /** Those of this connection: SQLite's own count is of the others'. */
  #commits = 0;
  #relies = false;

  /** With `startFlusher`, commits are made durable by it as soon as it is ready, and not here; it is started when works first meet in one commit, so that an idle process has none. */
  constructor(database: DatabaseSync, format: number, startFlusher?: () => Flusher) {
    this.#database = database;
    this.#format = format;
    this.#startFlusher = startFlusher;
    this.#run = translated(() => prepare(database));
  }

  begin(mode: "read" | "write"): void {
    this.#writes = mode === "write";
    if (this.#writes) this.#chooseWhoFlushes();
    translated(() => (mode === "write" ? this.#run.beginWrite : this.#run.beginRead).run());
    try {
      // This also fixes the snapshot, which a bare BEGIN leaves to the first statement.
      const { user_version: format } = translated(() => this.#run.format.get()) as { user_version: number };
      if (format !== this.#format) throw new MeshError("store-newer", "Another version of the program has changed the database's format.", "Restart this one.");
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  commit(works: number): void {
    this.#works = works;
    // Before it is known to have gone well: to be told of a change that was none costs another look.
    if (this.#writes) this.#commits++;
    translated(() => this.#run.commit.run());
  }

  flushed(): Promise<void> | undefined {
    return this.#relies ? this.#flusher?.flush() : undefined;
  }

  rollback(): void {
    if (this.#database.isTransaction) translated(() => this.#run.rollback.run());
  }

  mark(): void {
    translated(() => this.#run.mark.run());
  }

  keep(): void {
    translated(() => this.#run.keep.run());
  }

  undo(): void {
    translated(() => this.#run.undo.run());
    this.keep();
  }

  active(): boolean {
    return this.#database.isTransaction;
  }

  get(shelf: string, key: string): Uint8Array | undefined {
    const row = translated(() => this.#run.get.get(shelf, key)) as { value: Uint8Array } | undefined;
    return row?.value;
  }

  list(shelf: string, range: Range, limit = -1, reverse = false): readonly Entry[] {
    const statement = reverse ? this.#run.falling : this.#run.rising;
    const rows = translated(() => statement.all(shelf, range.low, range.high ?? endless, limit)) as unknown as Entry[];
    return rows.map(({ key, value }) => ({ key, value })); // SQLite's rows have no prototype.
  }

  leaves(from: number, limit = -1): readonly Uint8Array[] {
    const rows = translated(() => this.#run.leaves.all(from, limit)) as unknown as { leaf: Uint8Array }[];
    return rows.map(({ leaf }) => leaf);
  }

  version(): string {
    const { data_version: others } = translated(() => this.#run.version.get()) as { data_version: number };
    return `${others}.${this.#commits}`;
  }

  put(shelf: string, key: string, value: Uint8Array): void {
    this.#change(() => this.#run.put.run(shelf, key, value));
  }

  remove(shelf: string, key: string): void {
    this.#change(() => this.#run.remove.run(shelf, key));
  }

  append(leaf: Uint8Array): number {
    return Number(this.#change(() => this.#run.append.run(leaf)).lastInsertRowid);
  }

  async close(): Promise<void> {
    await this.#flusher?.close();
    translated(() => this.#database.close());
  }

  #chooseWhoFlushes(): void {
    if (this.#flusher?.over === true) this.#flusher = undefined;
    if (this.#works > 1) this.#flusher ??= this.#startFlusher?.();
    this.#works = 0;
    const relies = this.#flusher?.ready === true;
    if (relies === this.#relies) return;
    this.#database.exec(relies ? "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0" : "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000");
    this.#relies = relies;
  }

  #change<T>(act: () => T): T {
    // SQLite may have given up the transaction, and would then commit this statement by itself.
    if (!this.#database.isTransaction) throw new MeshError("store-failed", "The transaction was lost.");
    return translated(act);
  }
}

function prepare(database: DatabaseSync) {
  const inRange = "FROM entry WHERE shelf = ? AND key >= ? AND key < ?";
  return {
    beginRead: database.prepare("BEGIN"),
    beginWrite: database.prepare("BEGIN IMMEDIATE"),
    commit: database.prepare("COMMIT"),
    rollback: database.prepare("ROLLBACK"),
    mark: database.prepare("SAVEPOINT work"),
    keep: database.prepare("RELEASE work"),
    undo: database.prepare("ROLLBACK TO work"),
    format: database.prepare("PRAGMA user_version"),
    version: database.prepare("PRAGMA data_version"),
    get: database.prepare("SELECT value FROM entry WHERE shelf = ? AND key = ?"),
    rising: database.prepare(`SELECT key, value ${inRange} ORDER BY key LIMIT ?`),
    falling: database.prepare(`SELECT key, value ${inRange} ORDER BY key DESC LIMIT ?`),
    leaves: database.prepare("SELECT leaf FROM log WHERE number >= ? ORDER BY number LIMIT ?"),
    put: database.prepare("INSERT INTO entry VALUES (?, ?, ?) ON CONFLICT (shelf, key) DO UPDATE SET value = excluded.value"),
    remove: database.prepare("DELETE FROM entry WHERE shelf = ? AND key = ?"),
    append: database.prepare("INSERT INTO log VALUES ((SELECT coalesce(max(number) + 1, 0) FROM log), ?)"),
  };
}
