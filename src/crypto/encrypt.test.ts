import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { decryptGcm, encryptGcm, unwrapKey, wrapKey } from "./encrypt.ts";
import { randomBytes } from "./random.ts";

const hex = (text: string) => Uint8Array.fromHex(text);

suite("AES-256-GCM (NIST SP 800-38D)", () => {
  // Test case 16 of "The Galois/Counter Mode of Operation", McGrew and Viega.
  const key = hex("feffe9928665731c6d6a8f9467308308".repeat(2));
  const iv = hex("cafebabefacedbaddecaf888");
  const aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const plaintext = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  const sealed = hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");

  test("test case 16, both directions", () => {
    assert.deepEqual(encryptGcm(key, iv, plaintext, aad), sealed);
    assert.deepEqual(decryptGcm(key, iv, sealed, aad), plaintext);
  });

  test("any octet changed, of any input, is undefined", () => {
    const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, place) => (place === at ? byte ^ 1 : byte));
    for (let at = 0; at < sealed.length; at++) assert.equal(decryptGcm(key, iv, flipped(sealed, at), aad), undefined);
    for (let at = 0; at < aad.length; at++) assert.equal(decryptGcm(key, iv, sealed, flipped(aad, at)), undefined);
    for (let at = 0; at < iv.length; at++) assert.equal(decryptGcm(key, flipped(iv, at), sealed, aad), undefined);
    for (let at = 0; at < key.length; at++) assert.equal(decryptGcm(flipped(key, at), iv, sealed, aad), undefined);
  });

  test("a tag cut short is undefined, at every length", () => {
    for (let length = 0; length < sealed.length; length++) assert.equal(decryptGcm(key, iv, sealed.subarray(0, length), aad), undefined);
    assert.equal(decryptGcm(key, iv, concatBytes(sealed, Uint8Array.of(0)), aad), undefined);
  });

  test("nothing at all can be sealed", () => {
    const empty = new Uint8Array(0);
    assert.deepEqual(decryptGcm(key, iv, encryptGcm(key, iv, empty, empty), empty), empty);
  });

  test("refuses keys and ivs of other lengths", () => {
    for (const length of [0, 16, 24, 31, 33]) {
      assert.throws(() => encryptGcm(new Uint8Array(length), iv, plaintext, aad), RangeError);
      assert.throws(() => decryptGcm(new Uint8Array(length), iv, sealed, aad), RangeError);
    }
    for (const length of [0, 8, 11, 13, 16]) {
      assert.throws(() => encryptGcm(key, new Uint8Array(length), plaintext, aad), RangeError);
      assert.throws(() => decryptGcm(key, new Uint8Array(length), sealed, aad), RangeError);
    }
  });
});

suite("AES-256 key wrap (RFC 3394)", () => {
  const kek = hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

  // §4.3, §4.5, §4.6: 128, 192 and 256 bits of key under a 256-bit one.
  for (const [section, key, wrapped] of [
    ["4.3", "00112233445566778899aabbccddeeff", "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"],
    ["4.5", "00112233445566778899aabbccddeeff0001020304050607", "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1"],
    ["4.6", "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f", "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"],
  ] as const) {
    test(`§${section}`, () => {
      assert.deepEqual(wrapKey(kek, hex(key)), hex(wrapped));
      assert.deepEqual(unwrapKey(kek, hex(wrapped)), hex(key));
    });
  }

  test("any octet changed, any other length and any other key is undefined", () => {
    const wrapped = wrapKey(kek, randomBytes(32));
    for (let at = 0; at < wrapped.length; at++) assert.equal(unwrapKey(kek, wrapped.map((byte, place) => (place === at ? byte ^ 1 : byte))), undefined);
    for (const bad of [new Uint8Array(0), wrapped.subarray(8), wrapped.subarray(1), concatBytes(wrapped, new Uint8Array(8)), wrapped.subarray(0, 16)]) assert.equal(unwrapKey(kek, bad), undefined);
    assert.equal(unwrapKey(randomBytes(32), wrapped), undefined);
  });

  test("refuses what cannot be wrapped", () => {
    for (const length of [0, 8, 15, 33]) assert.throws(() => wrapKey(kek, new Uint8Array(length)), RangeError);
    for (const length of [16, 31]) {
      assert.throws(() => wrapKey(new Uint8Array(length), utf8("sixteen octets!!")), RangeError);
      assert.throws(() => unwrapKey(new Uint8Array(length), new Uint8Array(40)), RangeError);
    }
  });
});
