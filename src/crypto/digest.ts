import { createHash, createHmac, hash } from "node:crypto";

import { concatBytes } from "../bytes/equal.ts";
import { plain } from "./native.ts";

const OCTETS = 64;
const SHA_256_OCTETS = 32;

/** SHA-512 of all parts in order: 64 octets. */
export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return plain(hash("sha512", first, "buffer"));
  const state = createHash("sha512");
  for (const part of parts) state.update(part);
  return plain(state.digest());
}

/** SHA-512 of octets, or of the UTF-8 octets of a text, as 86 characters of base64url: no octets of the digest are made. */
export function sha512Text(data: Uint8Array | string): string {
  return hash("sha512", data, "base64url");
}

/** SHA-256 of all parts in order: 32 octets. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const digest = new Uint8Array(SHA_256_OCTETS);
  const [first] = parts;
  sha256Into(digest, 0, first !== undefined && parts.length === 1 ? first : concatBytes(...parts));
  return digest;
}

/**
 * Writes the SHA-256 of data into octets from `at` on.
 *
 * The engine gives a digest as text with one character an octet: a `Buffer` of its own for each would cost five times the hash.
 */
export function sha256Into(target: Uint8Array, at: number, data: Uint8Array): void {
  const digest = hash("sha256", data, "latin1");
  for (let octet = 0; octet < SHA_256_OCTETS; octet++) target[at + octet] = digest.charCodeAt(octet);
}

/** HMAC-SHA-512 (RFC 2104, RFC 4231) of all parts in order: 64 octets. */
export function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = createHmac("sha512", key);
  for (const part of parts) state.update(part);
  return plain(state.digest());
}

/** HMAC-SHA-512 of the UTF-8 octets of a text, as 86 characters of base64url. */
export function hmacText(key: Uint8Array, text: string): string {
  return createHmac("sha512", key).update(text, "utf8").digest("base64url");
}

/**
 * HKDF-SHA-512 (RFC 5869) of input key material, salt and info: `length` octets, up to 16,320.
 *
 * Written on HMAC because the engine's own takes no info over 1,024 octets, and infos here may hold a KEM ciphertext.
 */
export function hkdf(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (!Number.isInteger(length) || length < 1 || length > 255 * OCTETS) throw new RangeError(`HKDF-SHA-512 cannot give ${length} octets`);
  // An empty salt stands for 64 zeros (RFC 5869 §2.2): as an HMAC key the two are the same.
  const prk = hmac(salt, ikm);
  const blocks: Uint8Array[] = [];
  let block: Uint8Array = new Uint8Array(0);
  for (let count = 1; blocks.length * OCTETS < length; count++) {
    block = hmac(prk, block, info, Uint8Array.of(count));
    blocks.push(block);
  }
  return concatBytes(...blocks).slice(0, length);
}
