import { createPublicKey, generateKeyPairSync, sign as nativeSign, verify as nativeVerify } from "node:crypto";

import { wipe } from "../bytes/equal.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { base } from "./algorithms.ts";
import { edwards } from "./edwards.ts";
import { importPrivate, importPublic, plain } from "./native.ts";
import { randomBytes } from "./random.ts";

/** A base key for co-generation (draft §5.2, decision 5.5): the device's own half of keys that applications will use. */
export type BaseKey = {
  /** An Ed25519 point, 32 octets (RFC 8032 §5.1.5). */
  readonly publicKey: Uint8Array;
  /** The Ed25519 seed, 32 octets; never leaves the device. */
  readonly privateKey: Uint8Array;
};

const component = { type: base.type, privateFormat: "raw-private" } as const;

/** Makes a base key. */
export function generateBaseKey(): BaseKey {
  const { privateKey } = generateKeyPairSync(base.type);
  return {
    publicKey: plain(createPublicKey(privateKey).export({ format: "raw-public" })),
    privateKey: plain(privateKey.export({ format: component.privateFormat })),
  };
}

/** Proves possession of a base key: an Ed25519 signature, 64 octets, over a message that names whoever claims the key. */
export function proveBaseKey(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
  return plain(nativeSign(null, message, importPrivate(component, privateKey)));
}

/** Whether a proof of possession is true; false for octets of any wrong length. Check the key itself by {@link checkBasePublicKey}. */
export function verifyBaseKeyProof(publicKey: Uint8Array, message: Uint8Array, proof: Uint8Array): boolean {
  if (publicKey.length !== base.publicKeyOctets || proof.length !== base.signatureOctets) return false;
  return nativeVerify(null, message, importPublic(base.type, publicKey), proof);
}

/**
 * Refuses (`key-malformed`) a base key to which adding a contribution would be unsafe: off the curve, in another spelling,
 * the identity, of small order, or outside the prime-order subgroup.
 */
export async function checkBasePublicKey(publicKey: Uint8Array): Promise<void> {
  if (!(await edwards()).isPoint(publicKey)) throw new MeshError("key-malformed", "This base key is not a point of prime order on Ed25519.");
}

/** What whoever administers an application adds to a device's base key: a secret scalar of 32 octets, and the public key of the two together. */
export type Contribution = { readonly scalar: Uint8Array; readonly publicKey: Uint8Array };

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
