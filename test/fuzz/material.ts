import { decapsulationKeyToPkcs8, signingKeyToPkcs8 } from "../../src/crypto/key-encoding.ts";
import { kem, signature } from "../../src/crypto/algorithms.ts";
import { DecapsulationKey, privateHalves, SigningKey } from "../../src/crypto/key-pair.ts";
import { sign } from "../../src/crypto/sign.ts";
import type { Signer } from "../../src/envelope/signed.ts";
import { udfOfKey } from "../../src/udf/udf.ts";

/** Keys that are the same in every run, so that inputs can name them by number. */

/** So many of each kind. */
export const KEYS = 8;

const signing: SigningKey[] = [];
const opening: DecapsulationKey[] = [];

/** A signature key by its number. */
export function signingKey(number: number): SigningKey {
  return (signing[number] ??= new SigningKey(privateHalves(signature, seeded(signature.privateKeyOctets, number))));
}

/** An encryption key by its number. */
export function openingKey(number: number): DecapsulationKey {
  const octets = seeded(kem.privateKeyOctets, number + 100);
  // What RFC 7748 §5 sets in every X448 scalar; ours are kept so.
  octets[64] = (octets[64] as number) & 252;
  octets[119] = (octets[119] as number) | 128;
  return (opening[number] ??= new DecapsulationKey(privateHalves(kem, octets)));
}

/** Whoever signs with a key. */
export function signerOf(key: SigningKey): Signer {
  return { kid: udfOfKey(key.publicKey.spki), sign: (message) => sign(key, message) };
}

/** A private key of each kind as PKCS#8. */
export function pkcs8Seeds(): readonly Uint8Array[] {
  return [signingKeyToPkcs8(signingKey(0)), decapsulationKeyToPkcs8(openingKey(0))];
}

function seeded(length: number, number: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 7 + number * 13 + 1) & 0xff);
}
