import { createCipheriv, createDecipheriv } from "node:crypto";

import { concatBytes } from "../bytes/equal.ts";
import { content } from "./algorithms.ts";
import { plain } from "./native.ts";

// The default initial value of RFC 3394 §2.2.3.1, which is also its integrity check.
const WRAP_IV = new Uint8Array(8).fill(0xa6);

/**
 * Encrypts with AES-256-GCM (NIST SP 800-38D): ciphertext followed by a tag of 16 octets.
 *
 * Key 32 octets, iv 12 octets and never twice under one key; other lengths are our own mistake (RangeError).
 */
export function encryptGcm(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  checkGcm(key, iv);
  const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: content.tagOctets });
  cipher.setAAD(aad);
  return concatBytes(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

/** Decrypts what {@link encryptGcm} made, or undefined if any octet of key, iv, aad, ciphertext or tag is not the same. */
export function decryptGcm(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array | undefined {
  checkGcm(key, iv);
  const split = sealed.length - content.tagOctets;
  if (split < 0) return undefined;
  const cipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: content.tagOctets });
  cipher.setAAD(aad);
  cipher.setAuthTag(sealed.subarray(split));
  const plaintext = cipher.update(sealed.subarray(0, split));
  try {
    cipher.final();
  } catch {
    // Nothing of an unauthenticated plaintext may leave here.
    plaintext.fill(0);
    return undefined;
  }
  return plain(plaintext);
}

/** Wraps a key of 16 octets or more, a multiple of 8, under a key of 32 (AES-256-KW, RFC 3394): 8 octets longer. */
export function wrapKey(kek: Uint8Array, key: Uint8Array): Uint8Array {
  if (key.length < 16 || key.length % 8 !== 0) throw new RangeError(`AES-KW cannot wrap ${key.length} octets`);
  checkKey(kek);
  const cipher = createCipheriv("aes256-wrap", kek, WRAP_IV);
  return concatBytes(cipher.update(key), cipher.final());
}

/** Unwraps a key, or undefined if the wrap was made under another key or changed. */
export function unwrapKey(kek: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined {
  checkKey(kek);
  if (wrapped.length < 24 || wrapped.length % 8 !== 0) return undefined;
  const cipher = createDecipheriv("aes256-wrap", kek, WRAP_IV);
  try {
    return concatBytes(cipher.update(wrapped), cipher.final());
  } catch {
    return undefined;
  }
}

function checkGcm(key: Uint8Array, iv: Uint8Array): void {
  checkKey(key);
  if (iv.length !== content.ivOctets) throw new RangeError(`AES-256-GCM takes an iv of ${content.ivOctets} octets here, not ${iv.length}`);
}

function checkKey(key: Uint8Array): void {
  if (key.length !== content.keyOctets) throw new RangeError(`AES-256 takes a key of ${content.keyOctets} octets, not ${key.length}`);
}
