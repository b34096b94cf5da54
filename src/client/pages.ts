import type { RowsReading, RowsWriting } from "./rows.ts";

/** About so many characters of values go on a page before there is one page more: an edit writes one page, whatever else there is. */
const PAGE_CHARACTERS = 48 * 1024;

/** How many pages a map has, and how many characters its values take together. */
type Extent = { readonly pages: number; readonly characters: number };

/** How the values of a page are written, and about how many characters one of them takes. */
export type Writing<V> = {
  readonly pack: (values: ReadonlyMap<string, V>) => object;
  readonly unpack: (page: object) => Map<string, V>;
  /** One value of a page: whoever wants no other need not unpack them. */
  readonly find: (page: object, key: string) => V | undefined;
  readonly size: (key: string, value: V) => number;
};

/** What was made of the values of a page, for as long as its row has the same mark. */
export type Made<T> = { readonly mark: string; readonly values: readonly T[] };

type Open<V> = { readonly values: Map<string, V>; changed: boolean };

/**
 * A map of a home that is kept in sealed pages: one value is read or written at the cost of its page, all of them at
 * little more than their size.
 *
 * A key's hash says which page it is on; pages are added one by one as the values grow, each taking half of another
 * (linear hashing). Made for one transaction; what was changed is written by `flush`.
 */
export class Pages<V extends object> {
  readonly #rows: RowsReading;
  readonly #shelf: string;
  readonly #group: string;
  readonly #open = new Map<number, Open<V>>();
  /** Pages as they are written, of those that were read and not opened; undefined for one that is not there. */
  readonly #read = new Map<number, object | undefined>();
  readonly #writing: Writing<V>;
  #extent: Extent | undefined;

  constructor(rows: RowsReading, shelf: string, group: string, writing: Writing<V>) {
    this.#writing = writing;
    this.#rows = rows;
    this.#shelf = shelf;
    this.#group = group;
  }

  async get(key: string): Promise<V | undefined> {
    const number = pageFor(key, (await this.#extentNow()).pages);
    const open = this.#open.get(number);
    if (open !== undefined) return open.values.get(key);
    const kept = await this.#row(number);
    return kept === undefined ? undefined : this.#writing.find(kept, key);
  }

  /** All values, in no order. */
  async all(): Promise<readonly V[]> {
    const { pages } = await this.#extentNow();
    const values: V[] = [];
    for (let page = 0; page < pages; page++) for (const value of (await this.#page(page)).values.values()) values.push(value);
    return values;
  }

  /** What `make` makes of each value that is in the home, page by page; a page of which `known` has what its row holds is not opened. */
  async made<T>(known: ReadonlyMap<number, Made<T>>, make: (value: V) => T | undefined): Promise<ReadonlyMap<number, Made<T>>> {
    const { pages } = await this.#extentNow();
    const made = new Map<number, Made<T>>();
    for (let page = 0; page < pages; page++) {
      const row = await this.#rows.peek<object>(this.#shelf, this.#group, page);
      if (row === undefined) continue;
      const before = known.get(page);
      made.set(page, before?.mark === row.mark ? before : { mark: row.mark, values: [...this.#writing.unpack(row.open()).values()].flatMap((value) => make(value) ?? []) });
    }
    return made;
  }

  async put(key: string, value: V): Promise<void> {
    await this.#set(key, value);
  }

  async remove(key: string): Promise<void> {
    await this.#set(key, undefined);
  }

  /** Writes the pages that were changed; nothing of them is in the home before. */
  async flush(rows: RowsWriting): Promise<void> {
    const changed = [...this.#open].filter(([, page]) => page.changed);
    if (changed.length === 0) return;
    await this.#grow();
    for (const [number, page] of this.#open) {
      if (!page.changed) continue;
      page.changed = false;
      await rows.put(this.#shelf, this.#group, number, this.#writing.pack(page.values));
    }
    await rows.put(`${this.#shelf}-extent`, this.#group, "", await this.#extentNow());
  }

  /** Takes all pages away. */
  async clear(rows: RowsWriting): Promise<void> {
    const { pages } = await this.#extentNow();
    for (let page = 0; page < pages; page++) await rows.remove(this.#shelf, this.#group, page);
    await rows.remove(`${this.#shelf}-extent`, this.#group, "");
    this.#open.clear();
    this.#read.clear();
    this.#extent = undefined;
  }

  async #set(key: string, value: V | undefined): Promise<void> {
    const page = await this.#pageOf(key);
    const before = page.values.get(key);
    if (before === undefined && value === undefined) return;
    const extent = await this.#extentNow();
    this.#extent = { ...extent, characters: extent.characters + this.#sizeOf(key, value) - this.#sizeOf(key, before) };
    if (value === undefined) page.values.delete(key);
    else page.values.set(key, value);
    page.changed = true;
  }

  async #grow(): Promise<void> {
    const { characters, pages } = await this.#extentNow();
    const wanted = Math.ceil(characters / PAGE_CHARACTERS);
    // One by one is for edits; what comes by the thousand is dealt out anew at once.
    if (wanted > pages * 2) await this.#dealOut(wanted);
    else for (let count = pages; count < wanted; count++) await this.#addPage(count);
  }

  async #addPage(count: number): Promise<void> {
    const split = await this.#page(count - 2 ** Math.floor(Math.log2(count)));
    const fresh: Open<V> = { changed: true, values: new Map() };
    for (const [key, value] of split.values) {
      if (pageFor(key, count + 1) !== count) continue;
      fresh.values.set(key, value);
      split.values.delete(key);
    }
    split.changed = true;
    this.#open.set(count, fresh);
    this.#extent = { ...(await this.#extentNow()), pages: count + 1 };
  }

  async #dealOut(count: number): Promise<void> {
    const { pages } = await this.#extentNow();
    const all: [string, V][] = [];
    for (let page = 0; page < pages; page++) all.push(...(await this.#page(page)).values);
    for (let page = 0; page < count; page++) this.#open.set(page, { changed: true, values: new Map() });
    for (const [key, value] of all) this.#open.get(pageFor(key, count))?.values.set(key, value);
    this.#extent = { ...(await this.#extentNow()), pages: count };
  }

  async #pageOf(key: string): Promise<Open<V>> {
    return this.#page(pageFor(key, (await this.#extentNow()).pages));
  }

  async #page(number: number): Promise<Open<V>> {
    const open = this.#open.get(number);
    if (open !== undefined) return open;
    const kept = await this.#row(number);
    this.#read.delete(number);
    const page: Open<V> = { changed: false, values: kept === undefined ? new Map() : this.#writing.unpack(kept) };
    this.#open.set(number, page);
    return page;
  }

  async #row(number: number): Promise<object | undefined> {
    if (!this.#read.has(number)) this.#read.set(number, await this.#rows.get<object>(this.#shelf, this.#group, number));
    return this.#read.get(number);
  }

  #sizeOf(key: string, value: V | undefined): number {
    return value === undefined ? 0 : this.#writing.size(key, value);
  }

  async #extentNow(): Promise<Extent> {
    this.#extent ??= (await this.#rows.get<Extent>(`${this.#shelf}-extent`, this.#group)) ?? { characters: 0, pages: 1 };
    return this.#extent;
  }
}

/** The page that a key is on among so many: as many low bits of its hash as there are pages for, one fewer where that page is not there yet. */
function pageFor(key: string, pages: number): number {
  const number = hashOf(key);
  const level = 2 ** Math.floor(Math.log2(pages));
  const wide = number % (level * 2);
  return wide < pages ? wide : number % level;
}

/** FNV-1a over UTF-16 units, its halves mixed: quick, and nothing depends on it but how evenly pages fill. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
