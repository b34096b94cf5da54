import * as v from "valibot";

import { fromBase64url } from "../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { equalBytes } from "../bytes/equal.ts";
import { parseCanonical } from "../bytes/json.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import { countField, digestField, formatField, octetsField, udfField } from "../envelope/fields.ts";
import { readShape } from "../envelope/shape.ts";
import { demand } from "../refusals/mesh-error.ts";
import { readCheckpoint } from "./checkpoint.ts";
import { checkCurrencyProof } from "./currency.ts";
import { sealedObject, SALT_OCTETS, sealEntry } from "./commitment.ts";
import { MAX_ENTRY, readEntry, sealedKinds, writeEntry } from "./entry.ts";
import { logKeyOf, type LogPolicy, signedAt, trustCheckpoint, type TrustedCheckpoint } from "./log-policy.ts";
import { HASH_OCTETS, leafHash } from "./merkle.ts";
import { MAX_NOTE, readNote } from "./note.ts";
import { readWhole } from "./reading.ts";
import { checkReceipt, PROMISE_MS, readReceipt, runFor } from "./receipt.ts";
import { breaksRules } from "./rules.ts";
import { changeOf, contradicts, isNews, kindOf } from "./succession.ts";
import { readTlogProof } from "./tlog-proof.ts";
import type { VerifierKey } from "./verifier-key.ts";
import { rootFromRun, verifyConsistency, verifyInclusion } from "./verify.ts";

const hashField = octetsField({ octets: HASH_OCTETS });
const noteField = v.pipe(v.string(), v.maxLength(MAX_NOTE));
const pathField = v.pipe(v.array(hashField), v.maxLength(63));

/** A request has at most so many signed objects: its parts, and what stands around them. */
const MAX_SENT = 300;
const versionField = { id: udfField<"master">(), n: countField(), obj: digestField };
const sentShape = v.union([v.strictObject({ obj: digestField }), v.strictObject({ ...versionField, k: v.literal("master") }), v.strictObject({ ...versionField, g: countField(), k: v.literal("personal") })]);

const sentField = v.pipe(v.array(sentShape), v.maxLength(MAX_SENT));
/** What it commits to is canonical like all of the evidence, and nothing is taken of it but the object that it is about. */
const openingShape = v.strictObject({ content: v.record(v.string(), v.unknown()), k: v.picklist(sealedKinds), salt: octetsField({ octets: SALT_OCTETS }) });

/** The epoch leaf at the end of a checkpoint, and the path from it. */
const closingField = v.strictObject({ map: hashField, n: countField(), path: pathField, t: countField() });

/** A bundle has no longer entry. */
const MAX_SHOWN = 0xffff;

const shape = v.variant("kind", [
  v.strictObject({ earlier: noteField, kind: v.literal("fork"), later: noteField, proof: pathField, root: hashField, v: formatField }),
  v.strictObject({ checkpoint: noteField, found: hashField, kind: v.literal("broken-receipt"), leaf: hashField, path: pathField, receipt: noteField, v: formatField }),
  v.strictObject({ checkpoint: noteField, kind: v.literal("late-receipt"), leaf: hashField, receipt: noteField, v: formatField }),
  v.strictObject({ earlier: noteField, epochs: v.optional(v.strictTuple([closingField, closingField])), kind: v.literal("rollback"), later: noteField, v: formatField }),
  v.strictObject({ checkpoint: noteField, entries: v.pipe(v.array(octetsField({ most: MAX_SHOWN })), v.minLength(1)), from: countField(0), kind: v.literal("broken-rules"), proof: v.pipe(v.array(hashField), v.maxLength(2 * 63)), v: formatField, ways: v.array(octetsField({ most: MAX_ENTRY * 4 })) }),
  v.strictObject({ at: countField(0), kind: v.literal("wrong-entry"), proof: noteField, receipt: noteField, sent: sentField, v: formatField }),
  v.strictObject({ index: countField(0), kind: v.literal("wrong-seal"), opening: openingShape, receipt: noteField, sent: sentField, v: formatField }),
  v.strictObject({ entry: v.pipe(v.string(), v.maxLength(MAX_ENTRY)), index: countField(), kind: v.literal("wrong-map"), path: pathField, proof: noteField, v: formatField }),
]);

/**
 * What a log did, in its own signed words, so that anybody who knows its keys can see it without asking anybody (`docs/spec/log.md` 7.2).
 *
 * `fork`: the later checkpoint's tree had another `root` at the size of the earlier. `broken-receipt`: where a receipt promised one leaf another stands.
 * `late-receipt`: a checkpoint signed after the promise was due does not reach it. `rollback`: of two checkpoints the one that was signed later, or over a later epoch, has fewer entries.
 * `wrong-entry`: a receipt is for a request that held a version, and the log has something else instead, or nothing. `broken-rules`: an entry stands in the log that may not follow those before it, or an epoch leaf that commits to another map than they make. `wrong-seal`: a sealed entry that a receipt has for a request is about an object that was not in it. `wrong-map`: an entry stands in the log, and the map over it says that something older is the newest.
 */
export type Evidence = v.InferOutput<typeof shape>;

/** The epoch leaf that a checkpoint ends with, and the path that leads from it. */
export type Closing = v.InferOutput<typeof closingField>;

/** The most octets of a file of evidence. */
export const MAX_EVIDENCE = 1 << 20;

/** Reads a file of evidence; `log-evidence-malformed` for any other octets. */
export function readEvidence(octets: Uint8Array): Evidence {
  return readWhole("log-evidence-malformed", "evidence", () => readShape(shape, parseCanonical(octets, { maxBytes: MAX_EVIDENCE, maxDepth: 6 }), "log-evidence-malformed", "evidence"));
}

/** Writes a file of evidence. */
export function writeEvidence(evidence: Evidence): Uint8Array {
  return canonicalBytes(evidence as unknown as Json);
}

/** The origin of the log that evidence is about, as its notes have it: nothing vouches for that before it is judged. */
export function originIn(evidence: Evidence): string {
  if (evidence.kind === "wrong-seal") return readNote(utf8(evidence.receipt)).text.split("\n", 2)[1] ?? "";
  const note = "later" in evidence ? evidence.later : "checkpoint" in evidence ? evidence.checkpoint : fromUtf8(readTlogProof(utf8(evidence.proof)).checkpoint);
  return readCheckpoint(readNote(utf8(note)).text).origin;
}

/** Judges evidence against a log, by its keys alone: does nothing if it is proof, else `log-evidence-false`, or what is wrong with its notes. */
export function checkEvidence(evidence: Evidence, origin: string, logKeys: readonly VerifierKey[]): void {
  const policy: LogPolicy = { origin, logKeys, cosigners: [], quorum: 0, freshSeconds: 0 };
  demand(proves(evidence, policy), "log-evidence-false", "This proves nothing against that log.");
}

function proves(evidence: Evidence, policy: LogPolicy): boolean {
  const signed = (note: string): TrustedCheckpoint => trustCheckpoint(utf8(note), policy, 0);
  if (evidence.kind === "wrong-map") return isWrongMap(evidence, policy);
  if (evidence.kind === "wrong-entry") return isWrongEntry(evidence, policy);
  if (evidence.kind === "wrong-seal") return isWrongSeal(evidence, policy);
  if (evidence.kind === "broken-rules") return isAgainstRules(evidence, policy);
  if (evidence.kind === "rollback") {
    const [earlier, later] = [signed(evidence.earlier), signed(evidence.later)];
    return later.size < earlier.size && (signedAt(policy, later) > signedAt(policy, earlier) || isClosedLater(evidence.epochs, earlier, later));
  }
  if (evidence.kind === "fork") {
    const [earlier, later, root] = [signed(evidence.earlier), signed(evidence.later), fromBase64url(evidence.root)];
    return !equalBytes(root, earlier.root) && verifyConsistency(earlier.size, later.size, root, later.root, evidence.proof.map(fromBase64url));
  }
  const checkpoint = signed(evidence.checkpoint);
  const promised = fromBase64url(evidence.leaf);
  const { index, time } = checkReceipt(utf8(evidence.receipt), logKeyOf(policy.logKeys, "note"), policy.origin, promised);
  if (evidence.kind === "late-receipt") return checkpoint.size <= index && signedAt(policy, checkpoint) * 1000 > time + PROMISE_MS;
  const found = fromBase64url(evidence.found);
  return !equalBytes(found, promised) && verifyInclusion(found, index, checkpoint.size, checkpoint.root, evidence.path.map(fromBase64url));
}

/** Whether of two checkpoints the second closes an epoch of a later time, in milliseconds. */
function isClosedLater(epochs: readonly [Closing, Closing] | undefined, earlier: TrustedCheckpoint, later: TrustedCheckpoint): boolean {
  return epochs !== undefined && closes(epochs[0], earlier) && closes(epochs[1], later) && epochs[1].t > epochs[0].t;
}

function closes({ map, n, path, t }: Closing, { root, size }: TrustedCheckpoint): boolean {
  return verifyInclusion(leafHash(writeEntry({ k: "epoch", map, n, t, v: 1 })), size - 1, size, root, path.map(fromBase64url));
}

/** Whether an entry of the log is of a later version than what the map at the log's end has as the newest of the same identifier. */
function isWrongMap({ entry: text, index, path, proof }: Extract<Evidence, { kind: "wrong-map" }>, policy: LogPolicy): boolean {
  const octets = utf8(text);
  const entry = readEntry(octets);
  const change = changeOf(entry, index);
  const { checkpoint, label, value } = checkCurrencyProof(utf8(proof), policy, 0);
  if (!("id" in entry) || change?.kind !== label.kind || change.id !== label.id) return false;
  return isNews(entry, value) && verifyInclusion(leafHash(octets), index, checkpoint.size, checkpoint.root, path.map(fromBase64url));
}

/** Whether a receipt is for a request that held a version of which the map over its entries has not heard, or has another object, or says that it came later by another way. */
function isWrongEntry({ at, proof, receipt, sent }: Extract<Evidence, { kind: "wrong-entry" }>, policy: LogPolicy): boolean {
  const run = runFor(readReceipt(utf8(receipt), logKeyOf(policy.logKeys, "note"), policy.origin), sent);
  const { checkpoint, label, value } = checkCurrencyProof(utf8(proof), policy, 0);
  const object = sent[at];
  if (run === undefined || checkpoint.size < run.to || object === undefined || !("k" in object)) return false;
  return kindOf[object.k] === label.kind && object.id === label.id && contradicts(value, object, run);
}

/** Whether a receipt has, among the entries that it is for what was sent, a sealed one that opens to something about an object that was not sent. */
function isWrongSeal({ index, opening, receipt: octets, sent }: Extract<Evidence, { kind: "wrong-seal" }>, policy: LogPolicy): boolean {
  const receipt = readReceipt(utf8(octets), logKeyOf(policy.logKeys, "note"), policy.origin);
  const run = runFor(receipt, sent);
  if (run === undefined || index < run.from || index >= run.to) return false;
  const content = opening.content as Json;
  const leaf = leafHash(writeEntry(sealEntry(opening.k, { content, salt: fromBase64url(opening.salt) })));
  const object = sealedObject(opening.k, content);
  return equalBytes(receipt.leaves[index - receipt.from] ?? new Uint8Array(0), leaf) && object !== undefined && !sent.some(({ obj }) => obj === object);
}

/** Whether a run of entries, from an epoch leaf on or from the first, stands in the log and ends with one that may not be there. */
function isAgainstRules({ checkpoint: note, entries, from, proof, ways }: Extract<Evidence, { kind: "broken-rules" }>, policy: LogPolicy): boolean {
  const { root, size } = trustCheckpoint(utf8(note), policy, 0);
  const octets = entries.map(fromBase64url);
  const found = rootFromRun(octets.map(leafHash), from, size, proof.map(fromBase64url));
  return found !== undefined && equalBytes(found, root) && breaksRules(octets, from, ways.map(fromBase64url));
}
