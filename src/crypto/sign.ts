import { createHash, type KeyObject, sign as nativeSign, verify as nativeVerify } from "node:crypto";

import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { signature as suite } from "./algorithms.ts";
import type { SigningKey, VerifyingKey } from "./key-pair.ts";
import { plain } from "./native.ts";

const LABEL = utf8(suite.label);
// Prefix || Label || len(context) || context, the context always empty (decision 2.5).
const HEAD = concatBytes(utf8(suite.prefix), LABEL, Uint8Array.of(0));
const SPLIT = suite.lattice.signatureOctets;

/**
 * Signs a message of any length: 4,741 octets, ML-DSA-87 first, then Ed448 (draft-ietf-lamps-pq-composite-sigs §4.2).
 *
 * Both halves run in the thread pool at the same time. ML-DSA is randomised: the same message gives different octets.
 */
export async function sign(key: SigningKey, message: Uint8Array): Promise<Uint8Array> {
  const input = representative(message);
  const [lattice, curve] = await Promise.all([signHalf(key.halves.lattice, input, LABEL), signHalf(key.halves.curve, input)]);
  return concatBytes(lattice, curve);
}

/**
 * Whether a signature over a message is true; false, never an error, for a signature of any wrong length or content.
 *
 * Both halves must verify (§4.3); both run in the thread pool at the same time, so that a server's main thread stays free.
 */
export async function verify(key: VerifyingKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (signature.length !== suite.signatureOctets) return false;
  const input = representative(message);
  const [lattice, curve] = await Promise.all([
    verifyHalf(key.halves.lattice, input, signature.subarray(0, SPLIT), LABEL),
    verifyHalf(key.halves.curve, input, signature.subarray(SPLIT)),
  ]);
  return lattice && curve;
}

/** As {@link verify}, on the calling thread (about 0.7 ms): for a tool that checks one signature after another. */
export function verifySync(key: VerifyingKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== suite.signatureOctets) return false;
  const input = representative(message);
  const lattice = nativeVerify(null, input, { key: key.halves.lattice, context: LABEL }, signature.subarray(0, SPLIT));
  return nativeVerify(null, input, key.halves.curve, signature.subarray(SPLIT)) && lattice;
}

/** What both halves sign in place of the message (§4.2 step 2). */
function representative(message: Uint8Array): Uint8Array {
  return concatBytes(HEAD, createHash("shake256", { outputLength: suite.prehashOctets }).update(message).digest());
}

function signHalf(key: KeyObject, input: Uint8Array, context?: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    nativeSign(null, input, context === undefined ? key : { key, context }, (error, signature) => (error === null ? resolve(plain(signature)) : reject(error)));
  });
}

function verifyHalf(key: KeyObject, input: Uint8Array, signature: Uint8Array, context?: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    // An error of the engine, as for a point off the curve, proves nothing true.
    nativeVerify(null, input, context === undefined ? key : { key, context }, signature, (error, good) => resolve(error === null && good));
  });
}
