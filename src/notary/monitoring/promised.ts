import { toBase64url } from "../../bytes/base64url.ts";
import { fromUtf8 } from "../../bytes/text.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { Store } from "../../store/store.ts";
import { tilesIn } from "../keeping/rows.ts";
import { logKeyOf, type LogPolicy, signedAt, type TrustedCheckpoint } from "../log-policy.ts";
import { leafHash } from "../merkle.ts";
import { writeNote } from "../note.ts";
import { inclusionProof } from "../prove.ts";
import { PROMISE_MS, readReceipt } from "../receipt.ts";
import { Caught } from "./monitor.ts";

/**
 * Holds a log, as a monitor keeps it up to a checkpoint, to a receipt that somebody was given: what it promised stands where it says (`docs/spec/log.md` 3.6).
 *
 * Those of {@link readReceipt}; as {@link Caught}, `portal-broken-receipt` if something else stands there, and `portal-missing-entry` if the promise is long due,
 * at a time in milliseconds, and the log does not reach it.
 */
export async function holdToReceipt(store: Store, policy: LogPolicy, checkpoint: TrustedCheckpoint, octets: Uint8Array, now: number): Promise<void> {
  const receipt = readReceipt(octets, logKeyOf(policy.logKeys, "note"), policy.origin);
  const notes = { checkpoint: fromUtf8(writeNote(checkpoint.note)), receipt: fromUtf8(octets), v: 1 as const };
  for (const [at, promised] of receipt.leaves.entries()) {
    const [index, leaf] = [receipt.from + at, toBase64url(promised)];
    if (index >= checkpoint.size) {
      const isDue = (time: number): boolean => time > receipt.time + PROMISE_MS;
      if (!isDue(now)) return;
      const missing = new MeshError("portal-missing-entry", `The log has ${checkpoint.size} entries, and entry ${index} was promised on ${new Date(receipt.time).toISOString()}.`);
      throw new Caught(missing, isDue(signedAt(policy, checkpoint) * 1000) ? { ...notes, kind: "late-receipt", leaf } : undefined);
    }
    const kept = await store.read((r) => r.leaves(index, 1));
    const found = toBase64url(leafHash(kept[0] ?? new Uint8Array(0)));
    if (found === leaf) continue;
    const path = await store.read((r) => inclusionProof(tilesIn(r), index, checkpoint.size));
    const broken = new MeshError("portal-broken-receipt", `Entry ${index} of the log is not what a receipt of it promised.`);
    throw new Caught(broken, { ...notes, found, kind: "broken-receipt", leaf, path: path.map((hash) => toBase64url(hash)) });
  }
}
