import * as v from "valibot";

import { kem, signature } from "../crypto/algorithms.ts";
import type { EncapsulationKey, VerifyingKey } from "../crypto/key-pair.ts";
import { encapsulationKeyFromJwk, publicJwk, verifyingKeyFromJwk } from "../crypto/key-encoding.ts";
import { octetsField } from "../envelope/fields.ts";
import { type Udf, udfOfKey } from "../udf/udf.ts";

/** A public signature key inside a profile (draft §4.4: one suite, no choice). */
export const signatureKeyShape = v.strictObject({ alg: v.literal(signature.jose), kty: v.literal("AKP"), pub: octetsField({ octets: signature.publicKeyOctets }) });
export type SignatureJwk = v.InferOutput<typeof signatureKeyShape>;

/** A public key-encapsulation key inside a profile: for encryption or, a separate one, for authentication (decision 2.4). */
export const encapsulationKeyShape = v.strictObject({ alg: v.literal(kem.josePublic), kty: v.literal("AKP"), pub: octetsField({ octets: kem.publicKeyOctets }) });
export type EncapsulationJwk = v.InferOutput<typeof encapsulationKeyShape>;

const KEPT_KEYS = 64;
const verifyingKeys = new Map<string, VerifyingKey>();
const encapsulationKeys = new Map<string, EncapsulationKey>();

/** The key that a profile names, ready to verify with; imports are kept, since one key verifies many objects. */
export function verifyingKey(jwk: SignatureJwk): VerifyingKey {
  return kept(verifyingKeys, jwk.pub, () => verifyingKeyFromJwk(jwk));
}

/** The key that a profile names, ready to encapsulate to. */
export function encapsulationKey(jwk: EncapsulationJwk): EncapsulationKey {
  return kept(encapsulationKeys, jwk.pub, () => encapsulationKeyFromJwk(jwk));
}

/** The identifier of a signature key: the UDF of its SubjectPublicKeyInfo (decision 3.1). */
export function signatureKeyId<Of extends string = "signature-key">(jwk: SignatureJwk): Udf<Of> {
  return udfOfKey(verifyingKey(jwk).spki) as Udf<Of>;
}

/** The identifier of an encapsulation key. */
export function encapsulationKeyId(jwk: EncapsulationJwk): Udf<"encryption-key"> {
  return udfOfKey(encapsulationKey(jwk).spki) as Udf<"encryption-key">;
}

/** A signature key as it stands in a profile. */
export function signatureJwk(key: VerifyingKey): SignatureJwk {
  return publicJwk(key) as SignatureJwk;
}

/** An encapsulation key as it stands in a profile. */
export function encapsulationJwk(key: EncapsulationKey): EncapsulationJwk {
  return publicJwk(key) as EncapsulationJwk;
}

/** Forgets imported keys: they are kept only to be quick. */
export function forgetKeys(): void {
  verifyingKeys.clear();
  encapsulationKeys.clear();
}

/** A small least-recently-used memory of imported keys. */
function kept<K>(memory: Map<string, K>, name: string, make: () => K): K {
  const known = memory.get(name);
  if (known !== undefined) {
    memory.delete(name);
    memory.set(name, known);
    return known;
  }
  const made = make();
  memory.set(name, made);
  const oldest = memory.keys().next();
  if (memory.size > KEPT_KEYS && !oldest.done) memory.delete(oldest.value);
  return made;
}
