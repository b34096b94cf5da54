import type { Connection } from "./connection.ts";
import { groupedStore, usualGrouping } from "./grouped.ts";
import { compareKeys, type Range } from "./range.ts";
import type { Entry, Store } from "./store.ts";

/** Opens an empty store that lives as long as the process. */
export function openMemoryStore(): Store {
  const connection = new MemoryConnection();
  return groupedStore(connection, { ...usualGrouping, linger: 0 }); // Commits cost nothing here, so none is shared.
}

type Shelf = { readonly keys: string[]; readonly values: Map<string, Uint8Array> };

/** The engine in memory: changes are made in place, and a list of undoings leads back. */
export class MemoryConnection implements Connection {
  readonly #shelves = new Map<string, Shelf>();
  readonly #log: Uint8Array[] = [];
  readonly #undoings: (() => void)[] = [];
  #marked = 0;
  #active = false;
  #commits = 0;

  begin(): void {
    this.#active = true;
  }

  commit(): void {
    if (this.#undoings.length > 0) this.#commits++;
    this.#undoings.length = 0;
    this.#active = false;
  }

  flushed(): undefined {
    return undefined;
  }

  rollback(): void {
    this.#undoTo(0);
    this.#active = false;
  }

  mark(): void {
    this.#marked = this.#undoings.length;
  }

  keep(): void {}

  undo(): void {
    this.#undoTo(this.#marked);
  }

  active(): boolean {
    return this.#active;
  }

  get(shelf: string, key: string): Uint8Array | undefined {
    const value = this.#shelves.get(shelf)?.values.get(key);
    return value && new Uint8Array(value);
  }

  list(shelf: string, range: Range, limit = Number.POSITIVE_INFINITY, reverse = false): readonly Entry[] {
    const held = this.#shelves.get(shelf);
    if (held === undefined) return [];
    const low = place(held.keys, range.low);
    const high = range.high === undefined ? held.keys.length : place(held.keys, range.high);
    const keys = reverse ? held.keys.slice(Math.max(low, high - limit), Math.max(low, high)).reverse() : held.keys.slice(low, Math.min(high, low + limit));
    return keys.map((key) => ({ key, value: new Uint8Array(held.values.get(key) ?? []) }));
  }

  leaves(from: number, limit = Number.POSITIVE_INFINITY): readonly Uint8Array[] {
    return this.#log.slice(from, from + limit).map((leaf) => new Uint8Array(leaf));
  }

  put(shelf: string, key: string, value: Uint8Array): void {
    const before = this.#set(shelf, key, new Uint8Array(value));
    this.#undoings.push(() => this.#set(shelf, key, before));
  }

  remove(shelf: string, key: string): void {
    const before = this.#set(shelf, key, undefined);
    this.#undoings.push(() => this.#set(shelf, key, before));
  }

  append(leaf: Uint8Array): number {
    this.#undoings.push(() => this.#log.pop());
    return this.#log.push(new Uint8Array(leaf)) - 1;
  }

  version(): string {
    return String(this.#commits);
  }

  async close(): Promise<void> {
    this.#shelves.clear();
    this.#log.length = 0;
  }

  #set(name: string, key: string, value: Uint8Array | undefined): Uint8Array | undefined {
    let shelf = this.#shelves.get(name);
    if (shelf === undefined) this.#shelves.set(name, (shelf = { keys: [], values: new Map() }));
    const before = shelf.values.get(key);
    if (value === undefined) {
      if (before !== undefined) shelf.keys.splice(place(shelf.keys, key), 1);
      shelf.values.delete(key);
    } else {
      if (before === undefined) shelf.keys.splice(place(shelf.keys, key), 0, key);
      shelf.values.set(key, value);
    }
    return before;
  }

  #undoTo(length: number): void {
    while (this.#undoings.length > length) this.#undoings.pop()?.();
  }
}

/** Where `key` stands or would stand in sorted keys. */
function place(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(keys[middle] ?? "", key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
