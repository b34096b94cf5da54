import { closeSync, fdatasyncSync, openSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { MeshError } from "../refusals/mesh-error.ts";

/** How often what stands in the write-ahead log is moved into the database, in milliseconds. */
const CHECKPOINT_MS = 200;

/** So long after the last commit the thread ends, in milliseconds: it holds some 10 MB, and another is started when works meet again. */
const IDLE_MS = 3_000;

/** Beyond so many octets of log, writers wait for a moment while it is emptied: under steady load it would grow for ever. */
const LONGEST_LOG = 64 << 20;

/**
 * What the thread runs. It is text, so that a bundle need not carry a file for it.
 *
 * It waits for the disk and shares nothing with the main thread but the files. The log's own descriptor may be closed at will:
 * SQLite locks the database and its shared memory, never the log.
 */
const program = `
const { parentPort, workerData: { path, checkpointMs, longestLog } } = require("node:worker_threads");
const { fdatasyncSync, fstatSync, openSync } = require("node:fs");
const { DatabaseSync } = require("node:sqlite");
const log = openSync(path + "-wal", "r");
const database = new DatabaseSync(path, { timeout: 100 });
database.exec("PRAGMA synchronous = NORMAL");
let moved = true;
const timer = setInterval(checkpoint, checkpointMs);
parentPort.on("message", (wanted) => {
  if (wanted === "close") {
    clearInterval(timer);
    database.close();
    parentPort.close();
    return;
  }
  try {
    fdatasyncSync(log);
    moved = false;
    parentPort.postMessage({ wanted });
  } catch (error) {
    parentPort.postMessage({ wanted, error: String(error.code ?? error.message) });
  }
});
function checkpoint() {
  if (moved) return;
  try {
    moved = true;
    database.exec("PRAGMA wal_checkpoint(PASSIVE)");
    if (fstatSync(log).size > longestLog) database.exec("PRAGMA wal_checkpoint(RESTART)");
  } catch {
    moved = false; // Somebody is busy, or the disk is full: what is in the log is safe there.
  }
}
parentPort.postMessage({ ready: true });
`;

type Answer = { readonly ready?: true; readonly wanted?: number; readonly error?: string };

/** Makes commits durable, and moves them into the database, on a thread of its own: the main thread never waits for the disk. */
export class Flusher {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { readonly resolve: () => void; readonly reject: (error: unknown) => void }>();
  #last = 0;
  #ready = false;
  #failure: MeshError | undefined;
  #ending: Promise<void> | undefined;
  #idle: NodeJS.Timeout | undefined;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.#worker = new Worker(program, { eval: true, resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 32 }, workerData: { path, checkpointMs: CHECKPOINT_MS, longestLog: LONGEST_LOG } });
    this.#worker.unref();
    this.#worker.on("message", (answer: Answer) => this.#take(answer));
    this.#worker.on("error", (error: Error) => this.#fail(error.message));
    this.#worker.on("exit", () => this.over || this.#fail("its thread ended"));
  }

  /** Whether it can be relied on: until then, once it has failed, and when it is over, commits have to be durable by themselves. */
  get ready(): boolean {
    return this.#ready && this.#failure === undefined && !this.over;
  }

  /** Whether it ended because nothing was to be done. */
  get over(): boolean {
    return this.#ending !== undefined;
  }

  /** Settles when everything committed before is on the disk; throws `store-failed` if that cannot be known. */
  flush(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    // A transaction that was begun before the thread ended.
    if (this.over) return flushHere(this.#path);
    clearTimeout(this.#idle);
    const wanted = ++this.#last;
    this.#worker.ref();
    this.#worker.postMessage(wanted, []);
    return new Promise((resolve, reject) => this.#waiting.set(wanted, { resolve, reject }));
  }

  /** Lets go of the files. */
  close(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    if (this.#failure !== undefined) return;
    this.#worker.ref();
    const ended = new Promise((done) => this.#worker.once("exit", done));
    this.#worker.postMessage("close", []);
    await ended;
  }

  #take({ ready, wanted, error }: Answer): void {
    if (ready === true) this.#ready = true;
    if (error !== undefined) this.#fail(error);
    if (wanted !== undefined) this.#waiting.get(wanted)?.resolve();
    if (wanted !== undefined) this.#waiting.delete(wanted);
    if (this.#waiting.size > 0) return;
    this.#worker.unref();
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.close(), IDLE_MS).unref();
  }

  #fail(why: string): void {
    this.#failure ??= new MeshError("store-failed", `Writes could not be made durable: ${why}.`);
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}

async function flushHere(path: string): Promise<void> {
  try {
    const log = openSync(`${path}-wal`, "r");
    try {
      fdatasyncSync(log);
    } finally {
      closeSync(log);
    }
  } catch (error) {
    throw new MeshError("store-failed", `Writes could not be made durable: ${(error as NodeJS.ErrnoException).code ?? "unknown"}.`);
  }
}
