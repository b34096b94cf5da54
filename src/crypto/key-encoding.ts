import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { contextTag, derContext, derInteger, derOctetString, derOid, derSequence, tags } from "../bytes/der.ts";
import { bitStringOf, contentsOf, readDer, sequenceOf } from "../bytes/der-reader.ts";
import { concatBytes, equalBytes } from "../bytes/equal.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { kem, signature } from "./algorithms.ts";
import { DecapsulationKey, EncapsulationKey, privateHalves, privateOctetsOf, SigningKey, VerifyingKey } from "./key-pair.ts";

/** A public key as JSON, exactly these members (RFC 9964 key type `AKP`). */
export type PublicJwk = { readonly alg: string; readonly kty: "AKP"; readonly pub: string };

/** A private key as JSON: the public one and `priv`, the seeds of both components. */
export type PrivateJwk = PublicJwk & { readonly priv: string };

/**
 * Each key has one spelling in each form, and every reader here refuses all others with `key-malformed`: the octets read
 * are written again and compared, so no second DER or JSON can name the same key.
 */
type Kind<Public extends { readonly raw: Uint8Array; readonly spki: Uint8Array }, Private> = {
  readonly composite: typeof signature | typeof kem;
  readonly alg: string;
  readonly publicKey: (raw: Uint8Array) => Public;
  readonly privateKey: (raw: Uint8Array) => Private;
};

const signing: Kind<VerifyingKey, SigningKey> = {
  composite: signature,
  alg: signature.jose,
  publicKey: (raw) => new VerifyingKey(raw),
  privateKey: (raw) => new SigningKey(privateHalves(signature, raw)),
};

const encapsulating: Kind<EncapsulationKey, DecapsulationKey> = {
  composite: kem,
  alg: kem.josePublic,
  publicKey: (raw) => new EncapsulationKey(raw),
  privateKey: (raw) => new DecapsulationKey(privateHalves(kem, raw)),
};

/** Reads a public signature key from DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). */
export function verifyingKeyFromSpki(spki: Uint8Array): VerifyingKey {
  return fromSpki(signing, spki);
}

/** Reads a public encryption key from DER SubjectPublicKeyInfo. */
export function encapsulationKeyFromSpki(spki: Uint8Array): EncapsulationKey {
  return fromSpki(encapsulating, spki);
}

/** Reads a public signature key from a JWK; unknown members are refused. */
export function verifyingKeyFromJwk(jwk: PublicJwk): VerifyingKey {
  return fromPublicJwk(signing, jwk);
}

/** Reads a public encryption key from a JWK; unknown members are refused. */
export function encapsulationKeyFromJwk(jwk: PublicJwk): EncapsulationKey {
  return fromPublicJwk(encapsulating, jwk);
}

/** A public key as JWK. */
export function publicJwk(key: VerifyingKey | EncapsulationKey): PublicJwk {
  return { alg: key instanceof VerifyingKey ? signature.jose : kem.josePublic, kty: "AKP", pub: toBase64url(key.raw) };
}

/** A private key as JWK: a secret in the clear. */
export function privateJwk(key: SigningKey | DecapsulationKey): PrivateJwk {
  const composite = key instanceof SigningKey ? signature : kem;
  return { ...publicJwk(key.publicKey), priv: toBase64url(privateOctetsOf(composite, key.halves)) };
}

/** Reads a private signature key from a JWK; `pub` must belong to `priv`. */
export function signingKeyFromJwk(jwk: PrivateJwk): SigningKey {
  return fromPrivateJwk(signing, jwk);
}

/** Reads a private encryption key from a JWK; `pub` must belong to `priv`. */
export function decapsulationKeyFromJwk(jwk: PrivateJwk): DecapsulationKey {
  return fromPrivateJwk(encapsulating, jwk);
}

/** A private signature key as PKCS#8, a secret in the clear: OneAsymmetricKey version 2 with its public key (RFC 5958 §2). */
export function signingKeyToPkcs8(key: SigningKey): Uint8Array {
  return pkcs8(signature.oid, privateOctetsOf(signature, key.halves), key.publicKey.raw);
}

/** A private encryption key as PKCS#8, a secret in the clear. */
export function decapsulationKeyToPkcs8(key: DecapsulationKey): Uint8Array {
  return pkcs8(kem.oid, privateOctetsOf(kem, key.halves), key.publicKey.raw);
}

/** Reads a private signature key from PKCS#8; the public key in it must belong to the private one. */
export function signingKeyFromPkcs8(bytes: Uint8Array): SigningKey {
  return fromPkcs8(signing, bytes);
}

/**
 * Reads a private encryption key from PKCS#8; the public key in it must belong to the private one.
 *
 * No reader can check z, the 32 octets of the ML-KEM seed that only decide what a false ciphertext gives (FIPS 203 §7.3).
 */
export function decapsulationKeyFromPkcs8(bytes: Uint8Array): DecapsulationKey {
  return fromPkcs8(encapsulating, bytes);
}

function fromSpki<P extends { readonly spki: Uint8Array }>(kind: Kind<P & { readonly raw: Uint8Array }, unknown>, spki: Uint8Array): P {
  const key = kind.publicKey(asKey(() => bitStringOf(sequenceOf(readDer(spki))[1])));
  // The identifier of the algorithm, the order and number of elements and every length are compared here, all at once.
  if (!equalBytes(key.spki, spki)) throw malformed("not the SubjectPublicKeyInfo of this suite in its one spelling");
  return key;
}

function fromPublicJwk<P>(kind: Kind<P & { readonly raw: Uint8Array; readonly spki: Uint8Array }, unknown>, jwk: PublicJwk): P {
  checkMembers(kind.alg, jwk, "alg kty pub");
  return kind.publicKey(asKey(() => fromBase64url(jwk.pub)));
}

function fromPrivateJwk<K extends { readonly publicKey: { readonly raw: Uint8Array } }>(kind: Kind<VerifyingKey | EncapsulationKey, K>, jwk: PrivateJwk): K {
  checkMembers(kind.alg, jwk, "alg kty priv pub");
  const key = kind.privateKey(asKey(() => fromBase64url(jwk.priv)));
  if (toBase64url(key.publicKey.raw) !== jwk.pub) throw malformed("the public key is not that of the private key");
  return key;
}

function checkMembers(alg: string, jwk: PublicJwk, members: string): void {
  const good = typeof jwk === "object" && jwk !== null && Object.keys(jwk).sort().join(" ") === members && jwk.kty === "AKP" && jwk.alg === alg && Object.values(jwk).every((one) => typeof one === "string");
  if (!good) throw malformed(`not a JWK with exactly the members ${members} and the algorithm ${alg}`);
}

function pkcs8(oid: string, raw: Uint8Array, publicRaw: Uint8Array): Uint8Array {
  const publicKey = derContext(1, "primitive", concatBytes(Uint8Array.of(0), publicRaw));
  return derSequence(derInteger(1), derSequence(derOid(oid)), derOctetString(raw), publicKey);
}

function fromPkcs8<K extends { readonly publicKey: { readonly raw: Uint8Array } }>(kind: Kind<VerifyingKey | EncapsulationKey, K>, bytes: Uint8Array): K {
  const { raw, publicRaw } = asKey(() => {
    const [, , privateElement, publicElement] = sequenceOf(readDer(bytes));
    return { raw: contentsOf(privateElement, tags.octetString), publicRaw: bitStringOf(publicElement, contextTag(1, "primitive")) };
  });
  const key = kind.privateKey(raw);
  if (!equalBytes(key.publicKey.raw, publicRaw)) throw malformed("the public key is not that of the private key");
  if (!equalBytes(pkcs8(kind.composite.oid, raw, publicRaw), bytes)) throw malformed("not the PKCS#8 of this suite in its one spelling");
  return key;
}

/** Reads a part of a key; whatever is wrong with the form is a malformed key to the caller. */
function asKey<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw malformed(error instanceof MeshError ? error.message : "it cannot be read");
  }
}

function malformed(what: string): MeshError {
  return new MeshError("key-malformed", `This key is malformed: ${what}.`);
}
