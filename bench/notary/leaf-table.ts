import type { MapLeaf } from "../../src/notary/map.ts";
import { bucketName } from "../../src/notary/prefix-map.ts";

const [KEY, DIGEST] = [32, 64];

/** A million leaves of a map in flat arrays: what a portal's database would give, without the database. */
export class LeafTable {
  readonly #keys: Uint8Array;
  readonly #digests: Uint8Array;
  readonly #versions: Uint32Array;
  readonly #next: Int32Array;
  readonly #first = new Int32Array(2 ** 18).fill(-1);

  constructor(most: number) {
    this.#keys = new Uint8Array(most * KEY);
    this.#digests = new Uint8Array(most * DIGEST);
    this.#versions = new Uint32Array(most);
    this.#next = new Int32Array(most);
  }

  get octets(): number {
    return this.#keys.length + this.#digests.length + this.#versions.byteLength + this.#next.byteLength;
  }

  put(key: Uint8Array, at: number): void {
    const bucket = numberOf(bucketName(key));
    this.#keys.set(key, at * KEY);
    this.#digests.fill(at & 0xff, at * DIGEST, (at + 1) * DIGEST);
    this.#next[at] = this.#first[bucket] as number;
    this.#first[bucket] = at;
  }

  /** Gives a leaf its next version; says which bucket it is in. */
  touch(at: number): string {
    this.#versions[at] = (this.#versions[at] as number) + 1;
    return bucketName(this.#key(at));
  }

  /** The names of all buckets, so many at a time. */
  *bucketNames(most: number): Iterable<readonly string[]> {
    for (let from = 0; from < this.#first.length; from += most) yield Array.from({ length: most }, (_, at) => nameOf(from + at));
  }

  readonly read = async (name: string): Promise<readonly MapLeaf[]> => {
    const leaves: MapLeaf[] = [];
    for (let at = this.#first[numberOf(name)] as number; at >= 0; at = this.#next[at] as number) {
      leaves.push({ key: this.#key(at), value: { g: 1, n: this.#versions[at] as number, index: at, digest: this.#digests.subarray(at * DIGEST, (at + 1) * DIGEST) } });
    }
    return leaves;
  };

  #key(at: number): Uint8Array {
    return this.#keys.subarray(at * KEY, (at + 1) * KEY);
  }
}

/** Three characters of base64url are the first 18 of 24 bits. */
function numberOf(name: string): number {
  return Buffer.from(`${name}A`, "base64url").readUIntBE(0, 3) >> 6;
}

function nameOf(bucket: number): string {
  const octets = Buffer.alloc(3);
  octets.writeUIntBE(bucket << 6, 0, 3);
  return octets.toString("base64url").slice(0, 3);
}
