import { type Evidence, writeEvidence } from "../notary/evidence.ts";
import { tilesUnder } from "../notary/follow.ts";
import type { LogPolicy } from "../notary/log-policy.ts";
import { proven } from "../notary/make-evidence.ts";
import type { TileReader } from "../notary/tiles.ts";
import type { Code } from "../refusals/codes.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Client } from "./client.ts";
import type { PortalLink, Requester } from "./portal-link.ts";

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

/** The same by a device of the mesh that it is about, which may ask more. */
export type AccusedByMember = Accused & { readonly requester: Requester };

/**
 * Refuses a portal, with evidence in a file where its own signed words make some (`docs/spec/log.md` 7.2): it is judged as others will judge it before it is
 * kept. A portal that does not show what its signatures are over cannot be convicted of what is in there, and is refused all the same.
 */
export async function accuse({ client, policy }: Accused, code: Code, message: string, gather: () => Promise<Evidence | undefined>): Promise<never> {
  const evidence = await proven(gather(), policy);
  const kept = evidence === undefined ? undefined : await client.keepEvidence?.(writeEvidence(evidence), evidence.kind);
  throw new Accusation(code, message, CHEATS, kept);
}

/** The tiles under the head that is judged, as the accused serves them. */
export function tilesOf({ link, policy }: Accused, size: number): TileReader {
  return tilesUnder(async (path) => (await link.readLog(policy.origin, path)) ?? new Uint8Array(0), size);
}
