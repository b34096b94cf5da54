import { MeshError } from "../refusals/mesh-error.ts";
import { TILE_WIDTH } from "./tiles.ts";

const MOST_OCTETS = 0xffff;

/** A bundle of entries: each behind its length in two octets, big-endian (C2SP tlog-tiles, "Log entries"). */
export function writeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > MOST_OCTETS) throw new RangeError(`an entry of ${entry.length} octets fits no bundle`);
    bundle.set([entry.length >> 8, entry.length & 0xff], at);
    bundle.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return bundle;
}

/** The entries of a bundle, views of it; `log-tile-malformed` unless it holds exactly `width` of them. */
export function readBundle(bundle: Uint8Array, width: number = TILE_WIDTH): readonly Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bundle.length && entries.length < width) {
    const end = at + 2 + ((bundle[at] as number) << 8) + (bundle[at + 1] ?? 0);
    if (end > bundle.length) break;
    entries.push(bundle.subarray(at + 2, end));
    at = end;
  }
  if (at !== bundle.length || entries.length !== width) throw new MeshError("log-tile-malformed", `This bundle does not hold ${width} entries.`);
  return entries;
}
