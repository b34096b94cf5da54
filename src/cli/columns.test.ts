import assert from "node:assert/strict";
import { test } from "node:test";

import { cut, tabulate, widthOf, wrap } from "./columns.ts";
import { jsonText, printable, printableLines } from "./printable.ts";

test("widths are those of a terminal", () => {
  for (const [text, width] of [["abc", 3], ["é", 1], ["e\u0301", 1], ["日本", 4], ["한글", 4], ["ａ", 2], ["👩‍👩‍👧", 2], ["🇩🇪", 2], ["❤️", 2], ["", 0], ["\u200d", 0]] as const) assert.equal(widthOf(text), width, JSON.stringify(text));
});

test("a text is cut between characters as people see them", () => {
  assert.equal(cut("abcdef", 6), "abcdef");
  assert.equal(cut("abcdef", 5), "abcd…");
  assert.equal(cut("日本語", 5), "日本…");
  assert.equal(cut("日本語", 4), "日…");
  assert.equal(cut("ab cdef", 4), "ab…");
});

test("a table is aligned, leaves empty columns out, and fits a terminal if there is one", () => {
  assert.equal(tabulate(["NAME", "TAGS", "USER"], [["日本", "", "a"], ["bank", "", "bob"]]), "NAME  USER\n日本  a\nbank  bob");
  const narrow = tabulate(["NAME", "SITES"], [["bank", "x".repeat(100)]], 40);
  assert(narrow.split("\n").every((line) => widthOf(line) <= 40), narrow);
  assert.match(narrow, /^bank {2}x+…$/m);
});

test("a paragraph is wrapped at words", () => {
  assert.equal(wrap("one two three", 8), "one two\nthree");
  assert.equal(wrap("one two", 6, "  "), "  one\n  two");
});

test("nothing that is stored can drive the terminal", () => {
  const evil = "a\u001b[2J\u009b1m\r\n\u202Eb\u0000";
  assert.equal(printable(evil), "a\\u{1b}[2J\\u{9b}1m\\u{d}\\n\\u{202e}b\\u{0}");
  assert.equal(printableLines("a\r\nb\tc\u001b"), "a\nb\tc\\u{1b}");
  const text = jsonText({ evil });
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\u202e]/u);
  assert.deepEqual(JSON.parse(text), { evil });
});
