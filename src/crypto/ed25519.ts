import { createPublicKey, generateKeyPairSync, sign as nativeSign, verify as nativeVerify } from "node:crypto";

import { concatBytes, equalBytes } from "../bytes/equal.ts";
import { base } from "./algorithms.ts";
import { importPrivate, importPublic, plain } from "./native.ts";

/** A key of Ed25519 (RFC 8032), for what others chose: SSH, and the halves of keys that are made together. */
export type Ed25519Key = {
  /** A point, 32 octets (§5.1.5). */
  readonly publicKey: Uint8Array;
  /** The seed, 32 octets. */
  readonly privateKey: Uint8Array;
};

const component = { type: base.type, privateFormat: "raw-private" } as const;

/** Makes a key. */
export function generateEd25519(): Ed25519Key {
  const { privateKey } = generateKeyPairSync(base.type);
  return {
    publicKey: plain(createPublicKey(privateKey).export({ format: "raw-public" })),
    privateKey: plain(privateKey.export({ format: component.privateFormat })),
  };
}

// OneAsymmetricKey version 1 of Ed25519 around a seed (RFC 8410 §7): one spelling, so its beginning is always the same.
const PKCS8 = Uint8Array.fromHex("302e020100300506032b657004220420");

/** A seed as PKCS#8, a secret in the clear. */
export function ed25519ToPkcs8(seed: Uint8Array): Uint8Array {
  return concatBytes(PKCS8, seed);
}

/** The seed in PKCS#8, a copy; undefined for any other key. */
export function ed25519FromPkcs8(bytes: Uint8Array): Uint8Array | undefined {
  return bytes.length === PKCS8.length + base.privateKeyOctets && equalBytes(bytes.subarray(0, PKCS8.length), PKCS8) ? bytes.slice(PKCS8.length) : undefined;
}

/** Signs by a seed: 64 octets, always the same. */
export function signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return plain(nativeSign(null, message, importPrivate(component, seed)));
}

/** Whether a signature is true; false for octets of any wrong length. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== base.publicKeyOctets || signature.length !== base.signatureOctets) return false;
  return nativeVerify(null, message, importPublic(base.type, publicKey), signature);
}
