import { fromBase64url } from "../../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../../bytes/canonical-json.ts";
import { concatBytes } from "../../bytes/equal.ts";
import { ordinal } from "../../bytes/ordinal.ts";
import { fromUtf8 } from "../../bytes/text.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { Reading, Writing } from "../../store/store.ts";
import { type MapLeaf, readMapValue } from "../map.ts";
import { type Hash, HASH_OCTETS, leafHash, rootOfRun } from "../merkle.ts";
import type { BucketReader } from "../prefix-map.ts";
import { type Tile, TILE_WIDTH, type TileName, type TileReader } from "../tiles.ts";

/** The shelves on which a log is kept, beside the store's own leaves, which are its entries (`docs/spec/log.md` 10.4). */
export const logShelf = { map: "map", tiles: "tiles", seals: "seals", due: "due", log: "log" } as const;

/** Where a log stood when its last epoch was closed: the one row whose change orders epochs, among processes too. */
export type HeadRow = { readonly size: number; readonly root: string; readonly epoch: number; readonly time: number };

/** A row of ours; one that does not parse is damage, not absence. */
export async function rowIn<T>(reading: Reading, shelf: string, key: string): Promise<T | undefined> {
  const octets = await reading.get(shelf, key);
  try {
    return octets === undefined ? undefined : (JSON.parse(fromUtf8(octets)) as T);
  } catch {
    throw damagedLog();
  }
}

/** Writes a row of ours. */
export async function putRow(writing: Writing, shelf: string, key: string, row: Json): Promise<void> {
  await writing.put(shelf, key, canonicalBytes(row));
}

/** A leaf of the map as its row has it. */
export function leafIn(key: string, octets: Uint8Array): MapLeaf {
  const value = readMapValue(octets);
  if (value === undefined) throw damagedLog();
  return { key: fromBase64url(key), value };
}

/** The buckets of a map as its rows have them. */
export function writtenBuckets(reading: Reading): BucketReader {
  return async (name) => (await reading.list(logShelf.map, name)).map(({ key, value }) => leafIn(key, value));
}

/**
 * The tiles of a log, as a snapshot has them. Full ones are kept; a partial one is made of what is below it: of entries, or of the roots of full
 * tiles. Whoever has the tree in memory has its edge there, and asks for no partial tile.
 */
export function tilesIn(reading: Reading): TileReader {
  return async (name) => {
    const kept = await reading.get(logShelf.tiles, tileKey(name));
    if (kept !== undefined) return whole(kept).subarray(0, name.width * HASH_OCTETS);
    if (name.width === TILE_WIDTH) throw damagedLog();
    const hashes = await hashesUnder(reading, name);
    if (hashes.length !== name.width) throw damagedLog();
    return concatBytes(...hashes);
  };
}

async function hashesUnder(reading: Reading, { level, index, width }: TileName): Promise<readonly Hash[]> {
  const first = index * TILE_WIDTH;
  if (level === 0) return (await reading.leaves(first, width)).map(leafHash);
  const after = first === 0 ? {} : { after: tileKey({ level: level - 1, index: first - 1 }) };
  const tiles = await reading.list(logShelf.tiles, `${level - 1}/`, { limit: width, ...after });
  return tiles.map(({ value }) => rootOfRun(whole(value)));
}

function whole(tile: Uint8Array): Uint8Array {
  if (tile.length !== TILE_WIDTH * HASH_OCTETS) throw damagedLog();
  return tile;
}

/** Keeps a full tile. */
export async function putTile(writing: Writing, tile: Tile): Promise<void> {
  await writing.put(logShelf.tiles, tileKey(tile), tile.octets);
}

function tileKey({ level, index }: Pick<TileName, "level" | "index">): string {
  return `${level}/${ordinal(index)}`;
}

/** What is kept contradicts itself: nobody may sign on top of it. */
export function damagedLog(): MeshError {
  return new MeshError("store-damaged", "The notary log in this database is not what was written.", "Nothing is signed any more. Run `mesh portal check`, or restore a backup.");
}
