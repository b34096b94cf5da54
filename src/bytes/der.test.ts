import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { contextTag, derBitString, derContext, derElement, derInteger, derOctetString, derOid, derSequence, tags } from "./der.ts";
import { bitStringOf, contentsOf, integerOf, oidOf, readDer, readDerList, sequenceOf } from "./der-reader.ts";

const hex = (text: string) => Uint8Array.fromHex(text);
const malformed = { code: "der-malformed" };

suite("DER (X.690 §8, §10)", () => {
  test("octet strings of every length are written in the shortest form and read again", () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
      const bytes = new Uint8Array(length).fill(7);
      assert.deepEqual(contentsOf(readDer(derOctetString(bytes)), tags.octetString), bytes);
    }
    assert.deepEqual(derOctetString(new Uint8Array(200)).subarray(0, 3), hex("0481c8"));
  });

  test("integers are written and read again", () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 1n << 200n }), (value) => assert.equal(integerOf(readDer(derInteger(value))), value)));
    for (const [value, text] of [[0, "020100"], [127, "02017f"], [128, "02020080"], [256, "02020100"]] as const) assert.deepEqual(derInteger(value), hex(text));
    assert.throws(() => derInteger(-1), malformed);
  });

  test("object identifiers are written and read again", () => {
    const arcs = fc.tuple(fc.constantFrom("0.39", "1.3", "2.5", "2.100"), fc.array(fc.nat(2 ** 31 - 1), { maxLength: 8 }));
    fc.assert(
      fc.property(arcs, ([root, rest]) => {
        const dotted = [root, ...rest].join(".");
        assert.equal(oidOf(readDer(derOid(dotted))), dotted);
      }),
    );
    assert.deepEqual(derOid("1.2.840.113549"), hex("06062a864886f70d"));
    for (const bad of ["", "1", "3.1", "1.40", "1.02x", "1..2", "1.2.99999999999"]) assert.throws(() => derOid(bad), malformed);
  });

  test("sequences, bit strings and context tags are written and read again", () => {
    const inner = derBitString(hex("aabb"));
    const [first, second] = sequenceOf(readDer(derSequence(inner, derContext(1, "primitive", hex("00cc")))));
    assert.deepEqual(bitStringOf(first), hex("aabb"));
    assert.deepEqual(bitStringOf(second, contextTag(1, "primitive")), hex("cc"));
    assert.equal(derContext(0, "constructed", inner)[0], 0xa0);
    assert.throws(() => contextTag(31, "primitive"), malformed);
  });

  test("whatever is read is written the same again", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        let elements: ReturnType<typeof readDerList>;
        try {
          elements = readDerList(bytes);
        } catch {
          return;
        }
        assert.deepEqual(Buffer.concat(elements.map((one) => derElement(one.tag, one.contents))), Buffer.from(bytes));
      }),
      { numRuns: 5000 },
    );
  });

  for (const [why, text] of [
    ["nothing", ""],
    ["a second element", "040100040100"],
    ["a tag alone", "04"],
    ["contents cut off", "040201"],
    ["a length cut off", "0482"],
    ["a length in two octets cut off", "048201"],
    ["the indefinite length", "24800000"],
    ["a length that is not the shortest: one octet for a small one", "04810100"],
    ["a length that is not the shortest: a leading zero", `048200c8${"00".repeat(200)}`],
    ["a length of five octets", "04850000000001ff"],
    ["a tag of several octets", "1f0100"],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => readDer(hex(text)), malformed));
  }

  for (const [why, text, read] of [
    ["an empty integer", "0200", integerOf],
    ["a negative integer", "020180", integerOf],
    ["a padded integer", "0202007f", integerOf],
    ["an empty bit string", "0300", bitStringOf],
    ["a bit string with unused bits", "03020180", bitStringOf],
    ["an empty object identifier", "0600", oidOf],
    ["an object identifier cut off", "06022a86", oidOf],
    ["a padded arc", "06032a8001", oidOf],
    ["a huge arc", "06062affffffff7f", oidOf],
    ["another tag", "0401ff", integerOf],
    ["an octet string for a sequence", "0401ff", sequenceOf],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => read(readDer(hex(text))), malformed));
  }

  test("refuses an element that is missing", () => assert.throws(() => contentsOf(undefined, tags.oid), malformed));
});
