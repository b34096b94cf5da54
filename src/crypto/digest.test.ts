import assert from "node:assert/strict";
import { hkdfSync } from "node:crypto";
import { suite, test } from "node:test";
import { hkdf as nobleHkdf } from "@noble/hashes/hkdf.js";
import { sha256 as nobleSha256, sha512 as nobleSha512 } from "@noble/hashes/sha2.js";
import * as fc from "fast-check";

import { utf8 } from "../bytes/text.ts";
import { hkdf, hmac, sha256, sha256Into, sha512 } from "./digest.ts";

const hex = (text: string) => Uint8Array.fromHex(text);

suite("SHA-512 (FIPS 180-4)", () => {
  test("the sample of one block", () => {
    const expected = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
    assert.deepEqual(sha512(utf8("abc")), hex(expected));
    assert.deepEqual(sha512(utf8("a"), new Uint8Array(0), utf8("bc")), hex(expected));
  });

  test("the digest of nothing, in no parts or one", () => {
    const expected = "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
    assert.deepEqual(sha512(), hex(expected));
    assert.deepEqual(sha512(new Uint8Array(0)), hex(expected));
  });

  test("what comes out is a plain array of octets", () => assert.equal(Object.getPrototypeOf(sha512(utf8("a"))), Uint8Array.prototype));
});

suite("SHA-256 (FIPS 180-4)", () => {
  test("the sample of one block, in one part or more", () => {
    const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert.equal(sha256(utf8("abc")).toHex(), expected);
    assert.equal(sha256(utf8("a"), new Uint8Array(0), utf8("bc")).toHex(), expected);
  });

  test("noble agrees on any octets, and a digest is written where it is asked for and nowhere else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 40 }), (data, at) => {
        const target = new Uint8Array(80).fill(0xee);
        sha256Into(target, at, data);
        assert.deepEqual(target.slice(at, at + 32), nobleSha256(data));
        assert.deepEqual(sha256(data), nobleSha256(data));
        assert.ok([...target.slice(0, at), ...target.slice(at + 32)].every((octet) => octet === 0xee));
      }),
    );
  });
});

suite("HMAC-SHA-512 (RFC 4231)", () => {
  // §4.2, §4.3, §4.7 (a key longer than a block).
  for (const [section, key, message, expected] of [
    ["4.2", hex("0b".repeat(20)), "Hi There", "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"],
    ["4.3", utf8("Jefe"), "what do ya want for nothing?", "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"],
    ["4.7", hex("aa".repeat(131)), "Test Using Larger Than Block-Size Key - Hash Key First", "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"],
  ] as const) {
    test(`§${section}`, () => {
      assert.deepEqual(hmac(key, utf8(message)), hex(expected));
      assert.deepEqual(hmac(key, utf8(message.slice(0, 3)), utf8(message.slice(3))), hex(expected));
    });
  }
});

suite("HKDF-SHA-512 (RFC 5869)", () => {
  test("two other implementations agree", () => {
    const inputs = fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 1024 }), fc.integer({ min: 1, max: 300 }));
    fc.assert(
      fc.property(inputs, ([ikm, salt, info, length]) => {
        const okm = hkdf(ikm, salt, info, length);
        assert.deepEqual(okm, nobleHkdf(nobleSha512, ikm, salt, info, length));
        assert.deepEqual(okm, new Uint8Array(hkdfSync("sha512", ikm, salt, info, length)));
      }),
    );
  });

  test("an info of any length is taken, and every octet of it counts", () => {
    const info = new Uint8Array(5000);
    const okm = hkdf(utf8("k"), utf8("s"), info, 32);
    assert.deepEqual(okm, nobleHkdf(nobleSha512, utf8("k"), utf8("s"), info, 32));
    info[4999] = 1;
    assert.notDeepEqual(hkdf(utf8("k"), utf8("s"), info, 32), okm);
  });

  test("refuses lengths that it cannot give (§2.3)", () => {
    assert.equal(hkdf(utf8("k"), utf8("s"), utf8("i"), 255 * 64).length, 16_320);
    for (const length of [0, -1, 1.5, 255 * 64 + 1]) assert.throws(() => hkdf(utf8("k"), utf8("s"), utf8("i"), length), RangeError);
  });
});
