import { fromUtf8 } from "../bytes/text.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { readDecimal } from "./checkpoint.ts";
import { signatureBy } from "./cosignature.ts";
import type { Hash } from "./merkle.ts";
import { type NoteSignature, readNote, readSignatureLines } from "./note.ts";
import type { VerifierKey } from "./verifier-key.ts";
import { writeAddCheckpoint } from "./witness.ts";

/** One who may vouch for a log: its key, and a way to put a request to its `add-checkpoint`. Whatever goes wrong on the way is thrown. */
export type Cosigner = { readonly key: VerifierKey; readonly send: (request: Uint8Array) => Promise<{ readonly status: number; readonly body: Uint8Array }> };

/** What a cosigner makes of a checkpoint: vouches for it; says that another size was the last; says that it does not continue that; or does not know the log. */
export type CosignerAnswer = { readonly is: "cosigned"; readonly signature: NoteSignature; readonly seconds: number } | { readonly is: "elsewhere"; readonly size: number } | { readonly is: "contradicted" } | { readonly is: "unknown" };

/** Shows a cosigner a checkpoint; `service-answer-malformed` for an answer that is none, a signature that does not verify among them. */
export async function showCheckpoint({ key, send }: Cosigner, old: number, proof: readonly Hash[], checkpoint: Uint8Array): Promise<CosignerAnswer> {
  const { body, status } = await send(writeAddCheckpoint(old, proof, checkpoint));
  if (status === 404) return { is: "unknown" };
  if (status === 422) return { is: "contradicted" };
  demand(status === 200 || status === 409, "service-answer-malformed", `A cosigner answered ${status}.`);
  try {
    if (status === 409) return { is: "elsewhere", size: readDecimal(fromUtf8(body).replace(/\n$/, "")) };
    const { text } = readNote(checkpoint);
    const signature = readSignatureLines(fromUtf8(body)).find((one) => signatureBy(key, { text, signatures: [one] }) !== undefined);
    const seconds = signature === undefined ? undefined : signatureBy(key, { text, signatures: [signature] })?.seconds;
    if (signature !== undefined && seconds !== undefined) return { is: "cosigned", signature, seconds };
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
  }
  throw new MeshError("service-answer-malformed", "A cosigner's answer holds neither a size nor a signature by its key.");
}
