import type { Reading, Store } from "../../store/store.ts";
import { writeBundle } from "../bundles.ts";
import { readCheckpoint } from "../checkpoint.ts";
import type { Signed } from "../guard.ts";
import { readNote } from "../note.ts";
import { consistencyProof } from "../prove.ts";
import { parseTilePath, TILE_WIDTH, tileAt, tileFrom, type TileName } from "../tiles.ts";
import { logShelf, tilesIn } from "./rows.ts";

/** What is served at a path below a log's prefix (C2SP tlog-tiles): octets, their type, and whether they can ever change. */
export type LogResource = { readonly octets: Uint8Array; readonly type: "text/plain; charset=utf-8" | "application/octet-stream"; readonly keep: "for-ever" | "until-changed" | "never" };

/**
 * What a log serves to anybody: its checkpoint, the tiles under it, and the entries; undefined for every other path, and for what no checkpoint reaches yet.
 *
 * All of one snapshot: what a checkpoint needs is there when it is.
 */
export function logResource(store: Store, path: string): Promise<LogResource | undefined> {
  return store.read(async (r): Promise<LogResource | undefined> => {
    const checkpoint = await r.get(logShelf.log, "checkpoint");
    if (checkpoint === undefined) return undefined;
    if (path === "checkpoint") return { octets: checkpoint, type: "text/plain; charset=utf-8", keep: "until-changed" };
    const found = parseTilePath(path);
    if (found === undefined || !reaches(readCheckpoint(readNote(checkpoint).text).size, found.name)) return undefined;
    const { index, width } = found.name;
    const octets = found.kind === "tile" ? await tileFrom(tilesIn(r), found.name) : writeBundle(await r.leaves(index * TILE_WIDTH, width));
    return { octets, type: "application/octet-stream", keep: "for-ever" };
  });
}

/** The size of the last checkpoint, as a snapshot has it; 0 before there is one. */
export async function signedSize(reading: Reading): Promise<number> {
  const checkpoint = await reading.get(logShelf.log, "checkpoint");
  return checkpoint === undefined ? 0 : readCheckpoint(readNote(checkpoint).text).size;
}

/** The last checkpoint as a snapshot has it, and what shows that it continues the tree of `old` entries, if it is no smaller (see `guard.ts`). */
export function signedSince(store: Store, old: number): Promise<Signed | undefined> {
  return store.read(async (r) => {
    const checkpoint = await r.get(logShelf.log, "checkpoint");
    if (checkpoint === undefined) return undefined;
    const { size } = readCheckpoint(readNote(checkpoint).text);
    return { checkpoint, size, proof: old > 0 && old <= size ? await consistencyProof(tilesIn(r), old, size) : [] };
  });
}

/** A partial tile of an earlier checkpoint is a beginning of what is there now, and is served as long. */
function reaches(size: number, { level, index, width }: TileName): boolean {
  return width <= tileAt(size, level, index).width;
}
