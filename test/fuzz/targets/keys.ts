import type { Json } from "../../../src/bytes/canonical-json.ts";
import { canonicalBytes, canonicalJson } from "../../../src/bytes/canonical-json.ts";
import { equalBytes } from "../../../src/bytes/equal.ts";
import { parseCanonical } from "../../../src/bytes/json.ts";
import { decapsulationKeyFromJwk, decapsulationKeyFromPkcs8, decapsulationKeyToPkcs8, encapsulationKeyFromJwk, encapsulationKeyFromSpki, privateJwk, publicJwk, signingKeyFromJwk, signingKeyFromPkcs8, signingKeyToPkcs8, verifyingKeyFromJwk, verifyingKeyFromSpki } from "../../../src/crypto/key-encoding.ts";
import { rsaKeyFromPkcs1 } from "../../../src/crypto/rsa.ts";
import { MeshError } from "../../../src/refusals/mesh-error.ts";
import { openingKey, pkcs8Seeds, signingKey } from "../material.ts";
import { hold, type Target } from "../target.ts";

const files = ["crypto/key-encoding.ts", "crypto/key-pair.ts", "crypto/point.ts", "crypto/native.ts", "crypto/rsa.ts", "bytes/der-reader.ts"];

/** Keys as SubjectPublicKeyInfo, PKCS#8 and PKCS#1. */
export const keysDer: Target = {
  name: "keys-der",
  files,
  seeds: () => [signingKey(0).publicKey.spki, openingKey(0).publicKey.spki, ...pkcs8Seeds()],
  most: 3000,
  refusals: ["key-malformed"],
  run: (input) => {
    first([
      () => hold(equalBytes(verifyingKeyFromSpki(input).spki, input), "a public signature key has one spelling"),
      () => hold(equalBytes(encapsulationKeyFromSpki(input).spki, input), "a public encryption key has one spelling"),
      () => hold(equalBytes(signingKeyToPkcs8(signingKeyFromPkcs8(input)), input), "a private signature key has one spelling"),
      () => hold(equalBytes(decapsulationKeyToPkcs8(decapsulationKeyFromPkcs8(input)), input), "a private encryption key has one spelling"),
      () => void rsaKeyFromPkcs1(input),
    ]);
  },
};

/** Keys as JWK. */
export const keysJwk: Target = {
  name: "keys-jwk",
  files,
  seeds: () => [publicJwk(signingKey(0).publicKey), publicJwk(openingKey(0).publicKey), privateJwk(signingKey(0)), privateJwk(openingKey(0))].map((jwk) => canonicalBytes(jwk as unknown as Json)),
  words: ["kty", "AKP", "alg", "pub", "priv", "kid", "ML-DSA-87-Ed448", "MLKEM1024-X448"],
  most: 6000,
  refusals: ["key-malformed", "json-malformed", "json-too-deep", "json-not-canonical", "json-duplicate-member", "json-too-large"],
  run: (input) => {
    const jwk = parseCanonical(input) as never;
    const text = canonicalJson(jwk);
    first([
      () => hold(canonicalJson(publicJwk(verifyingKeyFromJwk(jwk)) as unknown as Json) === text, "a public signature key has one spelling"),
      () => hold(canonicalJson(publicJwk(encapsulationKeyFromJwk(jwk)) as unknown as Json) === text, "a public encryption key has one spelling"),
      () => hold(canonicalJson(privateJwk(signingKeyFromJwk(jwk)) as unknown as Json) === text, "a private signature key has one spelling"),
      () => hold(canonicalJson(privateJwk(decapsulationKeyFromJwk(jwk)) as unknown as Json) === text, "a private encryption key has one spelling"),
    ]);
  },
};

/** Tries all readers, each of which may refuse. */
function first(readers: readonly (() => void)[]): void {
  for (const read of readers) {
    try {
      read();
    } catch (error) {
      if (!(error instanceof MeshError) || error.code !== "key-malformed") throw error;
    }
  }
}
