import { toBase64url } from "../../bytes/base64url.ts";
import type { Reading, Writing } from "../../store/store.ts";
import { type MapLeaf, writeMapValue } from "../map.ts";
import { MapLeaves } from "../map-leaves.ts";
import type { BucketReader, PrefixMap } from "../prefix-map.ts";
import { damagedLog, logShelf, putRow, rowIn, writtenBuckets } from "./rows.ts";

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
  #leaves = new MapLeaves();

  /** Takes leaves in, in the order of their entries. */
  add(leaves: Iterable<MapLeaf>): void {
    this.#leaves.add(leaves);
  }

  /** All of them. */
  all(): readonly MapLeaf[] {
    return this.#leaves.all();
  }

  /** The names of the buckets that have any. */
  names(): Iterable<string> {
    return this.#leaves.names();
  }

  /** The buckets of the map: rows, and over them what is recent. */
  bucketsIn(reading: Reading): BucketReader {
    return this.#leaves.over(writtenBuckets(reading));
  }

  /** The same, and over it what is about to be; `store-damaged` if what was there before is not what the map was hashed of. */
  changedBucketsIn(reading: Reading, coming: RecentLeaves, map: PrefixMap): BucketReader {
    const before = this.bucketsIn(reading);
    return coming.#leaves.over(async (name) => {
      const leaves = await before(name);
      if (!map.knows(name, leaves)) throw damagedLog();
      return leaves;
    });
  }

  /** Whether the rows should be written once these are taken in, too. */
  isFullWith(coming: RecentLeaves): boolean {
    return this.#leaves.count + coming.#leaves.count >= MOST;
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
    this.#leaves = new MapLeaves();
    this.add(left);
  }
}

/** Up to which size of the log the rows of the map tell. */
export async function writtenSize(reading: Reading): Promise<number> {
  return (await rowIn<WrittenRow>(reading, logShelf.log, "written"))?.size ?? 0;
}
