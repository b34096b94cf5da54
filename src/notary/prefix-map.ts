import { toBase64url } from "../bytes/base64url.ts";
import { equalBytes } from "../bytes/equal.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { type Hash, HASH_OCTETS } from "./merkle.ts";
import { EMPTY, holdsAbove, INNER, innerHashInto, LEAF, type MapLeaf, type MapNode, nodeOver } from "./map.ts";
import { type MapProof, proveBelow } from "./map-proof.ts";

/**
 * Where the leaves of a map are kept: those whose keys begin with the same 18 bits are a bucket, whose name is the first three characters of
 * their keys in base64url. Order does not matter.
 */
export type BucketReader = (name: string) => Promise<readonly MapLeaf[]>;

/** How many levels stand in memory: with a million leaves a bucket has four, and the nodes take 16 MiB, untouched ones nothing. */
const TOP = 18;
const BUCKETS = 2 ** TOP;
const NAME_LENGTH = TOP / 6;
/** Octets of the buckets' nodes that it is worth making the levels of again: those of some 24,000. */
const MOST_FOLDED = 1 << 20;

/** The bucket of a key. */
export function bucketName(key: Uint8Array): string {
  return toBase64url(key.subarray(0, 3)).slice(0, NAME_LENGTH);
}

/** Takes a change of a map back, if what it went with was not committed; only the last change that still stands can be. */
export type Undo = () => void;

/**
 * The map's upper levels, flat and in place; the leaves stay where they are kept.
 *
 * Node 1 is the root, the children of node i are 2i and 2i + 1, and bucket b is node 2^18 + b.
 */
export class PrefixMap {
  #hashes = new Uint8Array(2 * BUCKETS * HASH_OCTETS);
  #holds = new Uint8Array(2 * BUCKETS);
  /** The buckets' nodes, while it is folded. */
  #folded: Uint8Array | undefined;

  /**
   * Reads back what {@link save} wrote; `store-damaged` if it is something else. Whether it is the right map its root says: an epoch leaf names it.
   *
   * It is derived, so that whoever has none, or a damaged one, builds the map anew from the leaves (some five seconds for a million).
   */
  static load(octets: Uint8Array): PrefixMap {
    const map = new PrefixMap();
    map.#fill(octets);
    return map;
  }

  #fill(octets: Uint8Array): void {
    const changed: (readonly [number, MapNode])[] = [];
    let at = BUCKETS;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const holds = octets[bucket];
      if (holds === EMPTY) continue;
      const hash = octets.slice(at, at + HASH_OCTETS);
      at += HASH_OCTETS;
      if ((holds !== LEAF && holds !== INNER) || hash.length !== HASH_OCTETS) throw damaged();
      changed.push([BUCKETS + bucket, { hash, holds }]);
    }
    if (at !== octets.length) throw damaged();
    this.#set(changed);
  }

  /**
   * Lets go of the levels, if what is left to make them of again is small: a few thousand identifiers touch all 16 MiB of them.
   *
   * Whatever is asked of the map next makes them again, which takes some 50 ms at most.
   */
  fold(): void {
    if (this.#folded !== undefined) return;
    const octets = this.save();
    if (octets.length > MOST_FOLDED) return;
    [this.#folded, this.#hashes, this.#holds] = [octets, new Uint8Array(0), new Uint8Array(0)];
  }

  #unfold(): void {
    const octets = this.#folded;
    if (octets === undefined) return;
    [this.#folded, this.#hashes, this.#holds] = [undefined, new Uint8Array(2 * BUCKETS * HASH_OCTETS), new Uint8Array(2 * BUCKETS)];
    this.#fill(octets);
  }

  /** The buckets' nodes: what each holds, one octet each, and then the hashes of those that hold something. */
  save(): Uint8Array {
    if (this.#folded !== undefined) return this.#folded.slice();
    const holds = this.#holds.subarray(BUCKETS);
    const octets = new Uint8Array(BUCKETS + HASH_OCTETS * holds.reduce((sum, one) => sum + (one === EMPTY ? 0 : 1), 0));
    octets.set(holds);
    let at = BUCKETS;
    for (const [bucket, one] of holds.entries()) {
      if (one === EMPTY) continue;
      octets.set(this.#hash(BUCKETS + bucket), at);
      at += HASH_OCTETS;
    }
    return octets;
  }

  /** The root, which an epoch leaf commits to; 32 zeros while the map is empty. */
  get root(): Hash {
    this.#unfold();
    return this.#hash(1).slice();
  }

  /**
   * Reads changed buckets anew and hashes upwards, each node once however many changes are below it.
   *
   * The reader shows the leaves as they are after the change: within the transaction that makes it.
   */
  async refresh(names: Iterable<string>, read: BucketReader): Promise<Undo> {
    const changed = [...new Set(names)];
    const nodes = await Promise.all(changed.map(async (name) => [BUCKETS + numberOf(name), nodeOver(await read(name), TOP)] as const));
    return this.#set(nodes.sort(([a], [b]) => a - b));
  }

  /** Whether these are the leaves that a bucket had when it was hashed last: what was read back is what was written. */
  knows(name: string, leaves: readonly MapLeaf[]): boolean {
    this.#unfold();
    const [at, node] = [BUCKETS + numberOf(name), nodeOver(leaves, TOP)];
    return this.#holds[at] === node.holds && equalBytes(this.#hash(at), node.hash);
  }

  /** The proof of a key under the present root. */
  async prove(key: Uint8Array, read: BucketReader): Promise<MapProof> {
    this.#unfold();
    const name = bucketName(key);
    const beside: Hash[] = [];
    let node = 1;
    for (let depth = TOP - 1; depth >= 0 && this.#holds[node] === INNER; depth--) {
      const below = 2 * node + ((numberOf(name) >> depth) & 1);
      beside.push(this.#hashes.slice((below ^ 1) * HASH_OCTETS, ((below ^ 1) + 1) * HASH_OCTETS));
      node = below;
    }
    if (this.#holds[node] === INNER) return proveBelow(await read(name), TOP, key, beside);
    // One leaf alone has risen to here, out of whichever bucket: go down to it.
    return { end: this.#holds[node] === EMPTY ? undefined : (await read(this.#bucketBelow(node)))[0], beside };
  }

  #bucketBelow(from: number): string {
    let node = from;
    while (node < BUCKETS) node = this.#holds[2 * node] === EMPTY ? 2 * node + 1 : 2 * node;
    return nameOf(node - BUCKETS);
  }

  #set(buckets: readonly (readonly [at: number, node: MapNode])[]): Undo {
    this.#unfold();
    const before = new Kept(this.#hashes, this.#holds);
    let level: number[] = [];
    for (const [at, node] of buckets) {
      before.keep(at);
      this.#hashes.set(node.hash, at * HASH_OCTETS);
      this.#holds[at] = node.holds;
      level.push(at);
    }
    while ((level[0] ?? 1) > 1) {
      // In rising order, so that the parents of neighbours are neighbours.
      const above: number[] = [];
      for (const at of level) if (above.at(-1) !== at >> 1) above.push(at >> 1);
      for (const at of above) {
        before.keep(at);
        this.#join(at);
      }
      level = above;
    }
    return () => {
      this.#unfold();
      before.putBack(this.#hashes, this.#holds);
    };
  }

  #join(at: number): void {
    const left = this.#holds[2 * at] as MapNode["holds"];
    const holds = holdsAbove(left, this.#holds[2 * at + 1] as MapNode["holds"]);
    this.#holds[at] = holds;
    if (holds === INNER) innerHashInto(this.#hashes, at * HASH_OCTETS, this.#hashes, 2 * at * HASH_OCTETS);
    else this.#hashes.set(this.#hash(left === LEAF ? 2 * at : 2 * at + 1), at * HASH_OCTETS);
  }

  #hash(at: number): Uint8Array {
    return this.#hashes.subarray(at * HASH_OCTETS, (at + 1) * HASH_OCTETS);
  }
}

/** Nodes as they were before a change, each once, one after another in as little room as they take. */
class Kept {
  readonly #hashes: Uint8Array;
  readonly #holds: Uint8Array;
  readonly #nodes: number[] = [];
  #octets = new Uint8Array(64 * (HASH_OCTETS + 1));

  constructor(hashes: Uint8Array, holds: Uint8Array) {
    this.#hashes = hashes;
    this.#holds = holds;
  }

  keep(node: number): void {
    const to = this.#nodes.length * (HASH_OCTETS + 1);
    if (to === this.#octets.length) {
      const larger = new Uint8Array(2 * to);
      larger.set(this.#octets);
      this.#octets = larger;
    }
    for (let octet = 0; octet < HASH_OCTETS; octet++) this.#octets[to + octet] = this.#hashes[node * HASH_OCTETS + octet] as number;
    this.#octets[to + HASH_OCTETS] = this.#holds[node] as number;
    this.#nodes.push(node);
  }

  putBack(hashes: Uint8Array, holds: Uint8Array): void {
    for (const [at, node] of this.#nodes.entries()) {
      const from = at * (HASH_OCTETS + 1);
      hashes.set(this.#octets.subarray(from, from + HASH_OCTETS), node * HASH_OCTETS);
      holds[node] = this.#octets[from + HASH_OCTETS] as number;
    }
  }
}

function damaged(): MeshError {
  return new MeshError("store-damaged", "What was kept of the map's upper levels does not read.", "It is derived: take it away, and it is built anew.");
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function numberOf(name: string): number {
  let number = 0;
  for (const letter of name) number = number * 64 + LETTERS.indexOf(letter);
  return number;
}

function nameOf(bucket: number): string {
  return [12, 6, 0].map((shift) => LETTERS[(bucket >> shift) & 63]).join("");
}
