import { toBase64 } from "../bytes/base64.ts";
import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { equalBytes } from "../bytes/equal.ts";
import { sha256 } from "../crypto/digest.ts";
import type { Digest } from "../envelope/fields.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import type { Udf } from "../udf/udf.ts";
import { isOrigin, readDecimal, readHash } from "./checkpoint.ts";
import { type NoteSigner, signatureBy, signNote } from "./cosignature.ts";
import { type Hash, isCount } from "./merkle.ts";
import { readNote, writeNote } from "./note.ts";
import type { VerifierKey } from "./verifier-key.ts";

/** What a transaction was asked for: the signed objects of its request, by digest, and which version of what they are where the map tells of them. */
export type SentObject =
  | { readonly obj: Digest }
  | { readonly id: Udf<"master">; readonly k: "master"; readonly n: number; readonly obj: Digest }
  | { readonly g: number; readonly id: Udf<"master">; readonly k: "personal"; readonly n: number; readonly obj: Digest };

/** Entries that one transaction made: their leaves, and the hash of what it was sent. */
export type PromisedRun = { readonly leaves: readonly Hash[]; readonly sent: Hash };

/**
 * A log's promise: these leaves stand in it, one after another, from an index on, since some time in milliseconds; each run of them for what was sent.
 *
 * One covers all that a portal made durable at once: whoever got it looks for its own.
 */
export type Promised = { readonly origin: string; readonly from: number; readonly time: number; readonly runs: readonly PromisedRun[] };

/** A receipt as it was read: the leaves of all its runs, and of each where it begins and ends (exclusive). */
export type Receipt = { readonly origin: string; readonly from: number; readonly time: number; readonly leaves: readonly Hash[]; readonly runs: readonly { readonly from: number; readonly to: number; readonly sent: Hash }[] };

/** So many leaves at most are in one receipt: it goes in the header of an answer, and a proxy may take no more than 4 KiB of those. */
export const MAX_RECEIPT_LEAVES = 24;

/** A checkpoint must reach what a receipt promised within so many milliseconds. */
export const PROMISE_MS = 10_000;

// No checkpoint: its second line is no size.
const HEAD = "mesh-receipt/v1";
const SENT = "sent ";

/** What a receipt has of the objects of a request: SHA-256 over their JCS. */
export function sentHash(sent: readonly SentObject[]): Hash {
  return sha256(canonicalBytes(sent as unknown as Json));
}

/** Signs a receipt with a log's Ed25519 key: a promise that matters until the next checkpoint, which is signed by both. */
export async function signReceipt({ origin, from, time, runs }: Promised, signer: NoteSigner): Promise<Uint8Array> {
  const lines = runs.flatMap(({ leaves, sent }) => [...leaves.map((leaf) => toBase64(leaf)), `${SENT}${toBase64(sent)}`]);
  const text = [HEAD, origin, from.toString(), time.toString(), ...lines].map((line) => `${line}\n`).join("");
  return writeNote({ text, signatures: [await signNote(signer, text, 0)] });
}

/** Reads a receipt of a log: `note-malformed`, `note-unsigned`, `log-wrong-origin`. */
export function readReceipt(octets: Uint8Array, key: VerifierKey, origin: string): Receipt {
  const note = readNote(octets);
  const [head, of = "", from = "", time = "", ...lines] = note.text.slice(0, -1).split("\n", 2 * MAX_RECEIPT_LEAVES + 5);
  demand(head === HEAD && isOrigin(of), "note-malformed", "This is no receipt of a log.");
  demand(of === origin, "log-wrong-origin", "This receipt is of another log.");
  demand(key.type === "note" && signatureBy(key, note) !== undefined, "note-unsigned", "This receipt is not signed by its log.");
  return { origin, from: readDecimal(from), time: readDecimal(time), ...readRuns(lines, readDecimal(from)) };
}

function readRuns(lines: readonly string[], from: number): Pick<Receipt, "leaves" | "runs"> {
  const leaves: Hash[] = [];
  const runs: Receipt["runs"][number][] = [];
  for (const line of lines) {
    const begun = runs.at(-1)?.to ?? from;
    const to = from + leaves.length;
    if (!line.startsWith(SENT)) leaves.push(readHash(line));
    else if (to > begun) runs.push({ from: begun, to, sent: readHash(line.slice(SENT.length)) });
    else throw new MeshError("note-malformed", "A receipt says what was sent behind the leaves that it led to.");
  }
  const isWhole = leaves.length >= 1 && leaves.length <= MAX_RECEIPT_LEAVES && runs.at(-1)?.to === from + leaves.length;
  demand(isWhole && isCount(from + leaves.length), "note-malformed", "A receipt has leaves, and behind those of each transaction what was sent.");
  return { leaves, runs };
}

/** The run of a receipt that is for what was sent; undefined if none is. */
export function runFor({ runs }: Receipt, sent: readonly SentObject[]): Receipt["runs"][number] | undefined {
  const hash = sentHash(sent);
  return runs.find((run) => equalBytes(run.sent, hash));
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
