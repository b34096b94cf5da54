import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { MeshError } from "../refusals/mesh-error.ts";
import { Overlay } from "./overlay.ts";
import { connectPostgres } from "./postgres-client.ts";
import { isConflict, rolledBack, translatePostgres } from "./postgres-errors.ts";
import { establishPostgres, examinePostgres, movedAway, otherOwner } from "./postgres-format.ts";
import { PostgresHandle } from "./postgres-handle.ts";
import { type Place, PostgresLink } from "./postgres-link.ts";
import { parsePostgresUrl, type PostgresAddress } from "./postgres-url.ts";
import { refuseNesting, runWork } from "./running.ts";
import type { Reading, Store, Writing } from "./store.ts";

/** Whose records a database holds, and what tests turn. */
export interface PostgresOptions {
  /** Written into a new database, and compared with what stands in one that is there. */
  readonly owner: string;
  /** How long works wait for other processes, and for a server that is away; milliseconds, usually 10,000. */
  readonly patience?: number;
  /** The schema of the tables, usually `mesh`. */
  readonly schema?: string;
  /** A shelf of whose entries every process is told that follows it (postgres-follow.ts), when one of them is put. */
  readonly announced?: string;
  /** Milliseconds since 1970, usually the machine's. */
  readonly now?: () => number;
}

/** How many works share a commit at most, and how long they are run before it; milliseconds. */
const GROUP = { size: 64, time: 8 } as const;

/** For so long after a commit was lost to another process turns are taken; and for so long none is asked for after one did not come. Milliseconds. */
const [CONTENDED_MS, STANDSTILL_MS] = [10_000, 1_000];

/** So many connections read, each a group of works in one snapshot; one more writes. */
const READERS = 2;

type Waiting<H> = { readonly work: (handle: H) => Promise<unknown>; readonly resolve: (value: unknown) => void; readonly reject: (error: unknown) => void; readonly until: number };

/**
 * Opens the store in the PostgreSQL database at `url` (postgres-url.ts), making its tables if there are none; any number of processes may have it open.
 *
 * Works run on a snapshot, and what they change is kept in memory until one statement commits it, if nobody else has committed meanwhile; else they are run
 * again. Nobody holds a lock while he thinks: a process that is stopped or dies holds up nobody. A server that was away is waited for; one that
 * comes back without what was seen in it is refused (`store-rolled-back`), and so is one whose clock is more than three seconds from ours (`store-clock-off`).
 * Errors: `store-url`, `store-unreachable`, `store-unsafe`, `store-not-found`, `store-newer`, `store-damaged`, `store-read-only`, `store-wrong-portal`, `store-moved`.
 */
export async function openPostgresStore(url: string, options: PostgresOptions): Promise<Store> {
  const opener = new Opener(parsePostgresUrl(url), options);
  const first = await opener.open().catch((error: unknown) => {
    throw translatePostgres(error);
  });
  return new PostgresStore(opener, first, options.patience ?? 10_000);
}

class Opener {
  readonly #address: PostgresAddress;
  readonly #options: PostgresOptions;
  #opened = false;

  constructor(address: PostgresAddress, options: PostgresOptions) {
    this.#address = address;
    this.#options = options;
  }

  async open(): Promise<PostgresLink> {
    const { announced = "", owner, schema = "mesh", now = Date.now } = this.#options;
    const client = await connectPostgres(this.#address);
    const link = new PostgresLink(client, schema, now, announced);
    try {
      // Only at first: a server that comes back without our tables has lost them, and must not be given empty ones.
      if (!this.#opened) await establishPostgres(client, schema, owner);
      const head = await examinePostgres(client, schema);
      if (head.owner !== owner) throw otherOwner();
      if (head.moved) throw movedAway();
      this.#opened = true;
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }
}

class PostgresStore implements Store {
  readonly #opener: Opener;
  readonly #patience: number;
  readonly #idle: PostgresLink[];
  readonly #readings: Waiting<Reading>[] = [];
  readonly #writings: Waiting<Writing>[] = [];
  readonly #busy = new Set<Promise<void>>();
  #readers = 0;
  /** The newest version that was seen: what it told of may have been told on. */
  #seen = 0;
  #pump: Promise<void> | undefined;
  #size: number = GROUP.size;
  /** Until when other processes are thought to write as well, and until when one of them to stand still. */
  #contended = 0;
  #standstill = 0;
  #closing: Promise<void> | undefined;

  constructor(opener: Opener, first: PostgresLink, patience: number) {
    this.#opener = opener;
    this.#patience = patience;
    this.#idle = [first];
  }

  async read<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    this.#admit();
    return new Promise<T>((resolve, reject) => {
      this.#readings.push({ work, resolve: (value) => resolve(value as T), reject, until: performance.now() + this.#patience });
      if (this.#readers < READERS) this.#keep(this.#readAll());
    });
  }

  async transact<T>(work: (writing: Writing) => Promise<T>): Promise<T> {
    this.#admit();
    return new Promise<T>((resolve, reject) => {
      this.#writings.push({ work, resolve: (value) => resolve(value as T), reject, until: performance.now() + this.#patience });
      if (this.#pump === undefined) this.#keep((this.#pump = this.#drain()));
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  async #shut(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy);
    for (const link of this.#idle.splice(0)) link.close();
  }

  #admit(): void {
    if (this.#closing !== undefined) throw new MeshError("store-closed", "The store is closed.");
    refuseNesting();
  }

  #keep(task: Promise<void>): void {
    this.#busy.add(task);
    void task.finally(() => this.#busy.delete(task));
  }

  async #readAll(): Promise<void> {
    this.#readers += 1;
    await immediate();
    while (this.#readings.length > 0) {
      // Only those who asked before the snapshot is taken: it must be as new as all that they know of.
      const readings = this.#readings.splice(0, GROUP.size);
      await this.#insist(readings, (link, place, telling) => this.#readThem(link, place, readings, telling));
    }
    this.#readers -= 1;
  }

  /** Works that read are run side by side: their questions travel together. */
  async #readThem(link: PostgresLink, place: Place, readings: readonly Waiting<Reading>[], telling: Telling): Promise<boolean> {
    const handles = readings.map(() => new PostgresHandle(link, place));
    const results = await Promise.allSettled(readings.map(async ({ work }, at) => runWork<PostgresHandle, unknown>(handles[at] as PostgresHandle, work)));
    for (const { failure } of handles) if (failure !== undefined) throw failure;
    link.end();
    for (const [at, result] of results.entries()) telling.push(() => (result.status === "fulfilled" ? readings[at]?.resolve(result.value) : readings[at]?.reject(result.reason)));
    return true;
  }

  async #drain(): Promise<void> {
    while (this.#writings.length > 0) {
      // Whatever was made ready meanwhile is called first, one callback after the other, and joins the group.
      await immediate();
      const members: Waiting<Writing>[] = [];
      await this.#insist(members, (link, place, telling) => this.#group(link, place, members, telling), (link) => this.#awaitTurn(link));
    }
    this.#pump = undefined; // In the same breath as the last look at the list, or a work would wait for nobody.
  }

  /** Where processes write at once, one after the other: else all but one of them work in vain. Only a courtesy: the comparison is what keeps them apart. */
  async #awaitTurn(link: PostgresLink): Promise<void> {
    const now = performance.now();
    if (now > this.#contended || now < this.#standstill) return;
    if (!(await link.takeTurn())) this.#standstill = performance.now() + STANDSTILL_MS;
  }

  /** Runs works one after the other and commits them together; false if others were faster, and all of them are to be run again. */
  async #group(link: PostgresLink, place: Place, members: Waiting<Writing>[], telling: Telling): Promise<boolean> {
    // Those whose commit was not made come first; fewer of them at a time, so that their turn comes.
    this.#writings.unshift(...members.splice(0));
    const overlay = new Overlay();
    const end = performance.now() + GROUP.time;
    while (members.length < this.#size && (members.length === 0 || performance.now() < end)) {
      const next = this.#writings.shift();
      if (next === undefined) break;
      members.push(next);
      const mark = overlay.mark();
      const handle = new PostgresHandle(link, place, overlay);
      try {
        const value = await runWork<PostgresHandle, unknown>(handle, next.work);
        telling.push(() => next.resolve(value));
      } catch (error) {
        if (handle.failure !== undefined) throw error;
        overlay.undo(mark);
        // A refusal too is told only after the commit: it may rest on what an earlier member of the group wrote.
        telling.push(() => next.reject(error));
      }
    }
    link.end();
    const changes = overlay.changes();
    const won = changes === undefined || (await link.commit(place, changes));
    if (won && changes !== undefined) this.#seen = Math.max(this.#seen, place.version + 1);
    if (!won) this.#contended = performance.now() + CONTENDED_MS;
    this.#size = won ? Math.min(GROUP.size, this.#size * 2) : Math.max(1, this.#size >> 1);
    return won;
  }

  /**
   * Lets works have a snapshot, again and again while others are faster or the server is away, until the patience of each has ended. Those that were not
   * taken from the list yet wait there.
   */
  async #insist<H>(works: Waiting<H>[], act: (link: PostgresLink, place: Place, telling: Telling) => Promise<boolean>, before?: (link: PostgresLink) => Promise<void>): Promise<void> {
    for (let pause = 1; ; pause = Math.min(pause * 2, 64)) {
      const telling: Telling = [];
      let failure: unknown;
      let link: PostgresLink | undefined;
      try {
        link = this.#idle.pop() ?? (await this.#opener.open());
        await before?.(link);
        if (await act(link, await this.#begin(link), telling)) for (const tell of telling) tell();
        else failure = new MeshError("store-busy", "Other processes keep the database busy.", "Try again.");
      } catch (error) {
        failure = error;
        link?.close();
      }
      if (link !== undefined && !link.over) {
        link.endTurn();
        this.#idle.push(link);
      }
      if (failure === undefined) return;
      const told = translatePostgres(failure) as { readonly code?: string };
      const again = told.code === "store-busy" || told.code === "store-unreachable" || isConflict(failure);
      const waiting: Waiting<never>[] = works.length > 0 ? works : this.#writings;
      dismiss(waiting, told, again ? performance.now() : Number.POSITIVE_INFINITY);
      if (waiting.length === 0) return;
      await sleep(pause * Math.random());
    }
  }

  /** Begins a snapshot, which must show what was there before it was asked for. */
  async #begin(link: PostgresLink): Promise<Place> {
    const seen = this.#seen;
    const place = await link.begin();
    if (place.version < seen) throw rolledBack();
    this.#seen = Math.max(this.#seen, place.version);
    return place;
  }
}

/** Refuses the works whose patience ended before a moment, and takes them off the list. */
function dismiss(works: Waiting<never>[], told: unknown, before: number): void {
  for (const work of works.splice(0)) {
    if (work.until < before) work.reject(told);
    else works.push(work);
  }
}

type Telling = (() => unknown)[];
