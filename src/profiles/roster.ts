import type { Digest } from "../envelope/fields.ts";
import type { Signed } from "../envelope/signed.ts";
import { type SignatureJwk, signatureKeyId } from "./keys.ts";
import type { MasterProfile } from "./master.ts";
import type { DeviceId, KeyId, MasterId } from "./types.ts";

/**
 * A version of the Master Profile as the rules see it: whose it is, and whose key stands at which rank.
 *
 * A Master Profile is large and the identifiers of its keys are digests of them; the rules ask for identifiers only, and for
 * the one key that a signature names.
 */
export type Roster = {
  readonly id: MasterId;
  readonly version: number;
  readonly digest: Digest;
  readonly recovery: KeyId;
  /** The Administration Keys in order of rank, with the device of each. */
  readonly administrators: readonly { readonly device: DeviceId; readonly key: KeyId; readonly signatureKey: SignatureJwk }[];
};

const kept = new WeakMap<MasterProfile, Roster>();

/** The roster of a Master Profile, made once. */
export function rosterOf({ payload, digest }: Pick<Signed<MasterProfile>, "digest" | "payload">): Roster {
  const known = kept.get(payload);
  if (known !== undefined) return known;
  const administrators = payload.administrationKeys.map(({ device, signatureKey }) => ({ device, key: signatureKeyId(signatureKey), signatureKey }));
  const made: Roster = { administrators, digest, id: payload.id, recovery: signatureKeyId(payload.recoveryKey), version: payload.version };
  kept.set(payload, made);
  return made;
}
