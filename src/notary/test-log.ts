import { EMPTY_ROOT, type Hash, HASH_OCTETS, leafHash, nodeHash } from "./merkle.ts";
import { TILE_WIDTH, type TileReader } from "./tiles.ts";
import { EMPTY_TREE, integrate, type Tree } from "./tree.ts";

/** RFC 6962 §2.1 word for word: the hash of a list of entries. For tests: what everything quicker is held against. */
export function naiveRoot(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leaves[0] as Hash;
  const split = splitOf(leaves.length);
  return nodeHash(naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)));
}

/** RFC 6962 §2.1.1 word for word: PATH(m, D). */
export function naivePath(m: number, leaves: readonly Hash[]): readonly Hash[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return m < split ? [...naivePath(m, left), naiveRoot(right)] : [...naivePath(m - split, right), naiveRoot(left)];
}

/** RFC 6962 §2.1.2 word for word: SUBPROOF(m, D, b). */
export function naiveSubproof(m: number, leaves: readonly Hash[], b: boolean): readonly Hash[] {
  if (m === leaves.length) return b ? [] : [naiveRoot(leaves)];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return m <= split ? [...naiveSubproof(m, left, b), naiveRoot(right)] : [...naiveSubproof(m - split, right, false), naiveRoot(left)];
}

function splitOf(leaves: number): number {
  let split = 1;
  while (2 * split < leaves) split *= 2;
  return split;
}

/** Leaf hashes of so many entries that differ. */
export function someLeaves(count: number): readonly Hash[] {
  return Array.from({ length: count }, (_, index) => leafHash(new TextEncoder().encode(`entry ${index}`)));
}

/** A log in memory that grows in batches and keeps the tiles that get full; partial ones it cuts from its tree. */
export class TestLog {
  readonly #full = new Map<string, Uint8Array>();
  tree: Tree = EMPTY_TREE;

  append(leaves: readonly Hash[]): void {
    const { tree, tiles } = integrate(this.tree, leaves);
    for (const { level, index, octets } of tiles) this.#full.set(`${level}/${index}`, octets);
    this.tree = tree;
  }

  readonly read: TileReader = async ({ level, index, width }) => {
    const tile = this.#full.get(`${level}/${index}`) ?? this.tree.edge[level] ?? new Uint8Array(0);
    if (width < 1 || width > TILE_WIDTH || tile.length < width * HASH_OCTETS) throw new RangeError(`tile ${level}/${index} has no ${width} hashes`);
    return tile.subarray(0, width * HASH_OCTETS);
  };
}

/** The octets with one bit turned. */
export function flipped(octets: Uint8Array, bit: number): Uint8Array {
  const copy = octets.slice();
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

/** A random tree's batches: sizes that add up to a number. */
export function batchesOf<T>(all: readonly T[], sizes: readonly number[]): readonly (readonly T[])[] {
  const batches: (readonly T[])[] = [];
  let from = 0;
  for (const size of sizes) {
    if (from >= all.length) break;
    batches.push(all.slice(from, from + size));
    from += size;
  }
  return from < all.length ? [...batches, all.slice(from)] : batches;
}
