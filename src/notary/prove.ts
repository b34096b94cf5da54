import { type Hash, HASH_OCTETS, isCount, joinPeaks, rootOfRun } from "./merkle.ts";
import { TILE_HEIGHT, TILE_WIDTH, tileAt, tileFrom, tilePath, type TileReader } from "./tiles.ts";
import type { Tree } from "./tree.ts";

/** Leaves `from` (inclusive) to `to` (exclusive). */
type Range = readonly [from: number, to: number];

/** The audit path of a leaf in the tree of the first `size` leaves, the leaf's sibling first (RFC 6962 §2.1.1). */
export function inclusionProof(read: TileReader, index: number, size: number): Promise<readonly Hash[]> {
  if (!isCount(index) || !isCount(size) || index >= size) throw new RangeError(`there is no leaf ${index} among ${size}`);
  return hashesOf(read, size, path(index, 0, size));
}

/** The hashes beside a run of leaves, `from` (inclusive) to `to` (exclusive), from left to right: with the leaves they make the root (`docs/spec/log.md` 2.5). */
export function runProof(read: TileReader, from: number, to: number, size: number): Promise<readonly Hash[]> {
  if (!isCount(from) || !isCount(size) || from >= to || to > size) throw new RangeError(`there are no leaves ${from} to ${to} among ${size}`);
  return hashesOf(read, size, beside([from, to], 0, size));
}

/** What shows that the first `size` leaves begin with the first `before`, which are at least one (RFC 6962 §2.1.2). */
export function consistencyProof(read: TileReader, before: number, size: number): Promise<readonly Hash[]> {
  if (!isCount(before) || !isCount(size) || before < 1 || before > size) throw new RangeError(`${before} leaves are no beginning of ${size}`);
  return hashesOf(read, size, subproof(before, 0, size, true));
}

/** The audit path of the leaf that was appended to a tree: its peaks, the smallest first, and not one more hash. */
export function lastLeafProof(before: Tree): readonly Hash[] {
  return before.peaks.toReversed();
}

/** The root of the first `size` leaves. */
export async function rootAt(read: TileReader, size: number): Promise<Hash> {
  return size === 0 ? joinPeaks([]) : ((await hashesOf(read, size, [[0, size]]))[0] as Hash);
}

function path(index: number, from: number, to: number): readonly Range[] {
  if (to - from === 1) return [];
  const middle = from + splitOf(to - from);
  return index < middle ? [...path(index, from, middle), [middle, to]] : [...path(index, middle, to), [from, middle]];
}

function beside([first, end]: Range, from: number, to: number): readonly Range[] {
  if (to <= first || end <= from) return [[from, to]];
  if (first <= from && to <= end) return [];
  const middle = from + splitOf(to - from);
  return [...beside([first, end], from, middle), ...beside([first, end], middle, to)];
}

function subproof(before: number, from: number, to: number, isWhole: boolean): readonly Range[] {
  if (before === to) return isWhole ? [] : [[from, to]];
  const middle = from + splitOf(to - from);
  return before <= middle ? [...subproof(before, from, middle, isWhole), [middle, to]] : [...subproof(before, middle, to, false), [from, middle]];
}

/** The largest power of two below a number that is greater than 1: where RFC 6962 cuts so many leaves in two. */
export function splitOf(leaves: number): number {
  let split = 1;
  while (split * 2 < leaves) split *= 2;
  return split;
}

async function hashesOf(read: TileReader, size: number, ranges: readonly Range[]): Promise<readonly Hash[]> {
  const tiles = new Map<string, Promise<Uint8Array>>();
  const once: TileReader = (name) => {
    const path = tilePath(name);
    const tile = tiles.get(path) ?? tileFrom(read, name);
    tiles.set(path, tile);
    return tile;
  };
  return Promise.all(ranges.map(async ([from, to]) => joinPeaks(await Promise.all(completeIn(from, to).map(([at, height]) => completeHash(once, size, at, height))))));
}

/** The complete subtrees that make up a range which a proof asks for, each as where it begins and how high it is. */
function completeIn(from: number, to: number): readonly (readonly [at: number, height: number])[] {
  const found: (readonly [number, number])[] = [];
  for (let at = from; at < to; ) {
    let height = 0;
    while (at % 2 ** (height + 1) === 0 && at + 2 ** (height + 1) <= to) height++;
    found.push([at, height]);
    at += 2 ** height;
  }
  return found;
}

async function completeHash(read: TileReader, size: number, at: number, height: number): Promise<Hash> {
  const level = Math.floor(height / TILE_HEIGHT);
  const first = at / TILE_WIDTH ** level;
  const offset = first % TILE_WIDTH;
  const tile = await read(tileAt(size, level, (first - offset) / TILE_WIDTH));
  return rootOfRun(tile.subarray(offset * HASH_OCTETS, (offset + 2 ** (height % TILE_HEIGHT)) * HASH_OCTETS));
}
