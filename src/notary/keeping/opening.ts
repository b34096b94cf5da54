import { toBase64url } from "../../bytes/base64url.ts";
import type { Reading, Store } from "../../store/store.ts";
import { leavesOf } from "../epoch.ts";
import type { MapLeaf } from "../map.ts";
import { bucketName, PrefixMap } from "../prefix-map.ts";
import { EMPTY_TREE, type Tree, treeFrom } from "../tree.ts";
import { RecentLeaves, writtenSize } from "./recent.ts";
import { type HeadRow, leafIn, logShelf, rowIn, tilesIn } from "./rows.ts";

const ROWS = 4096;

/** The tree up to the last epoch leaf and without it; that leaf says which map there must be. */
export function openTree(store: Store): Promise<Tree> {
  return store.read(async (r) => {
    const head = await rowIn<HeadRow>(r, logShelf.log, "head");
    return head === undefined ? EMPTY_TREE : treeFrom(head.size - 1, tilesIn(r));
  });
}

/** The leaves that entries changed since the rows of the map were written, up to a size. */
export function recentLeaves(store: Store, size: number): Promise<RecentLeaves> {
  return store.read(async (r) => {
    const recent = new RecentLeaves();
    for await (const leaves of leavesBetween(r, await writtenSize(r), size)) recent.add(leaves);
    return recent;
  });
}

/** The map from its saved upper levels and what was appended since; undefined if none were saved, or they do not read. */
export function savedMap(store: Store, recent: RecentLeaves, size: number): Promise<PrefixMap | undefined> {
  return store.read(async (r) => {
    const [octets, saved] = [await r.get(logShelf.log, "map"), await rowIn<{ readonly size: number }>(r, logShelf.log, "map-size")];
    const map = octets === undefined ? undefined : loaded(octets);
    if (map === undefined || saved === undefined || saved.size > size) return undefined;
    for await (const leaves of leavesBetween(r, saved.size, size)) await map.refresh(leaves.map(({ key }) => bucketName(key)), recent.bucketsIn(r));
    return map;
  });
}

/** The map made anew of all its leaves: some seconds for a million. */
export function builtMap(store: Store, recent: RecentLeaves): Promise<PrefixMap> {
  return store.read(async (r) => {
    const map = new PrefixMap();
    for await (const names of bucketNames(r)) await map.refresh(names, recent.bucketsIn(r));
    await map.refresh(recent.names(), recent.bucketsIn(r));
    return map;
  });
}

async function* leavesBetween(reading: Reading, from: number, to: number): AsyncIterable<readonly MapLeaf[]> {
  for (let at = from; at < to; at += ROWS) yield leavesOf(await reading.leaves(at, Math.min(ROWS, to - at)), at);
}

async function* bucketNames(reading: Reading): AsyncIterable<readonly string[]> {
  let rows = await reading.list(logShelf.map, "", { limit: ROWS });
  while (rows.length > 0) {
    const leaves = rows.map(({ key, value }) => leafIn(key, value));
    yield leaves.map(({ key }) => bucketName(key));
    rows = await reading.list(logShelf.map, "", { limit: ROWS, after: toBase64url(leaves.at(-1)?.key ?? new Uint8Array(0)) });
  }
}

function loaded(octets: Uint8Array): PrefixMap | undefined {
  try {
    return PrefixMap.load(octets);
  } catch {
    return undefined;
  }
}
