import { toBase64url } from "../bytes/base64url.ts";
import { fromUtf8 } from "../bytes/text.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { EpochEntry, SealedKind } from "./entry.ts";
import { checkEvidence, type Closing, type Evidence, MAX_EVIDENCE, writeEvidence } from "./evidence.ts";
import type { LogPolicy, TrustedCheckpoint } from "./log-policy.ts";
import { type Hash, HASH_OCTETS } from "./merkle.ts";
import { writeNote } from "./note.ts";
import { consistencyProof, inclusionProof, rootAt, runProof } from "./prove.ts";
import type { Receipt, SentObject } from "./receipt.ts";
import { TILE_WIDTH, tileAt, tileFrom, type TileReader } from "./tiles.ts";

/** What is to be shown of a log, and the tiles under it: whoever serves them need not be believed, since what is made of them is judged. */
export type Shown = { readonly checkpoint: TrustedCheckpoint; readonly read: TileReader };

/** A receipt, and the octets in which it was signed. */
export type Given = { readonly octets: Uint8Array; readonly receipt: Receipt };

/** Evidence that a checkpoint is no beginning of another, which is no smaller. */
export async function forkEvidence(earlier: TrustedCheckpoint, { checkpoint, read }: Shown): Promise<Evidence> {
  const same = earlier.size === checkpoint.size;
  const root = same ? checkpoint.root : await rootAt(read, earlier.size);
  const proof = same ? [] : await consistencyProof(read, earlier.size, checkpoint.size);
  return { earlier: textOf(earlier), kind: "fork", later: textOf(checkpoint), proof: proof.map((hash) => toBase64url(hash)), root: toBase64url(root), v: 1 };
}

/** Evidence that a log was signed with fewer entries than it had before: by what it closes, if that is known of both, since signatures know seconds only. */
export function rollbackEvidence(earlier: TrustedCheckpoint, later: TrustedCheckpoint, before?: Closing, after?: Closing): Evidence {
  return { earlier: textOf(earlier), ...(before === undefined || after === undefined ? {} : { epochs: [before, after] as [Closing, Closing] }), kind: "rollback", later: textOf(later), v: 1 };
}

/** The epoch leaf at the end of a checkpoint, with the path from it. */
export function closingOf({ map, n, t }: EpochEntry, path: readonly Hash[]): Closing {
  return { map, n, path: path.map((hash) => toBase64url(hash)), t };
}

/** Evidence that a log was signed after a promise was due, and does not reach what was promised at an index. */
export function lateEvidence({ octets, receipt: { from, leaves } }: Given, checkpoint: TrustedCheckpoint, index: number): Evidence {
  return { checkpoint: textOf(checkpoint), kind: "late-receipt", leaf: toBase64url(leaves[index - from] as Hash), receipt: fromUtf8(octets), v: 1 };
}

/** Evidence that where a receipt promised one leaf another stands: of the first such; undefined if there is none as far as the log reaches. */
export async function brokenEvidence({ octets, receipt: { from, leaves } }: Given, { checkpoint, read }: Shown): Promise<Evidence | undefined> {
  for (const [at, promised] of leaves.entries()) {
    const [index, leaf] = [from + at, toBase64url(promised)];
    if (index >= checkpoint.size) return undefined;
    const found = toBase64url(await leafAt(read, checkpoint.size, index));
    if (found === leaf) continue;
    const path = await pathTo(index, { checkpoint, read });
    return { checkpoint: textOf(checkpoint), found, kind: "broken-receipt", leaf, path, receipt: fromUtf8(octets), v: 1 };
  }
  return undefined;
}

/** Evidence that the map, by a proof of what is current under a checkpoint, does not tell of an entry that is in the log. */
export async function wrongMapEvidence(entry: Uint8Array, index: number, proof: Uint8Array, shown: Shown): Promise<Evidence> {
  return { entry: fromUtf8(entry), index, kind: "wrong-map", path: await pathTo(index, shown), proof: fromUtf8(proof), v: 1 };
}

/** Evidence that the log has something else than one of the versions that a receipt is for, by a proof of what is current. */
export function wrongEntryEvidence(octets: Uint8Array, sent: readonly SentObject[], at: number, proof: Uint8Array): Evidence {
  return { at, kind: "wrong-entry", proof: fromUtf8(proof), receipt: fromUtf8(octets), sent: [...sent], v: 1 };
}

/** Evidence that a receipt has, for what was sent, a sealed entry about something else, by its opening. */
export function wrongSealEvidence(octets: Uint8Array, sent: readonly SentObject[], index: number, { content, k, salt }: { readonly content: object; readonly k: SealedKind; readonly salt: string }): Evidence {
  return { index, kind: "wrong-seal", opening: { content: { ...content }, k, salt }, receipt: fromUtf8(octets), sent: [...sent], v: 1 };
}

/** Evidence that the last of some entries breaks a rule: they stand in the log from an index on, and `ways` lead through the map under the epoch leaf that is the first of them. */
export async function rulesEvidence(entries: readonly Uint8Array[], from: number, ways: readonly Uint8Array[], { checkpoint, read }: Shown): Promise<Evidence | undefined> {
  const proof = await runProof(read, from, from + entries.length, checkpoint.size);
  const evidence: Evidence = { checkpoint: textOf(checkpoint), entries: entries.map((entry) => toBase64url(entry)), from, kind: "broken-rules", proof: proof.map((hash) => toBase64url(hash)), v: 1, ways: ways.map((way) => toBase64url(way)) };
  // Of very many entries in one epoch nobody would read the file: whoever replays the log finds the same.
  return writeEvidence(evidence).length > MAX_EVIDENCE ? undefined : evidence;
}

/** What is evidence to others, too, by the log's keys alone; undefined for what proves nothing, or where what it needs was not to be had. */
export async function proven(gathered: Promise<Evidence | undefined> | Evidence | undefined, { logKeys, origin }: LogPolicy): Promise<Evidence | undefined> {
  try {
    const evidence = await gathered;
    if (evidence !== undefined) checkEvidence(evidence, origin, logKeys);
    return evidence;
  } catch (error) {
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}

/** A checkpoint as it was signed. */
function textOf({ note }: TrustedCheckpoint): string {
  return fromUtf8(writeNote(note));
}

async function pathTo(index: number, { checkpoint, read }: Shown): Promise<string[]> {
  return (await inclusionProof(read, index, checkpoint.size)).map((hash) => toBase64url(hash));
}

async function leafAt(read: TileReader, size: number, index: number): Promise<Hash> {
  const tile = Math.floor(index / TILE_WIDTH);
  const offset = (index - tile * TILE_WIDTH) * HASH_OCTETS;
  return (await tileFrom(read, tileAt(size, 0, tile))).slice(offset, offset + HASH_OCTETS);
}
