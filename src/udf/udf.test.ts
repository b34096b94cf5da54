import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { fromBase32 } from "../bytes/base32.ts";
import { utf8 } from "../bytes/text.ts";
import { sha512 } from "../crypto/digest.ts";
import { readVectors } from "../crypto/test-vectors.ts";
import { compactUdf, expandUdf, isUdf, parseUdf, showUdf, type Udf, udfOf, udfOfKey } from "./udf.ts";

type Row = { readonly id: string; readonly contentType: string; readonly dataHex: string; readonly presentations: Readonly<Record<string, string>> };
const { rows } = readVectors<{ readonly rows: readonly Row[] }>("udf/digests.json");
const udf = udfOf("text/plain", utf8("UDF Data Value"));
const udfs = fc.uint8Array().map((data) => udfOf("text/plain", data));

suite("identifiers: vectors of draft-hallambaker-mesh-udf", () => {
  for (const { id, contentType, dataHex, presentations } of rows) {
    for (const [bits, text] of Object.entries(presentations)) {
      // 260 bits are ours; more than that cannot be shown, the rest are beginnings of it.
      test(`${id}, ${bits} bits`, () => assert.equal(udfOf(contentType, Uint8Array.fromHex(dataHex)).slice(0, text.length), text.slice(0, 64)));
    }
    test(`${id}, as people are shown it`, () => {
      const shown = presentations["140"];
      if (shown !== undefined) assert.equal(showUdf(udfOf(contentType, Uint8Array.fromHex(dataHex))), shown);
    });
  }
});

suite("identifiers: one spelling (decision 3.2)", () => {
  test("thirteen groups of four: the type octet 0x60, then 252 bits of SHA-512(type : SHA-512(data))", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), fc.uint8Array(), (type, data) => {
        const made = udfOf(type, data);
        assert.match(made, /^([A-Z2-7]{4}-){12}[A-Z2-7]{4}$/);
        // 48 letters are exactly 30 octets, all of which can be compared.
        const octets = fromBase32(made.replaceAll("-", "").slice(0, 48));
        const digest = sha512(utf8(type), utf8(":"), sha512(data));
        assert.equal(octets[0], 0x60);
        assert.deepEqual(octets.subarray(1), digest.subarray(0, 29));
      }),
    );
  });

  test("a key is identified by its SubjectPublicKeyInfo (decision 3.1)", () => {
    assert.equal(udfOfKey(utf8("spki")), udfOf("application/pkix-keyinfo", utf8("spki")));
  });

  test("type and data are kept apart", () => assert.notEqual(udfOf("a", utf8("b")), udfOf("a:", utf8("b"))));

  test("what was made is read again", () => {
    fc.assert(
      fc.property(udfs, (made) => {
        assert.equal(parseUdf(made), made);
        assert.equal(expandUdf(compactUdf(made)), made);
        assert.match(compactUdf(made), /^m[a-d][a-z2-7]{50}$/);
        assert.equal(showUdf(made).replaceAll("-", "").length, 28);
      }),
    );
  });

  test("every single character changed is another identifier or refused", () => {
    for (let at = 0; at < udf.length; at++) {
      for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-abm018 \u212a") {
        const other = udf.slice(0, at) + character + udf.slice(at + 1);
        if (other === udf || !isUdf(other)) continue;
        // Accepted: then it must be in the one spelling of other bits, which means a letter for a letter.
        assert.match(character, /^[A-Z2-7]$/);
        assert.equal(other.length, udf.length);
        assert.notEqual(compactUdf(other), compactUdf(udf));
      }
    }
  });

  for (const [why, text] of [
    ["nothing", ""],
    ["lower case", udf.toLowerCase()],
    ["one lower-case letter", udf.slice(0, -1) + udf.slice(-1).toLowerCase()],
    ["no dashes", udf.replaceAll("-", "")],
    ["one dash missing", udf.replace("-", "")],
    ["a dash too many", `${udf}-`],
    ["a dash before", `-${udf}`],
    ["groups of five, as in 2017", udf.replaceAll("-", "").replaceAll(/.{5}(?=.)/g, "$&-")],
    ["140 bits", showUdf(udf)],
    ["256 bits", udf.slice(0, -1)],
    ["280 bits", `${udf}-AAAA`],
    ["SHA-3 (K)", `K${udf.slice(1)}`],
    ["a nonce (N)", `N${udf.slice(1)}`],
    ["a compressed digest (type octet 0x61)", `MG${udf.slice(2)}`],
    ["the last type octet of letter M (0x67)", `M7${udf.slice(2)}`],
    ["a space after", `${udf} `],
    ["a line end after", `${udf}\n`],
    ["a one for an I", `${udf.slice(0, -1)}1`],
    ["another kind of dash", udf.replace("-", "\u2010")],
    ["a padding sign", `${udf.slice(0, -1)}=`],
  ] as const) {
    test(`refuses ${why}`, () => {
      assert.equal(isUdf(text), false);
      assert.throws(() => parseUdf(text), { code: "udf-malformed", exit: 2 });
    });
  }

  test("what is no text is no identifier", () => {
    for (const value of [undefined, null, 1, [udf], { toString: () => udf }]) assert.equal(isUdf(value), false);
  });

  for (const [why, compact] of [
    ["upper case", compactUdf(udf).toUpperCase()],
    ["dashes", udf.toLowerCase()],
    ["a character less", compactUdf(udf).slice(1)],
    ["a character more", `${compactUdf(udf)}a`],
    ["another letter in front", `k${compactUdf(udf).slice(1)}`],
    ["a compressed digest", `mg${compactUdf(udf).slice(2)}`],
    ["a line end after", `${compactUdf(udf)}\n`],
  ] as const) {
    test(`the compact form refuses ${why}`, () => assert.throws(() => expandUdf(compact), { code: "udf-malformed" }));
  }

  test("what an identifier is of is told apart by the type checker", () => {
    const device: Udf<"device-profile"> = udfOf("x", utf8("y"));
    const either: Udf = device;
    // @ts-expect-error an identifier of a device is not one of a person
    const person: Udf<"master-profile"> = device;
    assert.equal(person, either);
  });
});
