import { createCipheriv } from "node:crypto";

import { toBase64url } from "../bytes/base64url.ts";
import { canonicalBytes } from "../bytes/canonical-json.ts";
import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { content, kem } from "../crypto/algorithms.ts";
import { hkdf, sha512 } from "../crypto/digest.ts";
import { encapsulate } from "../crypto/encapsulate.ts";
import { wrapKey } from "../crypto/encrypt.ts";
import type { EncapsulationKey } from "../crypto/key-pair.ts";
import { randomBytes } from "../crypto/random.ts";
import { udfOfKey } from "../udf/udf.ts";
import type { Sealed, SealedSubject } from "./sealed.ts";

/*
 * AES-GCM commits to no key: an author can make one ciphertext and tag that open, under two keys, to two texts (Dodis,
 * Grubbs, Ristenpart, Woodage, "Fast Message Franking", CRYPTO 2018, §3). This makes such objects, for tests.
 */

/** One ciphertext with its tag that opens under both keys: to `texts[0]` in block 0 under the first, to `texts[1]` in block 1 under the second. */
export function twoKeyCiphertext(keys: readonly [Uint8Array, Uint8Array], iv: Uint8Array, aad: Uint8Array, texts: readonly [Uint8Array, Uint8Array]): Uint8Array {
  const j0 = concatBytes(iv, Uint8Array.of(0, 0, 0, 1));
  const stream = (key: Uint8Array, block: number) => aesBlock(key, concatBytes(iv, Uint8Array.of(0, 0, 0, 2 + block)));
  const blocks = [xor(stream(keys[0], 0), texts[0]), xor(stream(keys[1], 1), texts[1]), new Uint8Array(16)];
  const lengths = new Uint8Array(16);
  new DataView(lengths.buffer).setBigUint64(0, BigInt(aad.length * 8));
  new DataView(lengths.buffer).setBigUint64(8, BigInt(48 * 8));
  const padded = concatBytes(aad, new Uint8Array((16 - (aad.length % 16)) % 16));
  const hashes = keys.map((key) => {
    const h = toField(aesBlock(key, new Uint8Array(16)));
    return { square: multiply(h, h), hash: ghash(h, concatBytes(padded, ...blocks, lengths)), mask: toField(aesBlock(key, j0)) };
  });
  const [one, two] = hashes as [(typeof hashes)[0], (typeof hashes)[0]];
  // The last block counts in the hash times H^2: choose it so that both tags are the same.
  const free = multiply(one.hash ^ one.mask ^ two.hash ^ two.mask, inverse(one.square ^ two.square));
  const tag = one.hash ^ multiply(free, one.square) ^ one.mask;
  return concatBytes(blocks[0] as Uint8Array, blocks[1] as Uint8Array, fromField(free), fromField(tag));
}

/** A sealed object that gives its two recipients two content keys, for one ciphertext that opens under both; it commits to the first. */
export async function sealTwoTexts(subject: SealedSubject, recipients: readonly [EncapsulationKey, EncapsulationKey], texts: readonly [Uint8Array, Uint8Array]): Promise<{ readonly sealed: Sealed; readonly contentKeys: readonly [Uint8Array, Uint8Array] }> {
  const contentKeys = [randomBytes(32), randomBytes(32)] as const;
  const named = recipients.map((key, place) => ({ key, kid: udfOfKey<"encryption-key">(key.spki), contentKey: contentKeys[place] as Uint8Array })).sort((a, b) => (a.kid < b.kid ? -1 : 1));
  const iv = randomBytes(content.ivOctets);
  const commit = toBase64url(hkdf(contentKeys[0], new Uint8Array(0), utf8("mesh/jwe/commit/v1"), 64));
  const header = canonicalBytes({ alg: kem.jose, commit, enc: content.jose, id: subject.id, kids: named.map((one) => one.kid), typ: subject.typ, version: subject.version });
  const body = twoKeyCiphertext(contentKeys, iv, utf8(toBase64url(header)), texts);
  const wraps = await Promise.all(
    named.map(async ({ key, kid, contentKey }) => {
      const { ciphertext, secret } = await encapsulate(key);
      const wrapping = hkdf(secret, sha512(header), concatBytes(utf8(`mesh/jwe/kek/v1\0${kem.jose}\0${kid}\0`), sha512(ciphertext)), 32);
      return { encrypted_key: toBase64url(wrapKey(wrapping, contentKey)), header: { ek: toBase64url(ciphertext), kid } };
    }),
  );
  return { contentKeys, sealed: { ciphertext: toBase64url(body.subarray(0, 48)), iv: toBase64url(iv), protected: toBase64url(header), recipients: wraps, tag: toBase64url(body.subarray(48)) } };
}

function aesBlock(key: Uint8Array, block: Uint8Array): Uint8Array {
  return new Uint8Array(createCipheriv("aes-256-ecb", key, null).setAutoPadding(false).update(block));
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((octet, at) => octet ^ (b[at] ?? 0));
}

// GF(2^128) as in NIST SP 800-38D §6.3: bit 0 is the leftmost.
const R = 0xe1n << 120n;

function multiply(x: bigint, y: bigint): bigint {
  let [z, v] = [0n, y];
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((x >> bit) & 1n) z ^= v;
    v = v & 1n ? (v >> 1n) ^ R : v >> 1n;
  }
  return z;
}

/** x^(2^128 - 2). */
function inverse(x: bigint): bigint {
  let [result, power] = [1n << 127n, x];
  for (let bit = 1; bit < 128; bit++) {
    power = multiply(power, power);
    result = multiply(result, power);
  }
  return result;
}

function ghash(h: bigint, data: Uint8Array): bigint {
  let y = 0n;
  for (let at = 0; at < data.length; at += 16) y = multiply(y ^ toField(data.subarray(at, at + 16)), h);
  return y;
}

function toField(octets: Uint8Array): bigint {
  return BigInt(`0x${octets.toHex()}`);
}

function fromField(element: bigint): Uint8Array {
  return Uint8Array.fromHex(element.toString(16).padStart(32, "0"));
}
