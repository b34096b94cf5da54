import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { base64urlLength, base64urlOctets, fromBase64url, toBase64url, writeBase64url } from "./base64url.ts";

const malformed = { code: "base64url-malformed" };

suite("base64url has one spelling (RFC 4648 §3.5, §5)", () => {
  test("what is written is read again", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => assert.deepEqual(fromBase64url(toBase64url(bytes)), bytes)));
  });

  test("what was read can be written among other octets", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const [text, target] = [toBase64url(bytes), new Uint8Array(bytes.length + 2).fill(7)];
        assert.equal(base64urlOctets(text), bytes.length);
        assert.equal(writeBase64url(target, 1, text), bytes.length + 1);
        assert.deepEqual(target, Uint8Array.of(7, ...bytes, 7));
      }),
    );
  });

  test("whatever is read is written the same again", () => {
    const texts = fc.stringMatching(/^[A-Za-z0-9_=+/ -]{0,12}$/);
    fc.assert(
      fc.property(texts, (text) => {
        let bytes: Uint8Array;
        try {
          bytes = fromBase64url(text);
        } catch {
          assert.equal(base64urlLength(text), undefined);
          return;
        }
        assert.equal(toBase64url(bytes), text);
        assert.equal(base64urlLength(text), bytes.length);
      }),
      { numRuns: 2000 },
    );
  });

  test("the platform's own codec agrees", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.equal(toBase64url(bytes), Buffer.from(bytes).toString("base64url"))));
  });

  // The test vectors of RFC 4648 §10, without padding.
  for (const [bytes, text] of [["", ""], ["f", "Zg"], ["fo", "Zm8"], ["foo", "Zm9v"], ["foob", "Zm9vYg"], ["fooba", "Zm9vYmE"], ["foobar", "Zm9vYmFy"]] as const) {
    test(`RFC 4648 §10: "${bytes}"`, () => assert.equal(toBase64url(new TextEncoder().encode(bytes)), text));
  }

  for (const [why, text] of [
    ["padding", "Zg=="],
    ["stray bits after one octet", "Zh"],
    ["stray bits after two octets", "Zm9"],
    ["one letter alone", "Z"],
    ["one letter too many", "Zm9vY"],
    ["white space inside", "Zm 9v"],
    ["a line end after", "Zm9v\n"],
    ["the plus of base64", "+w"],
    ["the slash of base64", "_/8"],
    ["a letter that is not ASCII", "Zm9é"],
    ["a NUL", "Zm9v\0"],
  ] as const) {
    test(`refuses ${why}`, () => {
      assert.throws(() => fromBase64url(text), malformed);
      assert.equal(base64urlLength(text), undefined);
    });
    test(`refuses ${why} behind many octets`, () => {
      assert.throws(() => fromBase64url("AAAA".repeat(4000) + text), malformed);
      assert.equal(base64urlLength("AAAA".repeat(4000) + text), undefined);
    });
  }
});
