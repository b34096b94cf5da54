import { equalBytes, wipe } from "../bytes/equal.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { edwards } from "./edwards.ts";
import { randomBytes } from "./random.ts";

/**
 * Refuses (`key-malformed`) a base key to which adding a contribution would be unsafe: off the curve, in another spelling,
 * the identity, of small order, or outside the prime-order subgroup.
 */
export async function checkBasePublicKey(publicKey: Uint8Array): Promise<void> {
  if (!(await edwards()).isPoint(publicKey)) throw new MeshError("key-malformed", "This base key is not a point of prime order on Ed25519.");
}

/** What whoever administers an application adds to a device's base key: a secret scalar of 32 octets, and the public key of the two together. */
export type Contribution = { readonly scalar: Uint8Array; readonly publicKey: Uint8Array };

/** Whether a contribution to a base key gives the public key that it is said to give; false for octets of any wrong length. */
export async function isContribution(baseKey: Uint8Array, { scalar, publicKey }: Contribution): Promise<boolean> {
  const curve = await edwards();
  const share = scalar.length === 32 ? curve.timesBase(scalar) : undefined;
  if (share === undefined || !curve.isPoint(baseKey)) return false;
  const sum = curve.add(baseKey, share);
  return curve.isPoint(sum) && equalBytes(sum, publicKey);
}

/** Draws a contribution to a base key, which is checked as by {@link checkBasePublicKey}; it must be drawn after the base key is seen (decision 5.5). */
export async function contribute(baseKey: Uint8Array): Promise<Contribution> {
  await checkBasePublicKey(baseKey);
  const curve = await edwards();
  for (;;) {
    const wide = randomBytes(64);
    const scalar = curve.reduce(wide);
    wipe(wide);
    const share = curve.timesBase(scalar);
    // The base key's negative gives the identity: once in 2^252 draws.
    const publicKey = share === undefined ? undefined : curve.add(baseKey, share);
    if (publicKey !== undefined && curve.isPoint(publicKey)) return { scalar, publicKey };
  }
}
