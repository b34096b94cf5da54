import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { fromBase64, toBase64 } from "./base64.ts";

suite("base64 has one spelling (RFC 4648 §3.5, §4)", () => {
  test("what is written is read again, as the platform's own codec does", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.equal(toBase64(bytes), Buffer.from(bytes).toString("base64"));
        assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
      }),
    );
  });

  for (const [why, text] of [
    ["no padding", "Zg"],
    ["half the padding", "Zg="],
    ["too much padding", "Zm8=="],
    ["stray bits", "Zh=="],
    ["a letter too many", "Zm9vY"],
    ["white space", "Zm 9v"],
    ["a line end after", "Zm9v\n"],
    ["the minus of base64url", "-w=="],
    ["the underscore of base64url", "_/8="],
    ["a NUL", "Zm9v\0"],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => fromBase64(text), { code: "base64-malformed" }));
  }
});
