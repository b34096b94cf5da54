import { toBase64url } from "../bytes/base64url.ts";
import { type EpochEntry, readEntry, writeEntry } from "./entry.ts";
import { mapKey, type MapLeaf } from "./map.ts";
import { leafHash } from "./merkle.ts";
import { type BucketReader, bucketName, type PrefixMap, type Undo } from "./prefix-map.ts";
import { changeOf } from "./succession.ts";
import type { Tile } from "./tiles.ts";
import { integrate, type Tree } from "./tree.ts";

/** Where a portal's log stood when it closed an epoch last: what it holds in memory, all of it derived from what it keeps. */
export type Standing = { readonly tree: Tree; readonly map: PrefixMap; readonly epoch: Pick<EpochEntry, "n" | "t"> | undefined };

/** An epoch as it is about to be closed: what to append, the tiles to keep, and the way back if that is not committed. */
export type Closing = {
  readonly epoch: EpochEntry;
  /** The octets of the epoch leaf. */
  readonly entry: Uint8Array;
  /** The tree up to the epoch leaf, whose peaks are the leaf's audit path, and the tree with it. */
  readonly before: Tree;
  readonly tree: Tree;
  readonly tiles: readonly Tile[];
  readonly undo: Undo;
};

/** Where the leaves of the map are kept, as far as closing an epoch changes them. */
export type MapRows = { readonly put: (leaf: MapLeaf) => Promise<void>; readonly bucket: BucketReader };

/**
 * Closes an epoch over the entries appended since the one before, as they are read back from where they are kept, at a time in milliseconds.
 *
 * All work of a log is here, in bulk: a transaction only appends entries. Puts the leaves of the map that they change, and changes its upper levels
 * in place; if what it gives is not committed, `undo` must be called before anything else is done with the map.
 */
export async function closeEpoch({ tree, map, epoch: last }: Standing, entries: readonly Uint8Array[], rows: MapRows, time: number): Promise<Closing> {
  const leaves = leavesOf(entries, tree.size);
  for (const leaf of leaves) await rows.put(leaf);
  const undo = await map.refresh(leaves.map(({ key }) => bucketName(key)), rows.bucket);
  // Time rises in the log even where a clock was set back.
  const epoch: EpochEntry = { k: "epoch", map: toBase64url(map.root), n: (last?.n ?? 0) + 1, t: Math.max(time, (last?.t ?? 0) + 1), v: 1 };
  const entry = writeEntry(epoch);
  const grown = integrate(tree, entries.map(leafHash));
  const closed = integrate(grown.tree, [leafHash(entry)]);
  return { epoch, entry, before: grown.tree, tree: closed.tree, tiles: [...grown.tiles, ...closed.tiles], undo };
}

/** The leaves of the map that entries change, from the index of the first on; of one that is changed twice, the last. */
export function leavesOf(entries: readonly Uint8Array[], from: number): readonly MapLeaf[] {
  const leaves = new Map<string, MapLeaf>();
  for (const [at, octets] of entries.entries()) {
    const change = changeOf(readEntry(octets), from + at);
    if (change !== undefined) leaves.set(`${change.kind}/${change.id}`, { key: mapKey(change.kind, change.id), value: change.value });
  }
  return [...leaves.values()];
}
