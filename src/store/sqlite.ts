import { closeSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { MeshError } from "../refusals/mesh-error.ts";
import { groupedStore, usualGrouping } from "./grouped.ts";
import { SqliteConnection } from "./sqlite-connection.ts";
import { damaged, readOnly, translated } from "./sqlite-errors.ts";
import { Flusher } from "./sqlite-flusher.ts";
import { copyDatabase, currentFormat, establish, examine, type Format, pragma } from "./sqlite-format.ts";
import { readingOnly, refusingWrites } from "./sqlite-reading.ts";
import type { Store } from "./store.ts";

/** A store in one file, which can be copied while it is used. */
export interface SqliteStore extends Store {
  /** Writes a durable copy of the current snapshot to `path`, mode 0600; blocks the process meanwhile. */
  backup(path: string): Promise<void>;
}

/** What tests turn; nobody else needs to. */
export interface SqliteOptions {
  /** How long to wait for other processes before `store-busy`; milliseconds, usually 10,000. */
  readonly patience?: number;
  readonly format?: Format;
  /** Where nothing can be written, on a full or read-only disk, open for reading all the same; not for what goes on for long. */
  readonly orReading?: true;
}

/** Databases up to so many octets are checked whole when opened (about 2 ms); larger ones show damage when it is met. */
const checkedWhole = 2 * 1024 * 1024;

/**
 * Opens the store in the SQLite database at `path`, making it if there is none; several processes may have it open at once.
 *
 * The database and its `-wal` and `-shm` companions are made with mode 0600; the directory must exist and be the caller's own (0700).
 * A file without write permission opens for reading only, and refuses writes with `store-read-only`.
 * Errors: `store-newer` and `store-damaged` (the file is left as it is), `store-not-found`, `store-read-only`, `store-full`, `store-busy`.
 */
export function openSqliteStore(path: string, options: SqliteOptions = {}): Promise<SqliteStore> {
  return openStore(path, options, undefined);
}

/** As `openSqliteStore`, for a process that serves many at once: a thread of its own waits for the disk. */
export function openServingStore(path: string, options: SqliteOptions = {}): Promise<SqliteStore> {
  return openStore(path, options, () => new Flusher(path));
}

async function openStore(path: string, options: SqliteOptions, startFlusher: (() => Flusher) | undefined): Promise<SqliteStore> {
  const patience = options.patience ?? usualGrouping.patience;
  const format = options.format ?? currentFormat;
  const opened = await openDatabase(path, format, patience).catch((error: unknown) => {
    if (options.orReading === true && error instanceof MeshError && (error.code === "store-full" || error.code === "store-read-only")) return error;
    throw error;
  });
  if (opened instanceof MeshError) return openForReading(path, format, opened, patience);
  const store = groupedStore(new SqliteConnection(opened, format.number, startFlusher), { ...usualGrouping, patience });
  return {
    read: (work) => store.read(work),
    transact: (work) => store.transact(work),
    close: () => store.close(),
    backup: async (target) => {
      if (!opened.isOpen) throw new MeshError("store-closed", "The store is closed.");
      using own = database(path);
      translated(() => copyDatabase(own, target));
    },
  };
}

/** A store that can be read; whoever would write is told why that does not go. */
function openForReading(path: string, format: Format, why: MeshError, patience: number): SqliteStore {
  try {
    const store = groupedStore(refusingWrites(new SqliteConnection(readingOnly(path), format.number), why), { ...usualGrouping, patience });
    return { read: (work) => store.read(work), transact: (work) => store.transact(work), close: () => store.close(), backup: async () => Promise.reject(why) };
  } catch {
    throw why;
  }
}

/** Opens the database, making or migrating it where that is due. */
export async function openDatabase(path: string, format: Format, patience: number): Promise<DatabaseSync> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return translated(() => openOnce(path, format));
    } catch (error) {
      const code = error instanceof MeshError ? error.code : undefined;
      // SQLite says the same of a missing file and of a directory in which it may not make its companion files.
      if (code === "store-not-found" && statSync(path, { throwIfNoEntry: false })?.isFile() === true) throw readOnly();
      if (code !== "store-busy" || performance.now() >= deadline) throw error;
    }
    await sleep(5 + Math.random() * 10);
  }
}

function openOnce(path: string, format: Format): DatabaseSync {
  touch(path);
  const opened = database(path);
  try {
    examine(opened, format);
    // The page size counts for a new file only, and only before it has its first page. FULL: a commit survives a power cut.
    opened.exec("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -2048; PRAGMA journal_size_limit = 67108864");
    checkSmall(opened);
    establish(opened, format, (target) => {
      using source = database(path);
      copyDatabase(source, target);
    }, path);
    return opened;
  } catch (error) {
    opened.close();
    throw error;
  }
}

// SQLite gives its companion files the mode of the database, so it is enough that the database is made ours alone. An existing file must not
// be opened and closed here: closing any descriptor of a file drops all locks that this process holds on it (POSIX).
function touch(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
  }
}

function checkSmall(opened: DatabaseSync): void {
  if (pragma(opened, "page_count") * pragma(opened, "page_size") > checkedWhole) return;
  const found = Object.values(opened.prepare("PRAGMA quick_check(1)").get() ?? {})[0];
  if (found !== "ok") throw damaged(String(found));
}

// Only locks that are held for a moment are waited for here; the write lock is waited for without stopping the event loop.
function database(path: string): DatabaseSync {
  return new DatabaseSync(path, { timeout: 2 });
}
