import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { canonicalJson, type Json } from "./canonical-json.ts";
import { parseCanonical, parseJson, parseWritten } from "./json.ts";
import { utf8 } from "./text.ts";

const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const values = fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }) as fc.Arbitrary<Json>;

/** What both readers refuse, whichever of their paths they take: with spaces after it, no text takes the quick one. */
const refused: readonly (readonly [string, string, string])[] = [
  ["nothing", "", "json-malformed"],
  ["more than one value", "1 2", "json-malformed"],
  ["a comma after the last element", "[1,]", "json-malformed"],
  ["a comma after the last member", '{"a":1,}', "json-malformed"],
  ["an array without end", "[1", "json-malformed"],
  ["an object without end", '{"a":1', "json-malformed"],
  ["a bracket of the wrong kind", "[1}", "json-malformed"],
  ["a bracket too many", "[]]", "json-malformed"],
  ["a name without quotes", "{a:1}", "json-malformed"],
  ["a name without value", '{"a"}', "json-malformed"],
  ["single quotes", "'a'", "json-malformed"],
  ["a text without end", '"a', "json-malformed"],
  ["a text that ends in an escape", '"a\\"', "json-malformed"],
  ["a line end inside a text", '"a\nb"', "json-malformed"],
  ["an unknown escape", '"\\x41"', "json-malformed"],
  ["a short escape", '"\\u12"', "json-malformed"],
  ["a comment", "/* */1", "json-malformed"],
  ["a leading zero", "01", "json-malformed"],
  ["a leading plus", "+1", "json-malformed"],
  ["a bare point", "1.", "json-malformed"],
  ["hexadecimal", "0x10", "json-malformed"],
  ["NaN", "NaN", "json-malformed"],
  ["a number beyond a double", "1e999", "json-malformed"],
  ["a word cut short", "tru", "json-malformed"],
  ["a no-break space", "\u00a01", "json-malformed"],
  ["a byte order mark", "\ufeff1", "json-malformed"],
  ["half of a surrogate pair, escaped", '"\\ud800"', "json-malformed"],
  ["half of a surrogate pair in a name", '{"\\udc00":1}', "json-malformed"],
  ["half of a surrogate pair, raw", '"\ud800"', "json-malformed"],
  ["a member twice", '{"a":1,"a":1}', "json-duplicate-member"],
  ["a member twice, once escaped", '{"a":1,"\\u0061":2}', "json-duplicate-member"],
  ["__proto__ twice", '{"__proto__":1,"__proto__":2}', "json-duplicate-member"],
  ["a member twice, far inside", '[[{"b":{"a":1,"a":1}}]]', "json-duplicate-member"],
  ["depth 33", deep(33), "json-too-deep"],
  ["depth without end", "[".repeat(900_000), "json-too-deep"],
  ["depth of objects", '{"a":'.repeat(33) + "1" + "}".repeat(33), "json-too-deep"],
];

suite("strict JSON (RFC 8259, RFC 7493)", () => {
  test("agrees with the engine on every value, compact or spaced", () => {
    fc.assert(
      fc.property(values, fc.constantFrom("", " ", "\n\t"), (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        assert.deepEqual(parseJson(text), JSON.parse(text));
        assert.deepEqual(parseJson(utf8(text)), JSON.parse(text));
      }),
    );
  });

  test("accepts no text that the engine does not, and reads the same from it", () => {
    const tokens = fc.array(fc.constantFrom("{", "}", "[", "]", ",", ":", '"a"', '"b"', '"\\n"', "1", "-0", "1e5", "true", "null", " ", '"', "\\", "01"), { maxLength: 9 });
    fc.assert(
      fc.property(tokens, (parts) => {
        const text = parts.join("");
        let value: Json;
        try {
          value = parseJson(text);
        } catch {
          return;
        }
        assert.deepEqual(value, JSON.parse(text));
      }),
      { numRuns: 5000 },
    );
  });

  for (const [why, text, code] of refused) {
    test(`refuses ${why}`, () => {
      assert.throws(() => parseJson(text), { code });
      assert.throws(() => parseJson(`${text} `), { code });
      assert.throws(() => parseCanonical(text), { code });
    });
  }

  test("refuses octets that are not UTF-8", () => {
    for (const hex of ["22ff22", "22eda08022", "22c0af22"]) {
      assert.throws(() => parseJson(Uint8Array.fromHex(hex)), { code: "json-malformed" });
      assert.throws(() => parseCanonical(Uint8Array.fromHex(hex)), { code: "json-malformed" });
    }
  });

  test("counts octets, not characters", () => {
    assert.equal(parseJson('"€"', { maxBytes: 5 }), "€");
    for (const input of ['"€"', utf8('"€"')]) assert.throws(() => parseJson(input, { maxBytes: 4 }), { code: "json-too-large" });
    assert.throws(() => parseCanonical(`"${"a".repeat(1 << 20)}"`), { code: "json-too-large" });
  });

  test("depth 32 is read, and limits can be narrower", () => {
    assert.equal(JSON.stringify(parseJson(deep(32))), deep(32));
    assert.equal(JSON.stringify(parseCanonical(deep(32))), deep(32));
    assert.throws(() => parseJson(deep(3), { maxDepth: 2 }), { code: "json-too-deep" });
    assert.throws(() => parseCanonical(deep(3), { maxDepth: 2 }), { code: "json-too-deep" });
  });

  test("brackets inside a text are no depth", () => {
    const text = JSON.stringify([`"${"[".repeat(100)}`, "\\", "{"]);
    assert.deepEqual(parseCanonical(text), JSON.parse(text));
  });

  for (const space of ["", " "]) {
    test(`a member named __proto__ is a member, not the prototype (${space === "" ? "quick" : "strict"} path)`, () => {
      const value = parseJson(`{"__proto__":{"admin":true}}${space}`) as Record<string, Json>;
      assert.equal(Object.getPrototypeOf(value), Object.prototype);
      assert.equal(value["admin"], undefined);
      assert.deepEqual(Object.keys(value), ["__proto__"]);
      assert.equal(({} as Record<string, unknown>)["admin"], undefined);
    });
  }

  test("a long text of escapes and a long number end in good time", () => {
    assert.equal((parseJson(`"${"\\n".repeat(400_000)}" `) as string).length, 400_000);
    assert.throws(() => parseJson(`"${"\\".repeat(900_001)}`), { code: "json-malformed" });
    assert.throws(() => parseJson("9".repeat(900_000)), { code: "json-malformed" });
  });
});

suite("canonical JSON is read in one spelling (RFC 8785)", () => {
  test("the canonical text of any value is read as that value", () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = canonicalJson(value);
        assert.deepEqual(parseCanonical(text), JSON.parse(text));
        assert.equal(canonicalJson(parseCanonical(utf8(text))), text);
      }),
    );
  });

  test("whatever is read is its own canonical text", () => {
    const tokens = fc.array(fc.constantFrom("{", "}", "[", "]", ",", ":", '"a"', '"b"', '"10"', '"9"', '"\\u0061"', "1", "1.0", "-0", "1e5", "true", " "), { maxLength: 9 });
    fc.assert(
      fc.property(tokens, (parts) => {
        const text = parts.join("");
        let value: Json;
        try {
          value = parseCanonical(text);
        } catch {
          return;
        }
        assert.equal(canonicalJson(value), text);
      }),
      { numRuns: 5000 },
    );
  });

  test("names of digits are sorted as text, though engines keep them as numbers", () => {
    assert.deepEqual(parseCanonical('{"10":1,"9":2}'), { 9: 2, 10: 1 });
    assert.throws(() => parseCanonical('{"9":2,"10":1}'), { code: "json-not-canonical" });
    assert.deepEqual(parseCanonical('{"-":0,"1":1}'), { "-": 0, 1: 1 });
  });

  for (const [why, text] of [
    ["space", '{"a": 1}'],
    ["space before", " 1"],
    ["a line end after", "1\n"],
    ["names out of order", '{"b":1,"a":2}'],
    ["names out of order inside an array", '[{"b":1,"a":2}]'],
    ["an escape that is not needed", '"\\u0061"'],
    ["an escaped slash", '"\\/"'],
    ["an escape in capitals", '"\\u000F"'],
    ["a long escape for a line end", '"\\u000a"'],
    ["a zero behind the point", "1.0"],
    ["an exponent", "1e2"],
    ["a number that a double cannot hold", "9007199254740993"],
    ["minus zero", "-0"],
  ] as const) {
    test(`refuses ${why}`, () => {
      parseJson(text);
      assert.throws(() => parseCanonical(text), { code: "json-not-canonical" });
    });
  }
});

suite("a name with an escape", () => {
  // The engine's parser compares names with those that it read before, and takes octets of the text for the name that they stand for.
  const names = ["\\", "\\\"", "\\n", "\\\\", '":', "\n", '"', '"x'];

  for (const first of names) {
    for (const second of names) {
      test(`is read the same after another one: ${JSON.stringify(second)} after ${JSON.stringify(first)}`, () => {
        const [before, after] = [{ "": [], [first]: 1 }, { "": [], [second]: 1 }];
        for (const read of [parseJson, parseCanonical, parseWritten]) {
          read(JSON.stringify(before));
          assert.deepEqual(read(JSON.stringify(after)), after);
        }
      });
    }
  }
});
