import { fromUtf8 } from "../bytes/text.ts";
import { readHash } from "../notary/checkpoint.ts";
import type { LogPolicy } from "../notary/log-policy.ts";
import type { Hash } from "../notary/merkle.ts";
import { demand } from "../refusals/mesh-error.ts";
import { CHEATS } from "./accuse.ts";
import { holdingPortalTo } from "./blame.ts";
import type { PortalLink } from "./portal-link.ts";

/** The most octets of a proof that an honest log serves: no tree has a deeper one. */
const MAX_PROOF = 8 * 1024;

/** The hashes of a proof as the log serves them, in base64, one a line; `portal-false-data` for whatever is none. */
export async function readHashes(link: PortalLink, { origin }: LogPolicy, path: string): Promise<readonly Hash[]> {
  const octets = await link.readLog(origin, path);
  demand(octets !== undefined && octets.length <= MAX_PROOF, "portal-false-data", "The portal does not show what its log's signature is over.", CHEATS);
  return holdingPortalTo(async () => {
    const lines = fromUtf8(octets).split("\n");
    demand(lines.pop() === "", "note-malformed", "Each hash of a proof has a line of its own, which ends.");
    return lines.map(readHash);
  });
}
