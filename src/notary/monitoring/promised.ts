import { MeshError } from "../../refusals/mesh-error.ts";
import type { Store } from "../../store/store.ts";
import { tilesIn } from "../keeping/rows.ts";
import { logKeyOf, type LogPolicy, type TrustedCheckpoint } from "../log-policy.ts";
import { brokenEvidence, lateEvidence, proven } from "../make-evidence.ts";
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
  const given = { octets, receipt };
  const broken = await proven(brokenEvidence(given, { checkpoint, read: (name) => store.read((r) => tilesIn(r)(name)) }), policy);
  if (broken !== undefined) throw new Caught(new MeshError("portal-broken-receipt", "Where a receipt promised one entry of the log another stands."), broken);
  const end = receipt.from + receipt.leaves.length;
  if (end <= checkpoint.size || now <= receipt.time + PROMISE_MS) return;
  const missing = new MeshError("portal-missing-entry", `The log has ${checkpoint.size} entries, and entry ${end - 1} was promised on ${new Date(receipt.time).toISOString()}.`);
  throw new Caught(missing, await proven(lateEvidence(given, checkpoint, end - 1), policy));
}
