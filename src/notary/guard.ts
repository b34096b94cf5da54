import { MeshError } from "../refusals/mesh-error.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { type NoteSigner, signNote } from "./cosignature.ts";
import { EMPTY_ROOT, type Hash } from "./merkle.ts";
import { writeNote } from "./note.ts";
import { type Cosigner, showCheckpoint } from "./show.ts";

/** Where a log stands by what is kept of it: the last checkpoint that was signed, and what shows that it continues the tree of so many entries, if it is no smaller. */
export type Signed = { readonly checkpoint: Uint8Array; readonly size: number; readonly proof: readonly Hash[] };
export type SignedLog = { readonly signer: NoteSigner; readonly since: (size: number) => Promise<Signed | undefined> };

/** So often a cosigner may name another size: other processes of the same portal may be signing. */
const TRIES = 4;

/**
 * Demands that a log, after a restart, a restore or a failover, goes on from what a cosigner vouched for (decision 8.7): else it would sign what
 * contradicts its own word.
 *
 * First it shows the empty tree, which every log continues, signed by the one key that suffices: so it learns the size, and says nothing new. `log-behind-peers` if that
 * is beyond what was signed by what is kept here, or the entries are others; those of {@link showCheckpoint}.
 */
export async function checkNotBehind({ signer, since }: SignedLog, cosigner: Cosigner): Promise<void> {
  const text = writeCheckpoint({ origin: signer.key.name, size: 0, root: EMPTY_ROOT, extensions: [] });
  let answer = await showCheckpoint(cosigner, 0, [], writeNote({ text, signatures: [await signNote(signer, text, 0)] }));
  for (let tries = 0; tries < TRIES && answer.is === "elsewhere"; tries++) {
    const { size } = answer;
    // Read after the answer: what another process signed meanwhile is kept before it is shown.
    const signed = await since(size);
    if (signed === undefined || signed.size < size) throw behind(cosigner, `vouched for ${size} entries of this log, where ${signed?.size ?? 0} are signed by what is kept here`);
    answer = await showCheckpoint(cosigner, size, signed.proof, signed.checkpoint);
    if (answer.is === "contradicted" || (answer.is === "elsewhere" && answer.size === size)) throw behind(cosigner, `vouched for ${size} entries of this log that are not the first ${size} here`);
  }
  // One that does not know the log has vouched for nothing.
  if (answer.is !== "cosigned" && answer.is !== "unknown") throw new MeshError("service-answer-malformed", "A cosigner says one size after another.");
}

function behind({ key }: Cosigner, what: string): MeshError {
  return new MeshError("log-behind-peers", `${key.name} ${what}: the portal was set back.`, "Nothing was signed. Bring back the newest records; if they are lost, make a backup of these (`mesh portal backup`, after `mesh portal migrate` to a file where they are in PostgreSQL) and restore it elsewhere (`mesh portal restore`): that begins a new log.");
}
