import { argon2, createCipheriv, createDecipheriv, createHmac, pbkdf2 } from "node:crypto";

import { concatBytes } from "../bytes/equal.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { sha256 } from "./digest.ts";
import { plain } from "./native.ts";

/**
 * What other programs' password files are made with, and nothing of ours (decision 2.3): enough to read them.
 *
 * Every cost that a file asks for is bounded before any work is done (`password-key-parameters`).
 */

/** HMAC-SHA-256 of all parts in order: 32 octets. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = createHmac("sha256", key);
  for (const part of parts) state.update(part);
  return plain(state.digest());
}

const MAX_ITERATIONS = 5_000_000;

/** PBKDF2-HMAC-SHA-256 (RFC 8018 §5.2): 32 octets, at most 5,000,000 iterations. */
export function pbkdf2Sha256(password: Uint8Array, salt: Uint8Array, iterations: number): Promise<Uint8Array> {
  bound("iterations", iterations, 1, MAX_ITERATIONS);
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, 32, "sha256", (error, key) => (error === null ? resolve(plain(key as Buffer<ArrayBuffer>)) : reject(error)));
  });
}

/** How much work an Argon2 of another program does, and which of the two it is. */
export type ForeignArgon2 = { readonly variant: "argon2d" | "argon2id"; readonly memoryKiB: number; readonly passes: number; readonly lanes: number };

const GIB = 1024 * 1024;

/** Argon2d or Argon2id, version 1.3 (RFC 9106): 32 octets; at most 1 GiB, 64 lanes, and 16 GiB moved over all passes, which takes some twenty seconds. */
export function foreignArgon2(password: Uint8Array, salt: Uint8Array, { variant, memoryKiB, passes, lanes }: ForeignArgon2): Promise<Uint8Array> {
  bound("lanes", lanes, 1, 64);
  bound("memoryKiB", memoryKiB, 8 * lanes, GIB);
  bound("passes", passes, 1, Math.floor((16 * GIB) / memoryKiB));
  bound("the salt's length", salt.length, 8, 64);
  return new Promise((resolve, reject) => {
    argon2(variant, { message: password, nonce: salt, memory: memoryKiB, passes, parallelism: lanes, tagLength: 32 }, (error, key) => (error === null ? resolve(plain(key)) : reject(error)));
  });
}

const MAX_ROUNDS = 200_000_000;

/** KeePass's AES-KDF: both halves of 32 octets encrypted over and over under `seed` (AES-256), then SHA-256; at most 200 million rounds. */
export function aesKdf(key: Uint8Array, seed: Uint8Array, rounds: number): Uint8Array {
  bound("rounds", rounds, 1, MAX_ROUNDS);
  bound("the seed's length", seed.length, 32, 32);
  return sha256(repeatedly(key.subarray(0, 16), seed, rounds), repeatedly(key.subarray(16, 32), seed, rounds));
}

/** Block encrypted `rounds` times: CBC over zeros chains each ciphertext block into the next, at the engine's full speed. */
function repeatedly(block: Uint8Array, key: Uint8Array, rounds: number): Uint8Array {
  const cipher = createCipheriv("aes-256-cbc", key, block);
  cipher.setAutoPadding(false);
  const zeros = new Uint8Array(16 * Math.min(rounds, 65_536));
  let last = block;
  for (let left = rounds; left > 0; left -= zeros.length / 16) last = cipher.update(zeros.subarray(0, 16 * Math.min(left, zeros.length / 16)));
  return last.slice(-16);
}

/** AES-256-CBC with PKCS #7 padding, taken away; undefined where key, iv, length or padding are wrong. Says nothing of authenticity. */
export function decryptCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
  if (key.length !== 32 || iv.length !== 16) return undefined;
  const cipher = createDecipheriv("aes-256-cbc", key, iv);
  try {
    return concatBytes(cipher.update(ciphertext), cipher.final());
  } catch {
    return undefined;
  }
}

/** AES-256-CBC of whole blocks whose end is missing: what there is, padding untouched. */
export function decryptCbcCut(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
  if (key.length !== 32 || iv.length !== 16) return undefined;
  const cipher = createDecipheriv("aes-256-cbc", key, iv);
  cipher.setAutoPadding(false);
  return plain(cipher.update(ciphertext.subarray(0, ciphertext.length - (ciphertext.length % 16))));
}

/** A ChaCha20 key stream (RFC 8439, counting from 0), to put over octets as they come; key 32 octets, nonce 12. */
export function chaCha20(key: Uint8Array, nonce: Uint8Array): (octets: Uint8Array) => Uint8Array {
  if (key.length !== 32 || nonce.length !== 12) throw new RangeError("ChaCha20 takes a key of 32 octets and a nonce of 12");
  const cipher = createCipheriv("chacha20", key, concatBytes(new Uint8Array(4), nonce));
  return (octets) => plain(cipher.update(octets));
}

function bound(what: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new MeshError("password-key-parameters", `The file asks for a key that is made in a way refused here: ${what} ${value}, and not from ${least} to ${most}.`, "Save it anew in the program that wrote it, with its usual settings.");
}
