import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { canonicalBytes, canonicalJson, type Json } from "./canonical-json.ts";
import { parseJson } from "./json.ts";

const nested = (depth: number): Json => (depth === 0 ? 0 : [nested(depth - 1)]);

suite("canonical JSON (RFC 8785)", () => {
  test("§3.2.2: the sample object", () => {
    const sample = String.raw`{ "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false] }`;
    const expected = String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`;
    assert.equal(canonicalJson(parseJson(sample)), expected);
  });

  test("§3.2.3: names are sorted by UTF-16 code units", () => {
    const sample = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 };
    assert.equal(canonicalJson(sample), '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
  });

  // Appendix B: the bits of a double and its text.
  for (const [hex, text] of [
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["ffefffffffffffff", "-1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["c340000000000000", "-9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["44b52d02c7e14af7", "1.0000000000000001e+23"],
    ["444b1ae4d6e2ef4e", "999999999999999700000"],
    ["444b1ae4d6e2ef4f", "999999999999999900000"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["41b3de4355555553", "333333333.3333332"],
    ["41b3de4355555554", "333333333.33333325"],
    ["41b3de4355555555", "333333333.3333333"],
    ["41b3de4355555556", "333333333.3333334"],
    ["41b3de4355555557", "333333333.33333343"],
    ["becbf647612f3696", "-0.0000033333333333333333"],
    ["43143ff3c1cb0959", "1424953923781206.2"],
  ] as const) {
    test(`Appendix B: ${hex}`, () => assert.equal(canonicalJson(Buffer.from(hex, "hex").readDoubleBE()), text));
  }

  test("the order in which members were set does not matter", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.integer()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).toReversed());
        assert.equal(canonicalJson(value), canonicalJson(reversed));
      }),
    );
  });

  test("octets are the UTF-8 of the text", () => assert.deepEqual(canonicalBytes("€"), Uint8Array.of(0x22, 0xe2, 0x82, 0xac, 0x22)));

  test("a member named __proto__ is written like any other", () => assert.equal(canonicalJson(JSON.parse('{"__proto__":{"a":1}}') as Json), '{"__proto__":{"a":1}}'));

  test("depth 32 is written and 33 is not", () => {
    assert.equal(canonicalJson(nested(32)).length, 65);
    assert.throws(() => canonicalJson(nested(33)), { code: "json-too-deep" });
  });

  test("a value that holds itself ends as too deep", () => {
    const ring: Record<string, unknown> = {};
    ring["again"] = ring;
    assert.throws(() => canonicalJson(ring as Json), { code: "json-too-deep" });
  });

  // Holes and undefined are what JSON.stringify would drop or turn into null without a word.
  const holes: unknown[] = [1];
  holes[2] = 3;
  for (const [why, value] of [
    ["an undefined member", { a: undefined }],
    ["undefined itself", undefined],
    ["a hole in an array", holes],
    ["NaN", Number.NaN],
    ["infinity", { a: Number.NEGATIVE_INFINITY }],
    ["a big integer", 1n],
    ["a function", () => 1],
    ["a symbol", Symbol("a")],
    ["a lone surrogate", "\ud800"],
    ["a lone surrogate in a name", { "\udc00": 1 }],
    ["a date", new Date(0)],
    ["octets", Uint8Array.of(1)],
    ["a map", new Map()],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => canonicalJson(value as unknown as Json), { code: "json-malformed" }));
  }
});
