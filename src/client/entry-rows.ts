import { foldCase } from "../bytes/text.ts";
import { current, type Entry } from "../catalogs/merge.ts";
import { type Packed, packEntries, unpackEntries } from "../catalogs/packing.ts";
import { type Made, Pages, type Writing } from "./pages.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";

const packed: Writing<Entry> = {
  pack: (entries) => packEntries(entries.values()),
  unpack: (page) => new Map(unpackEntries(page as Packed).map((entry) => [entry.id, entry])),
  find: (page, id) => {
    const { authors, entries } = page as Packed;
    const [entry] = unpackEntries({ authors, entries: entries.filter((one) => one.id === id) });
    return entry;
  },
  size: (_, { fields }) => Object.entries(fields).reduce((sum, [name, writes]) => sum + name.length + writes.reduce((of, { value }) => of + 16 + (typeof value === "string" ? value.length : JSON.stringify(value).length), 8), 40),
};

/** Lists of identifiers by name. */
const byName: Writing<readonly string[]> = {
  pack: Object.fromEntries,
  unpack: (page) => new Map(Object.entries(page)),
  find: (page, name) => (Object.hasOwn(page, name) ? (page as Readonly<Record<string, readonly string[]>>)[name] : undefined),
  size: (name, ids) => name.length + 8 + ids.length * 25,
};

/**
 * The entries of a catalog as its chain has them, at home: found by identifier or by name without a look at the others.
 *
 * Made for one transaction; what was changed is written by `flush`.
 */
export class EntryRows {
  readonly #entries: Pages<Entry>;
  /** By name, whatever its case, the entries that have it or had it lately: a hint, which whoever asks checks. */
  readonly #named: Pages<readonly string[]>;

  constructor(rows: RowsReading, catalog: string, shelf = "entries") {
    this.#entries = new Pages(rows, shelf, catalog, packed);
    this.#named = new Pages(rows, `${shelf}-named`, catalog, byName);
  }

  get(id: string): Promise<Entry | undefined> {
    return this.#entries.get(id);
  }

  all(): Promise<readonly Entry[]> {
    return this.#entries.all();
  }

  /** What is made of each entry, as `Pages.made`. */
  made<T>(known: ReadonlyMap<number, Made<T>>, make: (entry: Entry) => T | undefined): Promise<ReadonlyMap<number, Made<T>>> {
    return this.#entries.made(known, make);
  }

  /** The identifiers of all entries that may have a name, whatever its case. */
  async named(name: string): Promise<readonly string[]> {
    return (await this.#named.get(foldCase(name))) ?? [];
  }

  async put(entry: Entry): Promise<void> {
    const before = await this.#entries.get(entry.id);
    await this.#entries.put(entry.id, entry);
    const [was, is] = [nameOf(before), nameOf(entry)];
    if (was !== undefined && was !== is) await this.#forget(was, entry.id);
    if (is !== undefined) await this.remember(is, entry.id);
  }

  /** As `put` for each, where nothing was before. */
  async fill(entries: Iterable<Entry>): Promise<void> {
    const named = new Map<string, string[]>();
    for (const entry of entries) {
      await this.#entries.put(entry.id, entry);
      const name = nameOf(entry);
      if (name === undefined) continue;
      const key = foldCase(name);
      const ids = named.get(key);
      if (ids === undefined) named.set(key, [entry.id]);
      else ids.push(entry.id);
    }
    for (const [name, ids] of named) await this.#named.put(name, ids);
  }

  async remove(id: string): Promise<void> {
    const name = nameOf(await this.#entries.get(id));
    await this.#entries.remove(id);
    if (name !== undefined) await this.#forget(name, id);
  }

  /** Notes a name that an entry is about to get: an edit that no commit holds yet is found by it too. */
  async remember(name: string, id: string): Promise<void> {
    const ids = await this.named(name);
    if (!ids.includes(id)) await this.#named.put(foldCase(name), [...ids, id]);
  }

  async flush(rows: RowsWriting): Promise<void> {
    await this.#entries.flush(rows);
    await this.#named.flush(rows);
  }

  async clear(rows: RowsWriting): Promise<void> {
    await this.#entries.clear(rows);
    await this.#named.clear(rows);
  }

  async #forget(name: string, id: string): Promise<void> {
    const ids = (await this.named(name)).filter((one) => one !== id);
    if (ids.length === 0) await this.#named.remove(foldCase(name));
    else await this.#named.put(foldCase(name), ids);
  }
}

function nameOf(entry: Entry | undefined): string | undefined {
  const name = entry === undefined ? undefined : current(entry, "name");
  return typeof name === "string" ? name : undefined;
}
