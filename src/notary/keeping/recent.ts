import { toBase64url } from "../../bytes/base64url.ts";
import type { Reading, Writing } from "../../store/store.ts";
import { type MapLeaf, writeMapValue } from "../map.ts";
import { type BucketReader, bucketName, type PrefixMap } from "../prefix-map.ts";
import { damagedLog, leafIn, logShelf, putRow, rowIn } from "./rows.ts";

/** How many leaves are held back before their rows are written. */
const MOST = 20_000;

/** How much of a log the rows of the map tell of. */
type WrittenRow = { readonly size: number };

/**
 * The leaves of the map that changed since its rows were written: derived, since the entries are kept.
 *
 * A row that changes costs a page of the database, written twice; of twenty thousand at once several share a page, and whoever changes often is
 * written once.
 */
export class RecentLeaves {
  #buckets = new Map<string, Map<string, MapLeaf>>();
  #count = 0;

  /** Takes leaves in, in the order of their entries. */
  add(leaves: Iterable<MapLeaf>): void {
    for (const leaf of leaves) {
      const name = bucketName(leaf.key);
      const bucket = this.#buckets.get(name) ?? new Map<string, MapLeaf>();
      this.#buckets.set(name, bucket);
      const key = toBase64url(leaf.key);
      if (!bucket.has(key)) this.#count++;
      bucket.set(key, leaf);
    }
  }

  /** All of them. */
  all(): readonly MapLeaf[] {
    return [...this.#buckets.values()].flatMap((bucket) => [...bucket.values()]);
  }

  /** The names of the buckets that have any. */
  names(): Iterable<string> {
    return this.#buckets.keys();
  }

  /** The buckets of the map: rows, and over them what is recent. */
  bucketsIn(reading: Reading): BucketReader {
    return async (name) => {
      const leaves = new Map((await reading.list(logShelf.map, name)).map(({ key, value }) => [key, leafIn(key, value)]));
      for (const [key, leaf] of this.#buckets.get(name) ?? []) leaves.set(key, leaf);
      return [...leaves.values()];
    };
  }

  /** The same, and over it what is about to be; `store-damaged` if what was there before is not what the map was hashed of. */
  changedBucketsIn(reading: Reading, coming: RecentLeaves, map: PrefixMap): BucketReader {
    const before = this.bucketsIn(reading);
    return async (name) => {
      const leaves = await before(name);
      if (!map.knows(name, leaves)) throw damagedLog();
      const changed = coming.#buckets.get(name) ?? new Map<string, MapLeaf>();
      return [...leaves.filter(({ key }) => !changed.has(toBase64url(key))), ...changed.values()];
    };
  }

  /** Whether the rows should be written once these are taken in, too. */
  isFullWith(coming: RecentLeaves): boolean {
    return this.#count + coming.#count >= MOST;
  }

  /** Writes the rows of all of these and of what is about to be, and up to which size of the log they now tell. */
  async write(writing: Writing, coming: RecentLeaves, size: number): Promise<void> {
    const rows = new Map([...this.all(), ...coming.all()].map(({ key, value }) => [toBase64url(key), value]));
    // In the order of the shelf, so that neighbours are on one page.
    for (const key of [...rows.keys()].sort()) await writing.put(logShelf.map, key, writeMapValue(rows.get(key) as MapLeaf["value"]));
    await putRow(writing, logShelf.log, "written", { size } satisfies WrittenRow);
  }

  /** Forgets what the rows have. */
  dropBelow(size: number): void {
    const left = this.all().filter(({ value }) => value.index >= size);
    this.#buckets = new Map();
    this.#count = 0;
    this.add(left);
  }
}

/** Up to which size of the log the rows of the map tell. */
export async function writtenSize(reading: Reading): Promise<number> {
  return (await rowIn<WrittenRow>(reading, logShelf.log, "written"))?.size ?? 0;
}
