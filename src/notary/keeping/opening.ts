import { toBase64url } from "../../bytes/base64url.ts";
import type { Reading, Store } from "../../store/store.ts";
import { leavesOf } from "../epoch.ts";
import { bucketName, PrefixMap } from "../prefix-map.ts";
import { EMPTY_TREE, type Tree, treeFrom } from "../tree.ts";
import { bucketsIn, type HeadRow, leafIn, logShelf, rowIn, tilesIn } from "./rows.ts";

const ROWS = 4096;

/** The tree up to the last epoch leaf and without it; that leaf says which map there must be. */
export function openTree(store: Store): Promise<Tree> {
  return store.read(async (r) => {
    const head = await rowIn<HeadRow>(r, logShelf.log, "head");
    return head === undefined ? EMPTY_TREE : treeFrom(head.size - 1, tilesIn(r));
  });
}

/** The map from its saved upper levels and what was appended since; undefined if none were saved, or they do not read. */
export function savedMap(store: Store): Promise<PrefixMap | undefined> {
  return store.read(async (r) => {
    const [octets, saved, head] = [await r.get(logShelf.log, "map"), await rowIn<{ readonly size: number }>(r, logShelf.log, "map-size"), await rowIn<HeadRow>(r, logShelf.log, "head")];
    const map = octets === undefined ? undefined : loaded(octets);
    if (map === undefined || saved === undefined || head === undefined || saved.size > head.size) return undefined;
    for (let from = saved.size; from < head.size; from += ROWS) {
      const entries = await r.leaves(from, Math.min(ROWS, head.size - from));
      await map.refresh(leavesOf(entries, from).map(({ key }) => bucketName(key)), bucketsIn(r));
    }
    return map;
  });
}

/** The map made anew of all its leaves: some seconds for a million. */
export function builtMap(store: Store): Promise<PrefixMap> {
  return store.read(async (r) => {
    const map = new PrefixMap();
    for await (const names of bucketNames(r)) await map.refresh(names, bucketsIn(r));
    return map;
  });
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
