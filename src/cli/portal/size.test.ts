import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { parseSize, showSize } from "./size.ts";

suite("sizes", () => {
  test("octets, and units of 1024 however they are written", () => {
    for (const [text, octets] of [["0", 0], ["1234", 1234], ["2K", 2048], ["500MB", 500 * 1024 ** 2], ["1GiB", 1024 ** 3], ["1g", 1024 ** 3], ["3T", 3 * 1024 ** 4]] as const) assert.equal(parseSize(text, "SIZE"), octets, text);
  });
  test("anything else is refused", () => {
    for (const text of ["", "-1", "1.5G", "G", "1 G", "1P", "99999999T", "1e9", "١"]) assert.throws(() => parseSize(text, "SIZE"), { code: "usage-option-value" }, text);
  });
  test("as people read them", () => {
    assert.deepEqual([0, 1023, 1024, 110_088, 1024 ** 3, 5 * 1024 ** 4].map(showSize), ["0 B", "1023 B", "1.0 KiB", "108 KiB", "1.0 GiB", "5.0 TiB"]);
  });
});
