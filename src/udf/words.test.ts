import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { utf8 } from "../bytes/text.ts";
import { sha512 } from "../crypto/digest.ts";
import { WORDS } from "./word-list.ts";
import { parseWords, wordsOf } from "./words.ts";

const malformed = (named: RegExp) => ({ code: "words-malformed", exit: 2, message: named });

suite("the list of words (BIP-39, English)", () => {
  test("has 2,048 words, sorted, none twice, and none with the first four letters of another", () => {
    assert.equal(WORDS.length, 2048);
    assert.deepEqual([...WORDS].sort(), WORDS);
    assert.equal(new Set(WORDS.map((word) => word.slice(0, 4))).size, 2048);
    assert.ok(WORDS.every((word) => /^[a-z]{3,8}$/.test(word)));
  });

  test("is the published one, word for word", () => {
    const expected = "416c71ba30018ea292bb36cdc23c9329673485a8d8933266a9d9a7cc72153b8baed3d430f52eab4f5d3addf6583611b3777a50454599f1e42716f5f879621123";
    assert.equal(sha512(utf8(`${WORDS.join("\n")}\n`)).toHex(), expected);
  });
});

suite("words for people", () => {
  test("eleven bits a word, most significant first", () => {
    assert.deepEqual(wordsOf(new Uint8Array(2), 1), ["abandon"]);
    assert.deepEqual(wordsOf(Uint8Array.of(0, 0x20), 1), ["ability"]);
    assert.deepEqual(wordsOf(Uint8Array.of(0xff, 0xe0, 0, 0), 2), ["zoo", "abandon"]);
    assert.deepEqual(wordsOf(Uint8Array.of(0, 0x1f, 0xfc), 1, 11), ["zoo"]);
  });

  test("agrees with BIP-39 for 128 bits: its first eleven words have no checksum in them", () => {
    // From the test vectors of the BIP: entropy 0x7f…, and 0x80….
    const [seven, eight] = ["legal winner thank year wave sausage worth useful legal winner thank", "letter advice cage absurd amount doctor acoustic avoid letter advice cage"];
    assert.equal(wordsOf(new Uint8Array(16).fill(0x7f), 11).join(" "), seven);
    assert.equal(wordsOf(new Uint8Array(16).fill(0x80), 11).join(" "), eight);
  });

  test("six words and the three after them are nine words (decision 5.2)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bits) => {
        assert.deepEqual([...wordsOf(bits, 6), ...wordsOf(bits, 3, 66)], wordsOf(bits, 9));
      }),
    );
  });

  test("every bit that is asked for counts", () => {
    const bits = new Uint8Array(9);
    for (let bit = 0; bit < 66; bit++) {
      const other = bits.slice();
      other[bit >> 3] = 128 >> (bit & 7);
      assert.notDeepEqual(wordsOf(other, 6), wordsOf(bits, 6));
    }
  });

  test("refuses more words than there are bits", () => {
    assert.throws(() => wordsOf(new Uint8Array(8), 6), RangeError);
    assert.throws(() => wordsOf(new Uint8Array(9), 6, 7), RangeError);
    assert.throws(() => wordsOf(new Uint8Array(9), 1, -1), RangeError);
  });
});

suite("words that a person typed", () => {
  const words = ["abandon", "zoo", "act", "action", "legal", "winner"];

  for (const text of ["abandon zoo act action legal winner", "  Abandon\tZOO\nact  ACTION, legal - winner ", "abandon-zoo-act-action-legal-winner", "aban zoo act acti lega winn", "abando zoo act actio legal winne"]) {
    test(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parseWords(text, 6), words));
  }

  test("what was shown is read again", () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 9, maxLength: 9 }), (bits) => assert.deepEqual(parseWords(wordsOf(bits, 6).join(" "), 6), wordsOf(bits, 6))));
  });

  test("names the word that is unknown", () => assert.throws(() => parseWords("abandon zooo act action legal winner", 6), malformed(/"zooo"/)));

  for (const [why, text, count, named] of [
    ["three letters that begin a longer word", "aba", 1, /"aba"/],
    ["a word of the list with more behind it", "zoos", 1, /"zoos"/],
    ["a word that goes on otherwise", "abandoned", 1, /"abandoned"/],
    ["a letter that is not ASCII", "äbandon", 1, /"äbandon"/],
    ["too few", "abandon zoo", 3, /3 words here, not 2/],
    ["too many", "abandon zoo", 1, /1 words here, not 2/],
    ["nothing", " ", 1, /not 0/],
    ["a name that every object has", "constructor", 1, /"constructor"/],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => parseWords(text, count), malformed(named)));
  }
});
