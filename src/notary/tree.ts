import { type Hash, HASH_OCTETS, joinPeaks, nodeHash, rootOfRun } from "./merkle.ts";
import { partialTiles, type Tile, TILE_HEIGHT, TILE_WIDTH, tileFrom, type TileReader } from "./tiles.ts";

/**
 * A log's Merkle tree as far as whoever appends needs it: its right edge.
 *
 * A value that nothing changes: if what was appended is not committed, go on with the tree from before.
 */
export type Tree = {
  /** Leaves. */
  readonly size: number;
  /** The roots of the complete subtrees that the leaves make up, the largest first: as many as `size` has bits. */
  readonly peaks: readonly Hash[];
  /** The partial tiles at the right edge, by level, as octets; empty where the level ends with a full tile. */
  readonly edge: readonly Uint8Array[];
};

/** The tree of a log that has no entries yet. */
export const EMPTY_TREE: Tree = { size: 0, peaks: [], edge: [] };

/** The root that a checkpoint of this tree names. */
export function rootOf(tree: Tree): Hash {
  return joinPeaks(tree.peaks);
}

/** The tree with leaves appended, all at once, and the tiles that they fill: two hashes a leaf, one of them its own. */
export function integrate(tree: Tree, leaves: readonly Hash[]): { readonly tree: Tree; readonly tiles: readonly Tile[] } {
  const peaks = [...tree.peaks];
  const edge = new Edge(tree);
  let { size } = tree;
  for (const leaf of leaves) {
    let hash = leaf;
    edge.push(0, hash);
    // As in counting: each bit that is set makes one with the new subtree and carries.
    for (let rest = size, height = 1; rest % 2 === 1; rest = Math.floor(rest / 2), height++) {
      hash = nodeHash(peaks.pop() as Hash, hash);
      if (height % TILE_HEIGHT === 0) edge.push(height / TILE_HEIGHT, hash);
    }
    peaks.push(hash);
    size++;
  }
  return { tree: { size, peaks, edge: edge.partial() }, tiles: edge.full };
}

/** The right edge while it grows: copies of the partial tiles, each with room to become full. */
class Edge {
  readonly full: Tile[] = [];
  readonly #levels: { octets: Uint8Array; width: number; index: number }[];

  constructor({ size, edge }: Tree) {
    this.#levels = edge.map((partial, level) => ({ octets: roomFor(partial), width: partial.length / HASH_OCTETS, index: Math.floor(size / TILE_WIDTH ** (level + 1)) }));
  }

  push(level: number, hash: Hash): void {
    const tile = (this.#levels[level] ??= { octets: roomFor(), width: 0, index: 0 });
    tile.octets.set(hash, tile.width * HASH_OCTETS);
    if (++tile.width < TILE_WIDTH) return;
    this.full.push({ level, index: tile.index, width: TILE_WIDTH, octets: tile.octets });
    this.#levels[level] = { octets: roomFor(), width: 0, index: tile.index + 1 };
  }

  partial(): readonly Uint8Array[] {
    return this.#levels.map(({ octets, width }) => octets.subarray(0, width * HASH_OCTETS));
  }
}

function roomFor(partial?: Uint8Array): Uint8Array {
  const octets = new Uint8Array(TILE_WIDTH * HASH_OCTETS);
  if (partial !== undefined) octets.set(partial);
  return octets;
}

/** The tree of a given size, read back from the partial tiles at its right edge; whether its root is the right one, the caller knows. */
export async function treeFrom(size: number, read: TileReader): Promise<Tree> {
  const edge: Uint8Array[] = [];
  const peaks: Hash[] = [];
  for (const name of partialTiles(size)) {
    const octets = await tileFrom(read, name);
    while (edge.length < name.level) edge.push(new Uint8Array(0));
    edge.push(octets);
    peaks.unshift(...peaksOf(octets));
  }
  while (TILE_WIDTH ** edge.length <= size) edge.push(new Uint8Array(0));
  return { size, peaks, edge };
}

/** The complete subtrees that a partial tile is made of, the largest first. */
function peaksOf(octets: Uint8Array): readonly Hash[] {
  const peaks: Hash[] = [];
  let from = 0;
  for (let run = TILE_WIDTH / 2; run >= 1; run /= 2) {
    if (octets.length - from < run * HASH_OCTETS) continue;
    peaks.push(rootOfRun(octets.subarray(from, from + run * HASH_OCTETS)));
    from += run * HASH_OCTETS;
  }
  return peaks;
}
