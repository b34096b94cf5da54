import * as v from "valibot";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { wipe } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { content } from "../crypto/algorithms.ts";
import { hkdf } from "../crypto/digest.ts";
import { decryptGcm, encryptGcm } from "../crypto/encrypt.ts";
import { randomBytes } from "../crypto/random.ts";
import { octetsField } from "./fields.ts";

const SALT_OCTETS = 32;

/** Octets under a shared key: a 256-bit salt, from which key and nonce follow, and the ciphertext with its tag. */
export const keyedShape = v.strictObject({ ciphertext: octetsField({ most: 1024 * 1024 }), salt: octetsField({ octets: SALT_OCTETS }) });
export type Keyed = v.InferOutput<typeof keyedShape>;

/**
 * Encrypts under a shared 256-bit key and a purpose (decision 6.2): the key of each message is HKDF(key, salt; purpose).
 *
 * The shared key must be committed to elsewhere (an epoch commit does), since AES-GCM by itself commits to no key.
 */
export function encryptUnder(key: Uint8Array, purpose: string, plaintext: Uint8Array): { readonly salt: Uint8Array; readonly ciphertext: Uint8Array } {
  const salt = randomBytes(SALT_OCTETS);
  const { messageKey, iv } = messageKeys(key, purpose, salt);
  const ciphertext = encryptGcm(messageKey, iv, plaintext, utf8(purpose));
  wipe(messageKey);
  return { salt, ciphertext };
}

/** Decrypts what `encryptUnder` made; `undefined` if key, purpose, salt or a single bit differs. */
export function decryptUnder(key: Uint8Array, purpose: string, salt: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
  const { messageKey, iv } = messageKeys(key, purpose, salt);
  const plaintext = decryptGcm(messageKey, iv, ciphertext, utf8(purpose));
  wipe(messageKey);
  return plaintext;
}

/** `encryptUnder` in the JSON form that stands inside signed objects. */
export function keyedUnder(key: Uint8Array, purpose: string, plaintext: Uint8Array): Keyed {
  const { salt, ciphertext } = encryptUnder(key, purpose, plaintext);
  return { ciphertext: toBase64url(ciphertext), salt: toBase64url(salt) };
}

/** Opens the JSON form; `undefined` as `decryptUnder`. */
export function openKeyed(key: Uint8Array, purpose: string, keyed: Keyed): Uint8Array | undefined {
  return decryptUnder(key, purpose, fromBase64url(keyed.salt), fromBase64url(keyed.ciphertext));
}

function messageKeys(key: Uint8Array, purpose: string, salt: Uint8Array): { readonly messageKey: Uint8Array; readonly iv: Uint8Array } {
  const okm = hkdf(key, salt, utf8(`mesh/keyed/v1\0${purpose}`), content.keyOctets + content.ivOctets);
  return { messageKey: okm.subarray(0, content.keyOctets), iv: okm.subarray(content.keyOctets) };
}
