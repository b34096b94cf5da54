import { sha256, sha256Into } from "../crypto/digest.ts";

/** The hash of a node: 32 octets of SHA-256. */
export type Hash = Uint8Array;

export const HASH_OCTETS = 32;

/** Every log is shorter than this: sizes and indices are numbers that count exactly. */
export const MAX_SIZE = Number.MAX_SAFE_INTEGER;

/** The root of the tree without leaves: the hash of nothing (RFC 6962 §2.1). */
export const EMPTY_ROOT: Hash = sha256();

/** The hash of a leaf: SHA-256(0x00 ‖ entry) (RFC 6962 §2.1). */
export function leafHash(entry: Uint8Array): Hash {
  const input = new Uint8Array(1 + entry.length);
  input.set(entry, 1);
  return sha256(input);
}

// One for all, since a hash is made before anything else can run.
const pair = new Uint8Array(1 + 2 * HASH_OCTETS);
pair[0] = 0x01;

/** The hash of an inner node: SHA-256(0x01 ‖ left ‖ right) (RFC 6962 §2.1). */
export function nodeHash(left: Hash, right: Hash): Hash {
  const hash = new Uint8Array(HASH_OCTETS);
  pair.set(left, 1);
  pair.set(right, 1 + HASH_OCTETS);
  sha256Into(hash, 0, pair);
  return hash;
}

/** The root over complete subtrees that stand side by side, the largest first: what RFC 6962 §2.1 makes of a tree that is not complete. */
export function joinPeaks(peaks: readonly Hash[]): Hash {
  return peaks.length === 0 ? EMPTY_ROOT : peaks.reduceRight((right, left) => nodeHash(left, right));
}

/** The root over hashes side by side, a power of two of them: octets of a run inside a tile. */
export function rootOfRun(run: Uint8Array): Hash {
  let level = run;
  while (level.length > HASH_OCTETS) {
    const above = new Uint8Array(level.length / 2);
    for (let at = 0; at < above.length; at += HASH_OCTETS) {
      pair.set(level.subarray(2 * at, 2 * (at + HASH_OCTETS)), 1);
      sha256Into(above, at, pair);
    }
    level = above;
  }
  return level.slice();
}

/** Whether a number can be the size of a log or the index of an entry. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
