import { createPublicKey, type KeyObject, verify } from "node:crypto";

import { MeshError } from "../refusals/mesh-error.ts";

// 2017 made keys of 2,048 bits; longer than 4,096 would only cost whoever looks at them.
const MODULUS_BITS = { least: 2048, most: 4096 } as const;
const LEAST_EXPONENT = 65_537n;
const MOST_EXPONENT = 2n ** 32n;

/** An RSA public key: for reading what was signed elsewhere (decision 2.3), since nothing of ours is signed by one. */
export type RsaKey = { readonly kind: "rsa"; readonly key: KeyObject };

/** Reads DER RSAPublicKey (RFC 8017 A.1.1); `key-malformed` if it is none, or of other sizes than 2,048 to 4,096 bits and e from 65,537 to 2^32. */
export function rsaKeyFromPkcs1(der: Uint8Array): RsaKey {
  const key = importKey(der);
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < MODULUS_BITS.least || modulusLength > MODULUS_BITS.most) throw new MeshError("key-malformed", `This RSA key has ${modulusLength} bits, not ${MODULUS_BITS.least} to ${MODULUS_BITS.most}.`);
  if (publicExponent < LEAST_EXPONENT || publicExponent > MOST_EXPONENT || publicExponent % 2n === 0n) throw new MeshError("key-malformed", "This RSA key has an exponent that nobody uses.");
  return { kind: "rsa", key };
}

/** Whether an RSASSA-PKCS1-v1_5 signature with SHA-512 over a message is true (RFC 8017 §8.2.2). */
export function verifyRsaSha512(key: RsaKey, message: Uint8Array, signature: Uint8Array): boolean {
  return verify("sha512", message, key.key, signature);
}

function importKey(der: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: der as Buffer, format: "der", type: "pkcs1" });
  } catch {
    throw new MeshError("key-malformed", "This is not an RSA public key.");
  }
}
