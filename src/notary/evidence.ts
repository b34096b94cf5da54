import * as v from "valibot";

import { fromBase64url } from "../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { equalBytes } from "../bytes/equal.ts";
import { parseCanonical } from "../bytes/json.ts";
import { utf8 } from "../bytes/text.ts";
import { formatField, octetsField } from "../envelope/fields.ts";
import { readShape } from "../envelope/shape.ts";
import { demand } from "../refusals/mesh-error.ts";
import { signatureBy } from "./cosignature.ts";
import { trustCheckpoint, type TrustedCheckpoint } from "./log-policy.ts";
import { HASH_OCTETS } from "./merkle.ts";
import { readWhole } from "./reading.ts";
import { checkReceipt, PROMISE_MS } from "./receipt.ts";
import type { VerifierKey } from "./verifier-key.ts";
import { verifyConsistency, verifyInclusion } from "./verify.ts";

const hashField = octetsField({ octets: HASH_OCTETS });
const noteField = v.pipe(v.string(), v.maxLength(256 * 1024));
const pathField = v.pipe(v.array(hashField), v.maxLength(63));

const shape = v.variant("kind", [
  v.strictObject({ earlier: noteField, kind: v.literal("fork"), later: noteField, proof: pathField, root: hashField, v: formatField }),
  v.strictObject({ checkpoint: noteField, found: hashField, kind: v.literal("broken-receipt"), leaf: hashField, path: pathField, receipt: noteField, v: formatField }),
  v.strictObject({ checkpoint: noteField, kind: v.literal("late-receipt"), leaf: hashField, receipt: noteField, v: formatField }),
]);

/**
 * What a log did, in its own signed words, so that anybody who knows its keys can see it without asking anybody (`docs/spec/log.md` 7.2).
 *
 * `fork`: the later checkpoint's tree had another `root` at the size of the earlier. `broken-receipt`: where a receipt promised one leaf another stands.
 * `late-receipt`: a checkpoint signed after the promise was due does not reach it.
 */
export type Evidence = v.InferOutput<typeof shape>;

const MAX_OCTETS = 1 << 20;

/** Reads a file of evidence; `log-evidence-malformed` for any other octets. */
export function readEvidence(octets: Uint8Array): Evidence {
  return readWhole("log-evidence-malformed", "evidence", () => readShape(shape, parseCanonical(octets, { maxBytes: MAX_OCTETS, maxDepth: 2 }), "log-evidence-malformed", "evidence"));
}

/** Writes a file of evidence. */
export function writeEvidence(evidence: Evidence): Uint8Array {
  return canonicalBytes(evidence as unknown as Json);
}

/** Judges evidence against a log, by its keys alone: does nothing if it is proof, else `log-evidence-false`, or what is wrong with its notes. */
export function checkEvidence(evidence: Evidence, origin: string, logKeys: readonly VerifierKey[]): void {
  const signed = (note: string): TrustedCheckpoint => trustCheckpoint(utf8(note), { origin, logKeys, cosigners: [], quorum: 0, freshSeconds: 0 }, 0);
  demand(proves(evidence, signed, origin, logKeys), "log-evidence-false", "This proves nothing against that log.");
}

function proves(evidence: Evidence, signed: (note: string) => TrustedCheckpoint, origin: string, logKeys: readonly VerifierKey[]): boolean {
  if (evidence.kind === "fork") {
    const [earlier, later, root] = [signed(evidence.earlier), signed(evidence.later), fromBase64url(evidence.root)];
    return !equalBytes(root, earlier.root) && verifyConsistency(earlier.size, later.size, root, later.root, evidence.proof.map(fromBase64url));
  }
  const checkpoint = signed(evidence.checkpoint);
  const promised = fromBase64url(evidence.leaf);
  const { index, time } = checkReceipt(utf8(evidence.receipt), keyOf(logKeys, "note"), origin, promised);
  if (evidence.kind === "late-receipt") {
    const { seconds } = signatureBy(keyOf(logKeys, "subtree/v1"), checkpoint.note) ?? { seconds: 0 };
    return checkpoint.size <= index && seconds * 1000 > time + PROMISE_MS;
  }
  const found = fromBase64url(evidence.found);
  return !equalBytes(found, promised) && verifyInclusion(found, index, checkpoint.size, checkpoint.root, evidence.path.map(fromBase64url));
}

function keyOf(logKeys: readonly VerifierKey[], type: VerifierKey["type"]): VerifierKey {
  const key = logKeys.find((one) => one.type === type);
  demand(key !== undefined, "note-unsigned", `This log has no key of type ${type}.`);
  return key;
}
