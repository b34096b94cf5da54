import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Connection } from "./connection.ts";
import { Handle } from "./handle.ts";
import { refuseNesting, runWork } from "./running.ts";
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

type Waiting<Handle> = {
  readonly work: (handle: Handle) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * Makes a Store of a connection that answers at once; reads and writes take turns on it.
 *
 * One connection, because what another one writes makes SQLite forget all pages that it holds in memory. Works await nothing
 * slow, so nobody waits long for his turn.
 */
export function groupedStore(connection: Connection, grouping: Grouping = usualGrouping): Store {
  return new GroupedStore(connection, grouping);
}

class GroupedStore implements Store {
  readonly #connection: Connection;
  readonly #grouping: Grouping;
  readonly #turn = turns();
  readonly #readings: Waiting<Reading>[] = [];
  readonly #writings: Waiting<Writing>[] = [];
  #pump: Promise<void> | undefined;
  #expected = 1;
  #filled: (() => void) | undefined;
  /** Settles when everything committed so far is durable, with the error if it may not be; `undefined` when it is. */
  #flushing: Promise<unknown> | undefined;
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, grouping: Grouping) {
    this.#connection = connection;
    this.#grouping = grouping;
  }

  async read<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    this.#admit();
    return new Promise<T>((resolve, reject) => {
      this.#readings.push({ work, resolve: (value) => resolve(value as T), reject });
      // Whoever comes until it is their turn reads in the same snapshot: beginning one costs more than most reads.
      if (this.#readings.length === 1) void this.#turn(() => this.#readAll());
    });
  }

  async transact<T>(work: (writing: Writing) => Promise<T>): Promise<T> {
    this.#admit();
    return new Promise<T>((resolve, reject) => {
      this.#writings.push({ work, resolve: (value) => resolve(value as T), reject });
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
    await this.#turn(async () => this.#flushing);
    await this.#turn(() => this.#connection.close());
  }

  #admit(): void {
    if (this.#closing !== undefined) throw new MeshError("store-closed", "The store is closed.");
    refuseNesting();
  }

  async #readAll(): Promise<void> {
    // Only those who asked before the snapshot is taken: it must be as new as all that they know of.
    const readings = this.#readings.splice(0);
    try {
      await patiently(this.#grouping.patience, async () => this.#connection.begin("read"));
      // What was seen may not be told before it is sure to stay.
      const durable = this.#flushing;
      for (const { work, resolve, reject } of readings) {
        const seen = runWork<Handle, unknown>(new Handle(this.#connection, false), work);
        await seen.catch(() => undefined);
        void tellOf(seen, durable).then(resolve, reject);
      }
    } catch (error) {
      for (const { reject } of readings) reject(error);
    } finally {
      attempt(() => this.#connection.rollback());
    }
  }

  async #drain(): Promise<void> {
    while (this.#writings.length > 0) {
      // Whatever was made ready meanwhile is called first, one callback after the other, and joins the group.
      await immediate();
      if (this.#grouping.linger > 0 && !this.#enough()) await this.#company();
      // Between tries it is the others' turn: readers do not wait for writers of other processes.
      await patiently(this.#grouping.patience, () => this.#turn(() => this.#group())).catch((error: unknown) => {
        for (const { reject } of this.#writings.splice(0)) reject(error);
      });
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

  /** Runs works and commits them together; throws only if none was begun. */
  async #group(): Promise<void> {
    this.#connection.begin("write");
    const members: Waiting<Writing>[] = [];
    // A refusal too is told only after the commit: it may rest on what an earlier member of the group wrote.
    const answers: (() => void)[] = [];
    let marking = false;
    try {
      const end = performance.now() + this.#grouping.linger;
      for (let next = this.#writings.shift(); next !== undefined; next = this.#writings.shift()) {
        members.push(next);
        const { answer, stained } = await this.#member(next, marking);
        answers.push(answer);
        if (stained) answers.splice(0, answers.length, ...(await this.#again(members, answers)));
        marking ||= stained;
        if (members.length >= this.#grouping.size || performance.now() > end) break;
      }
      this.#connection.commit(members.length);
      this.#whenDurable((error) => {
        if (error === undefined) for (const answer of answers) answer();
        else for (const member of members) member.reject(error);
      });
    } catch (error) {
      attempt(() => this.#connection.rollback());
      for (const member of members) member.reject(error);
    }
    // A caller that waits for each of its transactions is served at once; only where there were several is company likely.
    this.#expected = Math.max(members.length, Math.floor(this.#expected * 0.75));
  }

  /** Begins a group again, with a mark before each work: the last one failed after it had written, and nothing leads back to before it. */
  async #again(members: readonly Waiting<Writing>[], answers: readonly (() => void)[]): Promise<readonly (() => void)[]> {
    this.#connection.rollback();
    // Another process may get in between.
    await patiently(this.#grouping.patience, async () => this.#connection.begin("write"));
    // One that was alone failed for what it saw, and is not to be run again for that.
    if (members.length === 1) return answers;
    const anew: (() => void)[] = [];
    for (const member of members) anew.push((await this.#member(member, true)).answer);
    return anew;
  }

  /** Tells when all that is committed now is durable; the next group need not wait for it. */
  #whenDurable(tell: (error: unknown) => void): void {
    const flushed = this.#connection.flushed();
    if (flushed === undefined) return tell(undefined);
    const settled = flushed.then(() => undefined, (error: unknown) => error);
    this.#flushing = settled;
    void this.#afterwards(settled, tell);
  }

  async #afterwards(settled: Promise<unknown>, tell: (error: unknown) => void): Promise<void> {
    const error = await settled;
    if (this.#flushing === settled) this.#flushing = undefined;
    tell(error);
  }

  #enough(): boolean {
    return this.#writings.length >= Math.min(this.#expected, this.#grouping.size);
  }

  /**
   * Runs one work, and returns how to answer it; throws only if the whole group is lost.
   *
   * `stained` says that it failed, that what it wrote still stands, and that there is no mark to go back to. Nearly all works that fail do so before they
   * write, and a mark costs as much as the writes: SQLite copies each page that changes after it.
   */
  async #member(member: Waiting<Writing>, marking: boolean): Promise<{ readonly answer: () => void; readonly stained: boolean }> {
    if (marking) this.#connection.mark();
    const handle = new Handle(this.#connection, true);
    try {
      const value = await runWork<Handle, unknown>(handle, member.work);
      if (marking) this.#connection.keep();
      return { answer: () => member.resolve(value), stained: false };
    } catch (error) {
      if (!this.#connection.active()) throw error;
      if (marking) this.#connection.undo();
      return { answer: () => member.reject(error), stained: !marking && handle.wrote };
    }
  }
}

/** What a work saw, once it is durable. */
async function tellOf<T>(seen: Promise<T>, durable: Promise<unknown> | undefined): Promise<T> {
  const error = durable === undefined ? undefined : await durable;
  if (error !== undefined) throw error;
  return seen;
}

/** Tries again while another process keeps the database busy, for so many milliseconds; then throws `store-busy`. */
async function patiently(patience: number, act: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + patience;
  for (let pause = 0.5; ; pause = Math.min(pause * 2, 8)) {
    try {
      await act();
      return;
    } catch (error) {
      const busy = error instanceof MeshError && error.code === "store-busy";
      if (!busy || performance.now() >= deadline) throw error;
    }
    await sleep(pause * (0.5 + Math.random()));
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
