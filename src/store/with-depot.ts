import { sha512Text } from "../crypto/digest.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { type Depot, depotNameIn, LINGER_MS } from "./depot.ts";
import { demandOctets } from "./range.ts";
import type { Entry, ListOptions, Reading, Store, Writing } from "./store.ts";

/** The shelves whose values are kept in a depot. */
export type Outside = Pick<ReadonlySet<string>, "has">;

/** What to do of a value that is not whole: refuse it, or give what there is of it, for whoever judges all that is kept. */
export type Damage = "refuse" | "show";

/** So many values are read or written at once. */
const AT_ONCE = 16;

/** So long a process knows what it put, and so much of it; milliseconds. Nobody takes that away before much longer. */
const [KNOWN_MS, MOST_KNOWN] = [3_600_000, 1024];

/** Names of what this process put, and when. */
type Known = Map<string, number>;

/**
 * A store some of whose shelves have their values in a depot: in the database stands the name alone, which is the digest of the value.
 *
 * A value is durable in the depot before the commit that names it. What is named no more lingers there, until `sweepDepot`. Works may run again, and fail after they put: then
 * something is left that nobody names, which is swept as well. A value that is missing or was changed is `store-damaged`.
 */
export function withDepot(store: Store, depot: Depot, outside: Outside, damage: Damage = "refuse"): Store {
  // A work that lost its commit to another process runs again, and must not be slow again.
  const known: Known = new Map();
  return {
    read: (work) => store.read((reading) => ended(new Outsider(reading as Writing, depot, outside, damage, known), work)),
    transact: (work) => store.transact((writing) => ended(new Outsider(writing, depot, outside, damage, known), work)),
    close: () => store.close(),
  };
}

/** A store's handle, through which values come from the depot, and go there when the work is done. A reading work does not see the verbs that write. */
class Outsider implements Writing {
  readonly version?: () => string | undefined;
  /** The first error of the depot, which dooms the work as one of the engine does. */
  failure: unknown;
  readonly #rows: Writing;
  readonly #depot: Depot;
  readonly #outside: Outside;
  readonly #damage: Damage;
  readonly #known: Known;
  /** Values that the work put, by name. */
  readonly #put = new Map<string, Uint8Array>();
  /** Names that it took away. */
  readonly #left = new Set<string>();

  constructor(rows: Writing, depot: Depot, outside: Outside, damage: Damage, known: Known) {
    this.#rows = rows;
    this.#depot = depot;
    this.#outside = outside;
    this.#damage = damage;
    this.#known = known;
    if (rows.version !== undefined) this.version = () => rows.version?.();
  }

  async get(shelf: string, key: string): Promise<Uint8Array | undefined> {
    const value = await this.#rows.get(shelf, key);
    return value === undefined || !this.#outside.has(shelf) ? value : this.#value(value);
  }

  async list(shelf: string, prefix: string, options?: ListOptions): Promise<readonly Entry[]> {
    const entries = await this.#rows.list(shelf, prefix, options);
    if (!this.#outside.has(shelf)) return entries;
    return some(entries, async ({ key, value }) => ({ key, value: await this.#value(value) }));
  }

  leaves(from: number, limit?: number): Promise<readonly Uint8Array[]> {
    return this.#rows.leaves(from, limit);
  }

  async put(shelf: string, key: string, value: Uint8Array): Promise<void> {
    if (!this.#outside.has(shelf)) return this.#rows.put(shelf, key, value);
    demandOctets(value);
    const octets = new Uint8Array(value);
    const name = sha512Text(octets);
    await this.#leave(shelf, key);
    await this.#rows.put(shelf, key, Buffer.from(name));
    this.#put.set(name, octets);
  }

  async remove(shelf: string, key: string): Promise<void> {
    if (this.#outside.has(shelf)) await this.#leave(shelf, key);
    await this.#rows.remove(shelf, key);
  }

  append(leaf: Uint8Array): Promise<number> {
    return this.#rows.append(leaf);
  }

  /** What must be so in the depot before the commit. */
  async settle(): Promise<void> {
    await some([...this.#left], (name) => this.#depot.linger(name));
    const now = performance.now();
    const fresh = [...this.#put].filter(([name]) => now - (this.#known.get(name) ?? Number.NEGATIVE_INFINITY) > KNOWN_MS);
    await some(fresh, async ([name, octets]) => {
      await this.#depot.put(name, octets);
      this.#known.set(name, now);
    });
    for (const [oldest] of this.#known) if (this.#known.size > MOST_KNOWN) this.#known.delete(oldest);
  }

  async #leave(shelf: string, key: string): Promise<void> {
    const row = await this.#rows.get(shelf, key);
    const name = row === undefined ? undefined : depotNameIn(row);
    if (name !== undefined) this.#left.add(name);
  }

  async #value(row: Uint8Array): Promise<Uint8Array> {
    try {
      const name = depotNameIn(row);
      const own = name === undefined ? undefined : this.#put.get(name);
      if (own !== undefined) return new Uint8Array(own);
      const octets = name === undefined ? undefined : await this.#depot.get(name);
      if (octets !== undefined && (this.#damage === "show" || sha512Text(octets) === name)) return octets;
      if (this.#damage === "show") return new Uint8Array(0);
      throw new MeshError("store-damaged", octets === undefined ? "A file of the depot is missing." : "A file of the depot was changed.", "Run `mesh portal check`, or bring it back from a copy.");
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  }
}

async function ended<H extends Reading, T>(handle: Outsider, work: (handle: H) => Promise<T>): Promise<T> {
  const value = await work(handle as Reading as H);
  if (handle.failure !== undefined) throw handle.failure;
  await handle.settle();
  return value;
}

async function some<A, B>(all: readonly A[], act: (one: A) => Promise<B>): Promise<readonly B[]> {
  const done: B[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE) done.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(act))));
  return done;
}

/** So many rows are read at once. */
const PAGE = 1024;

/**
 * What a depot keeps that no row of `store`, which has the names, names, and that was put and left more than a day before `now`. What is named after it was looked at is not among
 * it when it is swept: it counts as put then.
 */
export async function looseIn(store: Store, depot: Depot, outside: Iterable<string>, now: number): Promise<ReadonlySet<string>> {
  const loose = new Set<string>();
  for await (const { name, at } of depot.list()) if (at < now - LINGER_MS) loose.add(name);
  if (loose.size === 0) return loose;
  for (const shelf of outside) {
    for (let options: ListOptions | undefined = { limit: PAGE }; options !== undefined; ) {
      const from: ListOptions = options;
      const page = await store.read((r) => r.list(shelf, "", from));
      for (const { value } of page) loose.delete(depotNameIn(value) ?? "");
      const last = page.at(-1);
      options = last === undefined || page.length < PAGE ? undefined : { after: last.key, limit: PAGE };
    }
  }
  return loose;
}

/** Takes out of a depot what `looseIn` finds; returns how much. Any number of processes may do it at once, and be cut off. */
export async function sweepDepot(store: Store, depot: Depot, outside: Iterable<string>, now: number): Promise<number> {
  let gone = 0;
  for (const name of await looseIn(store, depot, outside, now)) if (await depot.remove(name, now - LINGER_MS)) gone += 1;
  return gone;
}
