import { toBase64url } from "../../bytes/base64url.ts";
import type { Json } from "../../bytes/canonical-json.ts";
import { ordinal } from "../../bytes/ordinal.ts";
import { sha512 } from "../../crypto/digest.ts";
import { randomBytes } from "../../crypto/random.ts";
import type { Digest } from "../../envelope/fields.ts";
import type { Reading, Writing } from "../../store/store.ts";
import { SALT_OCTETS, sealEntry } from "../commitment.ts";
import type { MapLabel } from "../currency.ts";
import { type LogEntry, type PublicEntry, readEntry, type SealedKind, writeEntry } from "../entry.ts";
import { mapKey, type MapValue, readMapValue } from "../map.ts";
import { type Hash, leafHash } from "../merkle.ts";
import { changeOf, isNews } from "../succession.ts";
import { type HeadRow, logShelf, putRow, rowIn } from "./rows.ts";

/** What a transaction did and the log must say: an object that became the newest of an identifier, or something of which only a commitment is shown. */
export type Recording = { readonly object: PublicEntry } | { readonly seal: SealedKind; readonly of: string; readonly content: Json };

/** Where an entry came to stand. */
export type Recorded = { readonly index: number; readonly leaf: Hash };

/**
 * Appends what a transaction did to the log, within that transaction and in its order; openings of sealed entries are kept under the mesh that they
 * are of. An object that the rows of the map know, or a newer one, is passed over: a mesh that was purged may come back. That nothing is appended twice
 * while they are not written, the caller's compare-and-set sees to; where that says too that all of them are newer than what the log has (`follows`), no row
 * is asked. `log-entry-malformed` for what no reader would take.
 */
export async function record(writing: Writing, recordings: readonly Recording[], follows?: true): Promise<readonly Recorded[]> {
  const recorded: Recorded[] = [];
  for (const one of recordings) {
    if ("object" in one) {
      const change = changeOf(one.object, 0);
      if (change !== undefined && (follows === true || isNews(one.object, await newestIn(writing, change)))) recorded.push(await append(writing, one.object));
      continue;
    }
    const salt = randomBytes(SALT_OCTETS);
    const sealed = await append(writing, sealEntry(one.seal, { salt, content: one.content }));
    await putRow(writing, logShelf.seals, `${one.of}/${ordinal(sealed.index)}`, { content: one.content, k: one.seal, salt: toBase64url(salt) });
    recorded.push(sealed);
  }
  return recorded;
}

/** Appends what anybody had added for a test of load (`docs/spec/log.md` 9.6): by digest, under a kind of its own, so that it is about no mesh whatever it says. */
export function recordLoad(writing: Writing, octets: Uint8Array): Promise<Recorded> {
  return append(writing, { k: "load", len: octets.length, obj: toBase64url(sha512(octets)) as Digest, v: 1 });
}

/** Says that a mesh wrote to its catalogs, for the next epoch to commit to where they stand then. */
export async function markDue(writing: Writing, mesh: string): Promise<void> {
  await writing.put(logShelf.due, mesh, new Uint8Array(0));
}

/** Whether there is anything to close an epoch over. */
export async function isUnclosed(reading: Reading): Promise<boolean> {
  const head = await rowIn<HeadRow>(reading, logShelf.log, "head");
  return (await reading.leaves(head?.size ?? 0, 1)).length > 0 || (await reading.list(logShelf.due, "", { limit: 1 })).length > 0;
}

/** The newest of its kind that the rows of the map know; what changed lately is not yet in them. */
export async function newestIn(reading: Reading, { kind, id }: MapLabel): Promise<MapValue | undefined> {
  const octets = await reading.get(logShelf.map, toBase64url(mapKey(kind, id)));
  return octets === undefined ? undefined : readMapValue(octets);
}

async function append(writing: Writing, entry: LogEntry): Promise<Recorded> {
  const octets = writeEntry(entry);
  // What no reader takes would end the log.
  readEntry(octets);
  return { index: await writing.append(octets), leaf: leafHash(octets) };
}
