import { toBase64url } from "../bytes/base64url.ts";
import { fromUtf8 } from "../bytes/text.ts";
import type { Currency } from "../notary/currency.ts";
import { checkEvidence, type Evidence, writeEvidence } from "../notary/evidence.ts";
import type { LogPolicy } from "../notary/log-policy.ts";
import { HASH_OCTETS } from "../notary/merkle.ts";
import { writeNote } from "../notary/note.ts";
import { consistencyProof, inclusionProof, rootAt } from "../notary/prove.ts";
import { TILE_WIDTH, tileAt, tilePath, type TileReader } from "../notary/tiles.ts";
import type { Code } from "../refusals/codes.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Client } from "./client.ts";
import type { PortalLink } from "./portal-link.ts";

/** What to do about a portal that the log tells on. */
export const CHEATS = "Nothing here was changed. It is broken or it cheats: ask its operator, and do not rely on what it says.";

/** A refusal of a portal by its log, and where what proves it is kept, if anything does. */
export class Accusation extends MeshError {
  readonly kept: string | undefined;

  constructor(code: Code, message: string, hint: string, kept: string | undefined) {
    super(code, message, withKept(hint, kept));
    this.kept = kept;
  }
}

/** What to do, and where the evidence is. */
export function withKept(hint: string, kept: string | undefined): string {
  return kept === undefined ? hint : `${hint} What proves it is in ${kept}; whoever you show it to checks it with \`mesh log check-evidence\`.`;
}

/** The log that is judged, and how to read of it what evidence needs. */
export type Accused = { readonly client: Client; readonly link: PortalLink; readonly policy: LogPolicy };

/**
 * Refuses a portal, with evidence in a file where its own signed words make some (`docs/spec/log.md` 7.2): it is judged as others will judge it before it is
 * kept. A portal that does not show what its signatures are over cannot be convicted of what is in there, and is refused all the same.
 */
export async function accuse({ client, policy }: Accused, code: Code, message: string, gather: () => Promise<Evidence | undefined>): Promise<never> {
  const evidence = await gather().catch(unlessProgrammers);
  const kept = evidence === undefined || !holds(evidence, policy) ? undefined : await client.keepEvidence?.(writeEvidence(evidence), evidence.kind);
  throw new Accusation(code, message, CHEATS, kept);
}

/** Evidence that the log's earlier checkpoint is no beginning of its later one, made of the tiles under that. */
export async function forkEvidence({ link, policy }: Accused, earlier: { readonly checkpoint: string; readonly size: number }, { checkpoint }: Currency): Promise<Evidence> {
  const read = tilesOf(link, policy, checkpoint.size);
  const same = earlier.size === checkpoint.size;
  const root = same ? checkpoint.root : await rootAt(read, earlier.size);
  const proof = same ? [] : await consistencyProof(read, earlier.size, checkpoint.size);
  return { earlier: earlier.checkpoint, kind: "fork", later: textOf(checkpoint), proof: proof.map(toBase64url), root: toBase64url(root), v: 1 };
}

/** Evidence that where a receipt promised one leaf another stands. */
export async function brokenReceipt({ link, policy }: Accused, receipt: string, promised: readonly Uint8Array[], from: number, { checkpoint }: Currency): Promise<Evidence | undefined> {
  const read = tilesOf(link, policy, checkpoint.size);
  for (const [at, leaf] of promised.entries()) {
    const index = from + at;
    const found = await leafAt(read, checkpoint.size, index);
    if (toBase64url(found) === toBase64url(leaf)) continue;
    const path = await inclusionProof(read, index, checkpoint.size);
    return { checkpoint: textOf(checkpoint), found: toBase64url(found), kind: "broken-receipt", leaf: toBase64url(leaf), path: path.map(toBase64url), receipt, v: 1 };
  }
  return undefined;
}

/** Evidence that a log was signed after a promise was due, and does not reach what was promised. */
export function lateReceipt(receipt: string, leaf: Uint8Array, { checkpoint }: Currency): Evidence {
  return { checkpoint: textOf(checkpoint), kind: "late-receipt", leaf: toBase64url(leaf), receipt, v: 1 };
}

/** Evidence that a log was signed with fewer entries than it had before. */
export function rollback(earlier: string, { checkpoint }: Currency): Evidence {
  return { earlier, kind: "rollback", later: textOf(checkpoint), v: 1 };
}

/** Evidence that the map does not tell of an entry that is in the log. */
export async function wrongMap({ link, policy }: Accused, entry: Uint8Array, index: number, proof: Uint8Array, { checkpoint }: Currency): Promise<Evidence> {
  const path = await inclusionProof(tilesOf(link, policy, checkpoint.size), index, checkpoint.size);
  return { entry: fromUtf8(entry), index, kind: "wrong-map", path: path.map(toBase64url), proof: fromUtf8(proof), v: 1 };
}

function textOf({ note }: Currency["checkpoint"]): string {
  return fromUtf8(writeNote(note));
}

/** The tiles under a checkpoint: a full one in place of a partial one that only a smaller tree had. */
function tilesOf(link: PortalLink, { origin }: LogPolicy, size: number): TileReader {
  return async (name) => {
    const octets = await link.readLog(origin, tilePath(tileAt(size, name.level, name.index)));
    return octets?.subarray(0, name.width * HASH_OCTETS) ?? new Uint8Array(0);
  };
}

async function leafAt(read: TileReader, size: number, index: number): Promise<Uint8Array> {
  const tile = Math.floor(index / TILE_WIDTH);
  const offset = (index - tile * TILE_WIDTH) * HASH_OCTETS;
  return (await read(tileAt(size, 0, tile))).slice(offset, offset + HASH_OCTETS);
}

function holds(evidence: Evidence, { logKeys, origin }: LogPolicy): boolean {
  try {
    checkEvidence(evidence, origin, logKeys);
    return true;
  } catch (error) {
    return unlessProgrammers(error) !== undefined;
  }
}

/** Nothing in place of a refusal: the accusation stands without what could not be had. */
function unlessProgrammers(error: unknown): undefined {
  if (error instanceof MeshError) return undefined;
  throw error;
}
