import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { utf8 } from "../bytes/text.ts";
import { readVectors } from "../crypto/test-vectors.ts";
import { parseForeignAddress, parseForeignUdf } from "./foreign.ts";
import { udfOf } from "./udf.ts";

type Row = { readonly id: string; readonly digest: string; readonly compression: number; readonly bits: number; readonly text: string };
type Bad = { readonly id: string; readonly text: string; readonly why: string };
const vectors = readVectors<{ readonly valid: readonly Row[]; readonly invalid: readonly Bad[] }>("udf/foreign.json");
const malformed = { code: "udf-malformed" };

suite("fingerprints of others, 2016 to 2022", () => {
  for (const { id, digest, compression, bits, text } of vectors.valid) {
    test(`${id} is read`, () => {
      assert.deepEqual(parseForeignUdf(text), { kind: "foreign-udf", digest, compression, bits, letters: text.replaceAll("-", "") });
      assert.deepEqual(parseForeignUdf(text.toLowerCase()), parseForeignUdf(text.replaceAll("-", "")));
    });
  }

  for (const { id, text, why } of vectors.invalid) test(`${id} is refused: ${why}`, () => assert.throws(() => parseForeignUdf(text), malformed));

  for (const [why, text] of [
    ["nothing", ""],
    ["fewer than 100 bits", "MDDK-7N6A-727A-JZNO-STR"],
    ["more than 520 bits", `MDDK${"A".repeat(101)}`],
    ["two dashes", "MDDK--7N6A-727A-JZNO-STRX"],
    ["a dash at the end", "MDDK-7N6A-727A-JZNO-STRX-"],
    ["a letter that is none of base32", "MDDK-7N6A-727A-JZNO-STR1"],
    ["more compression than there is (101)", "MUDK-7N6A-727A-JZNO-STRX"],
    ["a space", "MDDK 7N6A-727A-JZNO-STRX"],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => parseForeignUdf(text), malformed));
  }

  test("one of ours is also read, and stays of the other type", () => {
    const ours = udfOf("text/plain", utf8("x"));
    assert.equal(parseForeignUdf(ours).bits, 260);
    // @ts-expect-error a fingerprint of others is no identifier of ours
    const udf: typeof ours = parseForeignUdf(ours);
    assert.equal(typeof udf, "object");
  });
});

type Address = { readonly address: string; readonly base: string; readonly udf: string | null };
const sin = readVectors<{ readonly valid: readonly Address[]; readonly invalid: readonly Address[] }>("udf/sin.json");

suite("strong internet names of others (draft-hallambaker-sin-00)", () => {
  for (const { address, base, udf } of sin.valid) {
    test(address, () => assert.deepEqual(parseForeignAddress(address), udf === null ? { base } : { base, udf: parseForeignUdf(udf) }));
  }

  for (const { address } of sin.invalid) test(`refuses ${address}`, () => assert.throws(() => parseForeignAddress(address), malformed));

  test("refuses two fingerprints, and one in the middle", () => {
    const label = "mm--mb2gk-6duf5-ygyyl-jny5e-rwshz";
    for (const text of [`${label}.example.com.${label}`, `a@example.${label}.com`, "a@example..com", "a@example.com.mm--"]) assert.throws(() => parseForeignAddress(text), malformed);
  });
});
