import { toBase64 } from "../bytes/base64.ts";
import { equalBytes } from "../bytes/equal.ts";
import { demand } from "../refusals/mesh-error.ts";
import { isOrigin, readDecimal, readHash } from "./checkpoint.ts";
import { type NoteSigner, signatureBy, signNote } from "./cosignature.ts";
import { type Hash, isCount } from "./merkle.ts";
import { readNote, writeNote } from "./note.ts";
import type { VerifierKey } from "./verifier-key.ts";

/**
 * A log's promise: these leaves stand in it, one after another, from an index on, since some time in milliseconds.
 *
 * One covers all that a portal made durable at once: whoever got it looks for its own leaf.
 */
export type Receipt = { readonly origin: string; readonly from: number; readonly time: number; readonly leaves: readonly Hash[] };

/** So many leaves at most are in one receipt: it goes in the header of an answer, and a proxy may take no more than 4 KiB of those. */
export const MAX_RECEIPT_LEAVES = 32;

/** A checkpoint must reach what a receipt promised within so many milliseconds. */
export const PROMISE_MS = 10_000;

// No checkpoint: its second line is no size.
const HEAD = "mesh-receipt/v1";

/** Signs a receipt with a log's Ed25519 key: a promise that matters until the next checkpoint, which is signed by both. */
export async function signReceipt({ origin, from, time, leaves }: Receipt, signer: NoteSigner): Promise<Uint8Array> {
  const text = [HEAD, origin, from.toString(), time.toString(), ...leaves.map(toBase64)].map((line) => `${line}\n`).join("");
  return writeNote({ text, signatures: [await signNote(signer, text, 0)] });
}

/** Reads a receipt of a log: `note-malformed`, `note-unsigned`, `log-wrong-origin`. */
export function readReceipt(octets: Uint8Array, key: VerifierKey, origin: string): Receipt {
  const note = readNote(octets);
  const [head, of = "", from = "", time = "", ...lines] = note.text.slice(0, -1).split("\n", MAX_RECEIPT_LEAVES + 5);
  demand(head === HEAD && isOrigin(of) && lines.length >= 1 && lines.length <= MAX_RECEIPT_LEAVES, "note-malformed", "This is no receipt of a log.");
  demand(of === origin, "log-wrong-origin", "This receipt is of another log.");
  demand(key.type === "note" && signatureBy(key, note) !== undefined, "note-unsigned", "This receipt is not signed by its log.");
  const receipt = { origin, from: readDecimal(from), time: readDecimal(time), leaves: lines.map(readHash) };
  demand(isCount(receipt.from + lines.length), "note-malformed", "No log has so many entries.");
  return receipt;
}

/** Where a receipt says that a leaf stands; undefined if it is about others. */
export function promisedIndex({ from, leaves }: Receipt, leaf: Hash): number | undefined {
  const at = leaves.findIndex((hash) => equalBytes(hash, leaf));
  return at < 0 ? undefined : from + at;
}

/** Reads a receipt for an entry that whoever asks knows by its leaf hash: as {@link readReceipt}, and `log-proof-false` if it is about other leaves. */
export function checkReceipt(octets: Uint8Array, key: VerifierKey, origin: string, leaf: Hash): { readonly index: number; readonly time: number } {
  const receipt = readReceipt(octets, key, origin);
  const index = promisedIndex(receipt, leaf);
  demand(index !== undefined, "log-proof-false", "This receipt is about other entries.");
  return { index, time: receipt.time };
}
