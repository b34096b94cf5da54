import { MeshError } from "../refusals/mesh-error.ts";
import { HASH_OCTETS, isCount } from "./merkle.ts";

/** How many hashes a full tile has; a tile stands for eight levels of the tree (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;
export const TILE_HEIGHT = 8;

/** Which hashes: `width` of them, from the beginning of tile `index` at `level`; below 256 the tile is partial. */
export type TileName = { readonly level: number; readonly index: number; readonly width: number };

/** A tile: `width` hashes, octet for octet as it is served. */
export type Tile = TileName & { readonly octets: Uint8Array };

/**
 * Where tiles come from. A partial tile is a prefix of every wider one, so whoever keeps a wider one cuts it.
 *
 * What a reader gives is not trusted: {@link tileFrom} checks its length, and whoever proves something with it checks the proof.
 */
export type TileReader = (name: TileName) => Promise<Uint8Array>;

const MAX_LEVEL = 63;
const NUMBER = String.raw`(?:x\d{3}/)*\d{3}`;
const PATH = new RegExp(String.raw`^tile/(entries|0|[1-9]\d?)/(${NUMBER})(?:\.p/([1-9]\d{0,2}))?$`);

/** The path under which a tile is served, below the log's prefix: `tile/0/x001/234.p/5`. */
export function tilePath({ level, index, width }: TileName): string {
  return `tile/${level}/${numberPath(index, width)}`;
}

/** The path of the bundle of entries under a tile of level 0. */
export function bundlePath({ index, width }: Pick<TileName, "index" | "width">): string {
  return `tile/entries/${numberPath(index, width)}`;
}

/** Reads a path of either kind; `undefined` for any other text, since strangers ask for anything. */
export function parseTilePath(path: string): { readonly kind: "tile" | "entries"; readonly name: TileName } | undefined {
  const [, place, number = "", width] = path.length > 128 ? [] : (PATH.exec(path) ?? []);
  if (place === undefined) return undefined;
  const name = { level: place === "entries" ? 0 : Number(place), index: Number(number.replaceAll(/[x/]/g, "")), width: width === undefined ? TILE_WIDTH : Number(width) };
  const known = name.level <= MAX_LEVEL && isCount(name.index) && (width === undefined || name.width < TILE_WIDTH);
  // One spelling: no group of zeros before a number that needs none.
  return known && numberPath(name.index, name.width) === path.slice(path.indexOf("/", 5) + 1) ? { kind: place === "entries" ? "entries" : "tile", name } : undefined;
}

function numberPath(index: number, width: number): string {
  const digits = index.toString();
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g) ?? [];
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

/** The tile at a place in a log of some size; its width is 0 where there is nothing. */
export function tileAt(size: number, level: number, index: number): TileName {
  const there = Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH;
  return { level, index, width: Math.max(0, Math.min(TILE_WIDTH, there)) };
}

/** The tiles at the right edge of a log of some size that are partial, from the leaves up. */
export function partialTiles(size: number): readonly TileName[] {
  const tiles: TileName[] = [];
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / TILE_WIDTH)) {
    const tile = tileAt(size, level, Math.floor(hashes / TILE_WIDTH));
    if (tile.width > 0) tiles.push(tile);
  }
  return tiles;
}

/** Reads a tile; `log-tile-malformed` if it has not as many octets as its name says. */
export async function tileFrom(read: TileReader, name: TileName): Promise<Uint8Array> {
  const octets = await read(name);
  if (octets.length !== name.width * HASH_OCTETS) throw new MeshError("log-tile-malformed", `${tilePath(name)} has ${octets.length} octets.`);
  return octets;
}
