import { createHash, decapsulate as nativeDecapsulate, diffieHellman, encapsulate as nativeEncapsulate, generateKeyPair, type KeyObject } from "node:crypto";

import { concatBytes, wipe } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { kem as suite } from "./algorithms.ts";
import type { DecapsulationKey, EncapsulationKey } from "./key-pair.ts";
import { importPublic, plain, publicOctets } from "./native.ts";

const LABEL = utf8(suite.label);

/**
 * Makes a fresh shared secret (32 octets) and the ciphertext (1,624 octets) from which only the key's holder can make it
 * again (draft-ietf-lamps-pq-composite-kem §3.2).
 */
export async function encapsulate(key: EncapsulationKey): Promise<{ readonly ciphertext: Uint8Array; readonly secret: Uint8Array }> {
  const [lattice, curve] = await Promise.all([encapsulateLattice(key.halves.lattice), encapsulateCurve(key.halves.curve)]);
  const secret = combine(lattice.secret, curve.secret, curve.ciphertext, key);
  return { ciphertext: concatBytes(lattice.ciphertext, curve.ciphertext), secret };
}

/**
 * The shared secret (32 octets) of a ciphertext (§3.3).
 *
 * A ciphertext for another key, or changed on its way, gives another secret and no error: only what the secret opens tells.
 * `ciphertext-malformed` for a wrong length or an X448 point of small order.
 */
export async function decapsulate(key: DecapsulationKey, ciphertext: Uint8Array): Promise<Uint8Array> {
  if (ciphertext.length !== suite.ciphertextOctets) throw malformed(`a ciphertext has ${suite.ciphertextOctets} octets, not ${ciphertext.length}`);
  const split = suite.lattice.ciphertextOctets;
  const curveCiphertext = ciphertext.subarray(split);
  const [lattice, curve] = await Promise.all([
    decapsulateLattice(key.halves.lattice, ciphertext.subarray(0, split)),
    agree(key.halves.curve, importPublic(suite.curve.type, curveCiphertext)),
  ]);
  return combine(lattice, curve, curveCiphertext, key.publicKey);
}

/** SHA3-256(ML-KEM secret || X448 secret || X448 ciphertext || X448 public key || Label) (§3.4); wipes both secrets. */
function combine(lattice: Uint8Array, curve: Uint8Array, curveCiphertext: Uint8Array, key: EncapsulationKey): Uint8Array {
  const curveKey = key.raw.subarray(suite.lattice.publicKeyOctets);
  const state = createHash("sha3-256");
  for (const part of [lattice, curve, curveCiphertext, curveKey, LABEL]) state.update(part);
  wipe(lattice);
  wipe(curve);
  return plain(state.digest());
}

type Half = { readonly ciphertext: Uint8Array; readonly secret: Uint8Array };

function encapsulateLattice(key: KeyObject): Promise<Half> {
  return new Promise((resolve, reject) => {
    // The types say that the error is always there; it is null on success.
    nativeEncapsulate(key, (error: Error | null, made) => (error === null ? resolve({ ciphertext: plain(made.ciphertext), secret: plain(made.sharedKey) }) : reject(error)));
  });
}

async function encapsulateCurve(key: KeyObject): Promise<Half> {
  const ephemeral = await new Promise<KeyObject>((resolve, reject) => {
    generateKeyPair(suite.curve.type, {}, (error, _publicKey, privateKey) => (error === null ? resolve(privateKey) : reject(error)));
  });
  return { ciphertext: publicOctets(ephemeral), secret: await agree(ephemeral, key) };
}

function decapsulateLattice(key: KeyObject, ciphertext: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    nativeDecapsulate(key, ciphertext as Uint8Array<ArrayBuffer>, (error: Error | null, secret) => (error === null ? resolve(plain(secret)) : reject(error)));
  });
}

function agree(privateKey: KeyObject, publicKey: KeyObject): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    // The engine refuses an all-zero secret (RFC 7748 §6.2), the only thing that can go wrong here.
    diffieHellman({ privateKey, publicKey }, (error, secret) => (error === null ? resolve(plain(secret)) : reject(malformed("its X448 point is of small order"))));
  });
}

function malformed(what: string): MeshError {
  return new MeshError("ciphertext-malformed", `This is not a ciphertext of this suite: ${what}.`);
}
