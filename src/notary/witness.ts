import { toBase64 } from "../bytes/base64.ts";
import { equalBytes } from "../bytes/equal.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import { demand } from "../refusals/mesh-error.ts";
import { type Checkpoint, readCheckpoint, readDecimal, readHash } from "./checkpoint.ts";
import { signatureBy } from "./cosignature.ts";
import { continues, type LogHead, NO_HEAD } from "./log-head.ts";
import type { Hash } from "./merkle.ts";
import { type Note, readSignatureLines, splitNote } from "./note.ts";
import { readOr } from "./reading.ts";
import type { VerifierKey } from "./verifier-key.ts";

/** A log's request to be cosigned: which size it thinks was cosigned last, and how it went on from there (C2SP tlog-witness). */
export type AddCheckpoint = { readonly old: number; readonly proof: readonly Hash[]; readonly checkpoint: Checkpoint; readonly note: Note };

/** What a witness does with a request: cosign, after the head is kept by compare-and-set on the one it was judged against; or answer with a status, and with the size that it knows. */
export type WitnessDecision =
  | { readonly status: 200; readonly head: LogHead }
  | { readonly status: 403 | 404 | 400 | 422 }
  | { readonly status: 409; readonly known: number };

const MAX_OCTETS = 512 * 1024;
const MAX_PROOF = 63;

/** Reads the body of `add-checkpoint`; `note-malformed` for any other octets, which is status 400. */
export function readAddCheckpoint(request: Uint8Array): AddCheckpoint {
  demand(request.length <= MAX_OCTETS, "note-malformed", `A request has at most ${MAX_OCTETS} octets.`);
  const text = readOr("note-malformed", "A request is UTF-8 text.", () => fromUtf8(request));
  const end = text.indexOf("\n\n");
  const [old = "", ...proof] = text.slice(0, Math.max(0, end)).split("\n", MAX_PROOF + 2);
  demand(old.startsWith("old ") && proof.length <= MAX_PROOF, "note-malformed", `A request begins with the old size, and has at most ${MAX_PROOF} hashes.`);
  const { text: body, lines } = splitNote(utf8(text.slice(end + 2)));
  return { old: readDecimal(old.slice("old ".length)), proof: proof.map(readHash), checkpoint: readCheckpoint(body), note: { text: body, signatures: signaturesOrNone(lines) } };
}

/** What does not read as a signature is none that verifies: the status of that is another than of a malformed request. */
function signaturesOrNone(lines: string): Note["signatures"] {
  try {
    return readSignatureLines(lines);
  } catch {
    return [];
  }
}

/** Writes the body of `add-checkpoint`. */
export function writeAddCheckpoint(old: number, proof: readonly Hash[], checkpoint: Uint8Array): Uint8Array {
  return utf8(`${[`old ${old}`, ...proof.map((hash) => toBase64(hash))].join("\n")}\n\n${fromUtf8(checkpoint)}`);
}

/**
 * Decides on a request, given the keys of the log whose origin it names (`undefined` for a log that is not known) and the head that was
 * cosigned last.
 */
export function decideWitness({ old, proof, checkpoint, note }: AddCheckpoint, keys: readonly VerifierKey[] | undefined, known: LogHead = NO_HEAD): WitnessDecision {
  if (keys === undefined) return { status: 404 };
  if (!keys.some((key) => signatureBy(key, note) !== undefined)) return { status: 403 };
  if (old > checkpoint.size) return { status: 400 };
  if (old !== known.size) return { status: 409, known: known.size };
  // The same size with another root is a fork; the log is told what it would be told if it were late.
  if (old === checkpoint.size && !equalBytes(known.root, checkpoint.root)) return { status: 409, known: known.size };
  if (!continues(known, checkpoint, proof)) return { status: 422 };
  return { status: 200, head: { size: checkpoint.size, root: checkpoint.root } };
}
