import { toBase64 } from "../../bytes/base64.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { Reading, Store } from "../../store/store.ts";
import { readHash } from "../checkpoint.ts";
import { type NoteSigner, signNote } from "../cosignature.ts";
import type { LogHead } from "../log-head.ts";
import { writeSignatureLines } from "../note.ts";
import type { VerifierKey } from "../verifier-key.ts";
import { decideWitness, readAddCheckpoint } from "../witness.ts";
import { putRow, rowIn } from "./rows.ts";

/** By origin, the largest head of another's log that was cosigned here. It outlives this portal's own log. */
export const COSIGNED_SHELF = "cosigned";

/** A head as it is kept. */
type CosignedRow = { readonly size: number; readonly root: string };

/** What cosigning needs: where heads are kept, the keys of each log that is vouched for, by origin, and who vouches. */
export type CosigningParts = { readonly store: Store; readonly logs: ReadonlyMap<string, readonly VerifierKey[]>; readonly signer: NoteSigner; readonly now: () => number };

/** What `add-checkpoint` is answered (C2SP tlog-witness); `size` is told to who thinks that another was cosigned last. */
export type CosigningAnswer = { readonly status: 200; readonly lines: string } | { readonly status: 409; readonly size: number } | { readonly status: 400 | 403 | 404 | 422 };

/**
 * Answers `add-checkpoint`: cosigns a checkpoint of a log that is vouched for, if it continues the largest that was cosigned before.
 *
 * The head is durable before anything is signed, and kept in the transaction that compares it: of two that come at once and do not agree one is cosigned at most.
 */
export async function cosign({ store, logs, signer, now }: CosigningParts, body: Uint8Array): Promise<CosigningAnswer> {
  const request = requestOrNone(body);
  if (request === undefined) return { status: 400 };
  const { origin } = request.checkpoint;
  const keys = logs.get(origin);
  // A signature that is none costs no transaction.
  const first = decideWitness(request, keys, await store.read((r) => headIn(r, origin)));
  if (first.status === 400 || first.status === 403 || first.status === 404) return first;
  let seconds = 0;
  const decision = await store.transact(async (w) => {
    const found = decideWitness(request, keys, await headIn(w, origin));
    // What is cosigned later is of a later time, or of the same.
    seconds = Math.floor(now() / 1000);
    if (found.status === 200) await putRow(w, COSIGNED_SHELF, origin, { root: toBase64(found.head.root), size: found.head.size } satisfies CosignedRow);
    return found;
  });
  if (decision.status === 409) return { status: 409, size: decision.known };
  if (decision.status !== 200) return decision;
  return { status: 200, lines: writeSignatureLines([await signNote(signer, request.note.text, seconds)]) };
}

async function headIn(reading: Reading, origin: string): Promise<LogHead | undefined> {
  const row = await rowIn<CosignedRow>(reading, COSIGNED_SHELF, origin);
  return row === undefined ? undefined : { size: row.size, root: readHash(row.root) };
}

function requestOrNone(body: Uint8Array): ReturnType<typeof readAddCheckpoint> | undefined {
  try {
    return readAddCheckpoint(body);
  } catch (error) {
    if (error instanceof MeshError && error.code === "note-malformed") return undefined;
    throw error;
  }
}
