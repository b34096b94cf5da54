import { MeshError } from "../refusals/mesh-error.ts";
import { readBundle } from "./bundles.ts";
import { demandNoOlder } from "./log-head.ts";
import { type LogPolicy, trustCheckpoint, type TrustedCheckpoint } from "./log-policy.ts";
import { HASH_OCTETS } from "./merkle.ts";
import type { Replay } from "./replay.ts";
import { bundlePath, TILE_WIDTH, tileAt, tilePath, type TileReader } from "./tiles.ts";

/** Gets what a log serves at a path below its prefix; whatever goes wrong there is thrown. */
export type GetResource = (path: string) => Promise<Uint8Array>;

/** The most octets that an honest log serves at one path: 256 entries of 4 KiB, each behind its length. */
export const MAX_RESOURCE = TILE_WIDTH * (2 + 4096);

/**
 * Reads a log on from where a replay stands to its newest checkpoint: what a monitor does again and again, and a mirror.
 *
 * Those of {@link trustCheckpoint}; `portal-older-log` if the log shows less than was read already; `portal-forked-log` if the entries that it shows are
 * not those that it signed; `log-tile-malformed`; those of {@link Replay.take}. Fetches one bundle after another, each of at most 1 MiB.
 */
export async function follow(replay: Replay, get: GetResource, policy: LogPolicy, now: number): Promise<TrustedCheckpoint> {
  const checkpoint = trustCheckpoint(await bounded(get, "checkpoint"), policy, now);
  demandNoOlder(checkpoint.size, replay.size);
  while (replay.size < checkpoint.size) {
    const name = tileAt(checkpoint.size, 0, Math.floor(replay.size / TILE_WIDTH));
    const entries = readBundle(await bounded(get, bundlePath(name)), name.width);
    await replay.take(entries.slice(replay.size % TILE_WIDTH));
  }
  if (!replay.agrees(checkpoint)) throw new MeshError("portal-forked-log", "The entries that this log shows are not those under its checkpoint.");
  return checkpoint;
}

/** The tiles under a checkpoint of so many entries: a full one in place of a partial one that only a smaller tree had. */
export function tilesUnder(get: GetResource, size: number): TileReader {
  return async ({ level, index, width }) => (await bounded(get, tilePath(tileAt(size, level, index)))).subarray(0, width * HASH_OCTETS);
}

/** What a log serves at a path, within bounds. */
export async function bounded(get: GetResource, path: string): Promise<Uint8Array> {
  const octets = await get(path);
  if (octets.length > MAX_RESOURCE) throw new MeshError("log-tile-malformed", `${path} has ${octets.length} octets.`);
  return octets;
}
