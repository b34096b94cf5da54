import { utf8 } from "../bytes/text.ts";
import { content } from "../crypto/algorithms.ts";
import { decryptGcm, encryptGcm } from "../crypto/encrypt.ts";

/** The most octets of one sealed chunk, its tag included. */
export const MAX_CHUNK = 512 * 1024;

const FULL = MAX_CHUNK - content.tagOctets;

/**
 * How octets are cut into chunks: the length of each before it is sealed, zeros at their end included.
 *
 * They are filled up to a size that tells little: 512 octets at least, then the next of steps no finer than an eighth.
 */
export function chunksOf(size: number): readonly number[] {
  const least = Math.max(512, size);
  const step = 2 ** Math.max(0, Math.floor(Math.log2(least)) - 3);
  const filled = Math.ceil(least / step) * step;
  return Array.from({ length: Math.ceil(filled / FULL) }, (_, index) => Math.min(FULL, filled - index * FULL));
}

/** The length of a chunk once it is sealed. */
export function sealedLength(chunk: number): number {
  return chunk + content.tagOctets;
}

/** Seals one of `count` chunks under a key that serves for these chunks alone, bound to its place among them. */
export function sealChunk(key: Uint8Array, index: number, count: number, chunk: Uint8Array): Uint8Array {
  return encryptGcm(key, nonceOf(index), chunk, purpose(index, count));
}

/** Opens a chunk; `undefined` if the key, its place, their count or a single bit differs. */
export function openChunk(key: Uint8Array, index: number, count: number, sealed: Uint8Array): Uint8Array | undefined {
  return decryptGcm(key, nonceOf(index), sealed, purpose(index, count));
}

function nonceOf(index: number): Uint8Array {
  const nonce = new Uint8Array(content.ivOctets);
  new DataView(nonce.buffer).setUint32(content.ivOctets - 4, index);
  return nonce;
}

function purpose(index: number, count: number): Uint8Array {
  return utf8(`mesh/chunk/v1/${index}/${count}`);
}
