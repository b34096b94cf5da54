import { knownLogKeys } from "../../../client/log-proofs.ts";
import { checkEvidence, originIn, readEvidence } from "../../../notary/evidence.ts";
import { readVerifierKey, type VerifierKey } from "../../../notary/verifier-key.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { readOctets } from "../../octets.ts";
import { openClient } from "../../open-client.ts";
import { evidenceText } from "./told.ts";

/** The most octets of evidence that are read. */
const MAX_FILE = 1 << 20;

/** `mesh log check-evidence FILE`: { kind, origin, proves }, judged by the log's keys alone, offline. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const evidence = readEvidence(readOctets(args.needText("FILE"), MAX_FILE, "log-evidence-malformed"));
  const origin = originIn(evidence);
  const keys = (await keysFor(call)).filter(({ name }) => name === origin);
  demand(keys.length > 0, "log-wrong-origin", `This is about the log ${origin}, of which the keys are not known here.`, "Give its two keys with --key, as its Portal Profile lists them.");
  checkEvidence(evidence, origin, keys);
  const proves = evidenceText(evidence);
  output.data({ kind: evidence.kind, origin, proves }, `It holds: ${origin} ${proves}.`);
}

/** The keys that were given, or those of this device's own portal. */
async function keysFor(call: Call): Promise<readonly VerifierKey[]> {
  const given = call.args.texts("key");
  return (given.length > 0 ? given : await knownLogKeys(await openClient(call, "offline"))).map(readVerifierKey);
}
