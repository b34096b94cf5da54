import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { fromBase32, toBase32 } from "./base32.ts";

suite("base32 has one spelling (RFC 4648 §3.5, §6)", () => {
  test("what is written is read again", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => assert.deepEqual(fromBase32(toBase32(bytes)), bytes)));
  });

  test("whatever is read is written the same again", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Z2-7]{0,12}$/), (text) => {
        let bytes: Uint8Array;
        try {
          bytes = fromBase32(text);
        } catch {
          return;
        }
        assert.equal(toBase32(bytes), text);
      }),
      { numRuns: 2000 },
    );
  });

  // The test vectors of RFC 4648 §10, without padding.
  for (const [bytes, text] of [["", ""], ["f", "MY"], ["fo", "MZXQ"], ["foo", "MZXW6"], ["foob", "MZXW6YQ"], ["fooba", "MZXW6YTB"], ["foobar", "MZXW6YTBOI"]] as const) {
    test(`RFC 4648 §10: "${bytes}"`, () => {
      assert.equal(toBase32(new TextEncoder().encode(bytes)), text);
      assert.deepEqual(fromBase32(text), new TextEncoder().encode(bytes));
    });
  }

  for (const [why, text] of [
    ["lower case", "my"],
    ["padding", "MY======"],
    ["stray bits", "MZ"],
    ["a length of one", "M"],
    ["a length of three", "MYA"],
    ["a length of six", "MZXW6Y"],
    ["a digit that is no letter of it", "M1"],
    ["a dash", "MZ-XW"],
    ["white space", "MZXW6 "],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => fromBase32(text), { code: "base32-malformed" }));
  }
});
