import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import type { LogSigningKey } from "../crypto/log-key.ts";
import { type Checkpoint, readCheckpoint } from "./checkpoint.ts";
import { isCount } from "./merkle.ts";
import type { NoteSignature } from "./note.ts";
import { opaque, OctetReader, uint64 } from "./octets.ts";
import type { VerifierKey } from "./verifier-key.ts";

/** Whoever signs notes under a name: a log its checkpoints, a cosigner those of others. */
export type NoteSigner = { readonly key: VerifierKey; readonly sign: LogSigningKey["sign"] };

const TIME_OCTETS = 8;
const LABEL = utf8("subtree/v1\n\0");

/**
 * Signs the text of a note. A cosignature carries a time in seconds and is made of checkpoints only (C2SP tlog-cosignature); what a key of
 * type `note` signs carries none.
 */
export async function signNote(signer: NoteSigner, text: string, seconds: number): Promise<NoteSignature> {
  const { name, id, type } = signer.key;
  if (type === "note") return { name, id, octets: await signer.sign(utf8(text)) };
  if (!isCount(seconds)) throw new RangeError(`${seconds} is no time`);
  return { name, id, octets: concatBytes(uint64(seconds), await signer.sign(cosignedMessage(signer.key, text, seconds))) };
}

/** What a signature that is true says besides: the time of a cosignature in seconds, 0 where there is none. */
export type SignedAt = { readonly seconds: number };

/** Judges one signature under the key that its name and identifier mean; undefined where it is false, or the text is none that such a key signs. */
export function verifyNote(key: VerifierKey, text: string, { octets }: NoteSignature): SignedAt | undefined {
  if (key.type === "note") return key.key.verify(utf8(text), octets) ? { seconds: 0 } : undefined;
  const seconds = new OctetReader(octets).uint(TIME_OCTETS);
  if (seconds === undefined) return undefined;
  const message = messageOr(() => cosignedMessage(key, text, seconds));
  return message !== undefined && key.key.verify(message, octets.subarray(TIME_OCTETS)) ? { seconds } : undefined;
}

/** The first signature on a note that is true under a key, if there is one; those of other keys are passed over. */
export function signatureBy(key: VerifierKey, { text, signatures }: { readonly text: string; readonly signatures: readonly NoteSignature[] }): SignedAt | undefined {
  for (const signature of signatures) {
    if (signature.name !== key.name || signature.id !== key.id) continue;
    const signed = verifyNote(key, text, signature);
    if (signed !== undefined) return signed;
  }
  return undefined;
}

/** What is signed in place of the text: of Ed25519 a head, the time and all of the text; of ML-DSA-44 a structure with both names and the tree. */
function cosignedMessage(key: VerifierKey, text: string, seconds: number): Uint8Array {
  const checkpoint = readCheckpoint(text);
  return key.type === "subtree/v1" ? subtreeMessage(key.name, checkpoint, seconds) : utf8(`cosignature/v1\ntime ${seconds}\n${text}`);
}

function subtreeMessage(cosigner: string, { origin, size, root }: Checkpoint, seconds: number): Uint8Array {
  return concatBytes(LABEL, opaque(utf8(cosigner)), uint64(seconds), opaque(utf8(origin)), uint64(0), uint64(size), root);
}

function messageOr(message: () => Uint8Array): Uint8Array | undefined {
  try {
    return message();
  } catch {
    return undefined;
  }
}
