import { ed448, x448 } from "@noble/curves/ed448.js";
import { sha3_256, shake256 } from "@noble/hashes/sha3.js";
import { ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import { ml_kem1024 } from "@noble/post-quantum/ml-kem.js";

import { concatBytes } from "../bytes/equal.ts";

/**
 * The suite once more, on another implementation and with every constant written out, so that a fault on either side shows.
 *
 * Nothing here may be imported from `algorithms.ts` or from what is tested.
 */
const ascii = (text: string) => new TextEncoder().encode(text);
const SIGNATURE_LABEL = ascii("COMPSIG-MLDSA87-Ed448-SHAKE256");
const KEM_LABEL = ascii("MLKEM1024-X448");

function representative(message: Uint8Array): Uint8Array {
  return concatBytes(ascii("CompositeAlgorithmSignatures2025"), SIGNATURE_LABEL, Uint8Array.of(0), shake256(message, { dkLen: 64 }));
}

/** The composite public key (2,649 octets) of a private one (89). */
export function oraclePublicKey(privateKey: Uint8Array): Uint8Array {
  return concatBytes(ml_dsa87.keygen(privateKey.slice(0, 32)).publicKey, ed448.getPublicKey(privateKey.slice(32)));
}

/** A composite signature, ML-DSA without randomness. */
export function oracleSign(privateKey: Uint8Array, message: Uint8Array): Uint8Array {
  const input = representative(message);
  const { secretKey } = ml_dsa87.keygen(privateKey.slice(0, 32));
  return concatBytes(ml_dsa87.sign(input, secretKey, { context: SIGNATURE_LABEL, extraEntropy: false }), ed448.sign(input, privateKey.slice(32)));
}

/** Whether a composite signature is true. */
export function oracleVerify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const input = representative(message);
  const lattice = ml_dsa87.verify(signature.slice(0, 4627), input, publicKey.slice(0, 2592), { context: SIGNATURE_LABEL });
  return ed448.verify(signature.slice(4627), input, publicKey.slice(2592)) && lattice;
}

/** The composite encapsulation key (1,624 octets) of a private one (120). */
export function oracleEncapsulationKey(privateKey: Uint8Array): Uint8Array {
  return concatBytes(ml_kem1024.keygen(privateKey.slice(0, 64)).publicKey, x448.getPublicKey(privateKey.slice(64)));
}

/** A fresh ciphertext and its secret. */
export function oracleEncapsulate(publicKey: Uint8Array): { readonly ciphertext: Uint8Array; readonly secret: Uint8Array } {
  const lattice = ml_kem1024.encapsulate(publicKey.slice(0, 1568));
  const ephemeral = x448.utils.randomSecretKey();
  const curveCiphertext = x448.getPublicKey(ephemeral);
  const curveSecret = x448.getSharedSecret(ephemeral, publicKey.slice(1568));
  return { ciphertext: concatBytes(lattice.cipherText, curveCiphertext), secret: combine(lattice.sharedSecret, curveSecret, curveCiphertext, publicKey) };
}

/** The secret of a ciphertext. */
export function oracleDecapsulate(privateKey: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const lattice = ml_kem1024.keygen(privateKey.slice(0, 64));
  const latticeSecret = ml_kem1024.decapsulate(ciphertext.slice(0, 1568), lattice.secretKey);
  const curveSecret = x448.getSharedSecret(privateKey.slice(64), ciphertext.slice(1568));
  return combine(latticeSecret, curveSecret, ciphertext.slice(1568), oracleEncapsulationKey(privateKey));
}

function combine(lattice: Uint8Array, curve: Uint8Array, curveCiphertext: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return sha3_256(concatBytes(lattice, curve, curveCiphertext, publicKey.slice(1568), KEM_LABEL));
}
