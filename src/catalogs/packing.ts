import type { Json } from "../bytes/canonical-json.ts";
import type { EntryId } from "./entry-id.ts";
import type { Entry, Write } from "./merge.ts";

/**
 * Entries as they are kept and sent in bulk: each author is named once, each write is [counter, author's place, commit or
 * 0, value]. It holds all that the entries hold, and nothing of the order in which they were merged.
 */
export type Packed = { readonly authors: readonly string[]; readonly entries: readonly PackedEntry[] };
type PackedWrite = readonly [number, number, number, Json];
type PackedEntry = Omit<Entry, "fields"> & { readonly fields: Readonly<Record<string, readonly PackedWrite[]>> };

/** Packs entries. */
export function packEntries(entries: Iterable<Entry>): Packed {
  const places = new Map<string, number>();
  const place = (author: string): number => {
    const known = places.get(author) ?? places.size;
    places.set(author, known);
    return known;
  };
  const packed: PackedEntry[] = [];
  for (const entry of entries) {
    const fields = Object.entries(entry.fields).map(([name, writes]): [string, PackedWrite[]] => [name, writes.map((write) => [write.counter, place(write.author), write.commit ?? 0, write.value])]);
    packed.push({ ...entry, fields: Object.fromEntries(fields) });
  }
  return { authors: [...places.keys()], entries: packed };
}

/** Unpacks entries; what has not the shape is refused with a `RangeError`, which whoever reads from afar turns into a refusal. */
export function unpackEntries({ authors, entries }: Packed): readonly Entry[] {
  const write = ([counter, place, commit, value]: PackedWrite): Write => {
    const author = authors[place];
    if (author === undefined || !Number.isSafeInteger(counter) || !Number.isSafeInteger(commit) || value === undefined) throw new RangeError("a packed write has a counter, an author, a commit and a value");
    return commit === 0 ? { author, counter, value } : { author, commit, counter, value };
  };
  return entries.map((entry) => ({ ...entry, id: entry.id as EntryId, fields: Object.fromEntries(Object.entries(entry.fields).map(([name, writes]) => [name, writes.map(write)])) }));
}
