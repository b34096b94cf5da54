import { equalBytes } from "../bytes/equal.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { EMPTY_ROOT, type Hash } from "./merkle.ts";
import { verifyConsistency } from "./verify.ts";

/** Where a log stood when it was last looked at: what a client, a mirror or a witness keeps of it. */
export type LogHead = { readonly size: number; readonly root: Hash };

/** Where every log stands before anybody looked. */
export const NO_HEAD: LogHead = { size: 0, root: EMPTY_ROOT };

/**
 * Goes on from what is known of a log to what it shows now, which must continue it.
 *
 * `portal-older-log` if it shows less, `portal-forked-log` if something else. Whose checkpoints they are, and that both are signed, the caller has judged.
 */
export function advance(known: LogHead, { size, root }: Pick<Checkpoint, "size" | "root">, proof: readonly Hash[]): LogHead {
  demandNoOlder(size, known.size);
  if (!continues(known, { size, root }, proof)) throw new MeshError("portal-forked-log", `The log of ${size} entries does not continue that of ${known.size}.`);
  return { size, root };
}

/** Demands that a log is no shorter than it was: `portal-older-log`. */
export function demandNoOlder(size: number, known: number): void {
  demand(size >= known, "portal-older-log", `The log has ${size} entries where it had ${known}.`);
}

/** Whether a head that is no smaller continues another. */
export function continues(known: LogHead, { size, root }: LogHead, proof: readonly Hash[]): boolean {
  if (known.size > 0) return verifyConsistency(known.size, size, known.root, root, proof);
  return proof.length === 0 && (size > 0 || equalBytes(root, EMPTY_ROOT));
}
