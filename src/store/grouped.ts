import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Connection } from "./connection.ts";
import { Handle } from "./handle.ts";
import type { Reading, Store, Writing } from "./store.ts";

/** How works are gathered into commits; times in milliseconds. */
export interface Grouping {
  /** How long works wait for company, once there is some; also how long one group may run. 0 makes each work its own commit. */
  readonly linger: number;
  /** How many works a commit holds at most. */
  readonly size: number;
  /** How long to wait for another process before `store-busy`. */
  readonly patience: number;
}

/** Measured: 32 works or 3 to 8 ms lose least throughput on one SQLite file; ten seconds outlast any sane commit. */
export const usualGrouping: Grouping = { linger: 4, size: 32, patience: 10_000 };

type Waiting = {
  readonly work: (writing: Writing) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
};

// Holds the work that the current call comes from, so that nesting is an error instead of a deadlock.
const within = new AsyncLocalStorage<{ over: boolean }>();

/** Makes a Store of connections that answer at once; with one and the same connection for both, reads and writes take turns. */
export function groupedStore(writer: Connection, reader: Connection, grouping: Grouping = usualGrouping): Store {
  return new GroupedStore(writer, reader, grouping);
}

class GroupedStore implements Store {
  readonly #writer: Connection;
  readonly #reader: Connection;
  readonly #grouping: Grouping;
  readonly #writes = turns();
  readonly #reads: ReturnType<typeof turns>;
  readonly #waiting: Waiting[] = [];
  #pump: Promise<void> | undefined;
  #expected = 1;
  #filled: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(writer: Connection, reader: Connection, grouping: Grouping) {
    this.#writer = writer;
    this.#reader = reader;
    this.#grouping = grouping;
    this.#reads = writer === reader ? this.#writes : turns();
  }

  async read<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    this.#admit();
    return this.#reads(async () => {
      await this.#begin(this.#reader, "read");
      try {
        return await run(this.#reader, work, false);
      } finally {
        this.#reader.rollback();
      }
    });
  }

  async transact<T>(work: (writing: Writing) => Promise<T>): Promise<T> {
    this.#admit();
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve: (value) => resolve(value as T), reject });
      if (this.#enough()) this.#filled?.();
      this.#pump ??= this.#drain();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  async #shut(): Promise<void> {
    await this.#pump;
    await this.#reads(async () => undefined);
    // The writer goes last, because the last connection of a database tidies up.
    if (this.#reader !== this.#writer) this.#reader.close();
    this.#writer.close();
  }

  #admit(): void {
    if (this.#closing !== undefined) throw new MeshError("store-closed", "The store is closed.");
    if (within.getStore()?.over === false) throw new MeshError("store-misused", "A work of the store tried to start another inside itself.");
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Whatever has been made ready meanwhile comes first, one callback after the other, and joins the group.
      await immediate();
      if (this.#grouping.linger > 0 && !this.#enough()) await this.#company();
      await this.#writes(() => this.#group());
    }
    this.#pump = undefined; // In the same breath as the last look at the list, or a work would wait for nobody.
  }

  #company(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#filled = undefined;
        resolve();
      };
      const timer = setTimeout(done, this.#grouping.linger);
      this.#filled = done;
    });
  }

  async #group(): Promise<void> {
    const members: Waiting[] = [];
    // A refusal too is told only after the commit: it may rest on what an earlier member of the group wrote.
    const answers: (() => void)[] = [];
    try {
      await this.#begin(this.#writer, "write");
      const end = performance.now() + this.#grouping.linger;
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
        members.push(next);
        answers.push(await this.#member(next));
        if (members.length >= this.#grouping.size || performance.now() > end) break;
      }
      this.#writer.commit();
      for (const answer of answers) answer();
    } catch (error) {
      attempt(() => this.#writer.rollback());
      const rejected = members.length > 0 ? members : this.#waiting.splice(0);
      for (const member of rejected) member.reject(error);
    }
    // A caller that waits for each of its transactions is served at once; only where there were several is company likely.
    this.#expected = Math.max(members.length, Math.floor(this.#expected * 0.75));
  }

  #enough(): boolean {
    return this.#waiting.length >= Math.min(this.#expected, this.#grouping.size);
  }

  /** Runs one work, and returns how to answer it; throws only if the whole group is lost. */
  async #member(member: Waiting): Promise<() => void> {
    this.#writer.mark();
    try {
      const value = await run(this.#writer, member.work, true);
      this.#writer.keep();
      return () => member.resolve(value);
    } catch (error) {
      if (!this.#writer.active()) throw error;
      this.#writer.undo();
      return () => member.reject(error);
    }
  }

  async #begin(connection: Connection, mode: "read" | "write"): Promise<void> {
    const deadline = performance.now() + this.#grouping.patience;
    for (let pause = 0.5; ; pause = Math.min(pause * 2, 8)) {
      try {
        connection.begin(mode);
        return;
      } catch (error) {
        const busy = error instanceof MeshError && error.code === "store-busy";
        if (!busy || performance.now() >= deadline) throw error;
      }
      await sleep(pause * (0.5 + Math.random()));
    }
  }
}

async function run<T>(connection: Connection, work: (handle: Handle) => Promise<T>, writable: boolean): Promise<T> {
  const handle = new Handle(connection, writable);
  const frame = { over: false };
  try {
    const value = await within.run(frame, () => work(handle));
    if (handle.failure !== undefined) throw handle.failure;
    return value;
  } catch (error) {
    throw handle.failure ?? error;
  } finally {
    handle.end();
    frame.over = true;
  }
}

/** Makes a queue that runs one task after another. */
function turns(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const mine = last.then(task);
    last = mine.catch(() => undefined);
    return mine;
  };
}

function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // The first error is the one worth telling.
  }
}
