import { foldCase } from "../bytes/text.ts";
import { current, type Entry } from "../catalogs/merge.ts";
import { type Packed, packEntries, unpackEntries } from "../catalogs/packing.ts";
import { Pages, type Writing } from "./pages.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";

const packed: Writing<Entry> = { pack: (entries) => packEntries(entries.values()), unpack: (page) => new Map(unpackEntries(page as Packed).map((entry) => [entry.id, entry])) };

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
    this.#named = new Pages(rows, `${shelf}-named`, catalog);
  }

  get(id: string): Promise<Entry | undefined> {
    return this.#entries.get(id);
  }

  all(): Promise<readonly Entry[]> {
    return this.#entries.all();
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
