import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { fromUtf8, utf8 } from "./text.ts";

suite("UTF-8 text (RFC 3629)", () => {
  test("what is written is read again", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => assert.equal(fromUtf8(utf8(text)), text)));
  });

  test("a byte order mark is a character and stays", () => {
    assert.equal(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), "\ufeffa");
  });

  for (const [why, hex] of [
    ["an overlong slash", "c0af"],
    ["a surrogate", "eda080"],
    ["beyond U+10FFFF", "f4908080"],
    ["a lone continuation", "80"],
    ["a character cut off", "e282"],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => fromUtf8(Uint8Array.fromHex(hex)), { code: "text-malformed" }));
  }

  test("refuses to write half of a surrogate pair", () => assert.throws(() => utf8("a\ud800"), { code: "text-malformed" }));
});
