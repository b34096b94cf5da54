import { toBase64url } from "../bytes/base64url.ts";
import type { MapLeaf, MapValue } from "./map.ts";
import { type BucketReader, bucketName } from "./prefix-map.ts";

/** Leaves of a map in memory, by bucket; of one that is taken in twice, the last. */
export class MapLeaves {
  readonly #buckets = new Map<string, Map<string, MapLeaf>>();
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

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

  /** The value of a key, if it is here. */
  get(key: Uint8Array): MapValue | undefined {
    return this.#buckets.get(bucketName(key))?.get(toBase64url(key))?.value;
  }

  /** What another reader has, and over it what is here. */
  over(below: BucketReader): BucketReader {
    return async (name) => {
      const mine = this.#buckets.get(name);
      const theirs = await below(name);
      return mine === undefined ? theirs : [...theirs.filter(({ key }) => !mine.has(toBase64url(key))), ...mine.values()];
    };
  }

  /** What is here, and nothing else. */
  readonly bucket: BucketReader = this.over(async () => []);
}
