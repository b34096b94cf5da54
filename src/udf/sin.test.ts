import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { utf8 } from "../bytes/text.ts";
import { readVectors } from "../crypto/test-vectors.ts";
import { formatSin, parseAddress } from "./sin.ts";
import { compactUdf, showUdf, udfOf } from "./udf.ts";

const udf = udfOf("text/plain", utf8("Alice"));
const alice = { user: "alice", domain: "example.com", address: "alice@example.com" };
const malformed = { code: "address-malformed", exit: 2 };

suite("addresses (decisions 3.4 and 8.3)", () => {
  test("alone, with a pin, and as a strong internet name", () => {
    assert.deepEqual(parseAddress("alice@example.com"), alice);
    assert.deepEqual(parseAddress(`alice@example.com#${udf}`), { ...alice, pin: udf });
    assert.deepEqual(parseAddress(`alice@example.com.mm--${compactUdf(udf)}`), { ...alice, pin: udf });
  });

  test("without a pin there is no such member", () => assert.ok(!("pin" in parseAddress("alice@example.com"))));

  test("names are not case sensitive", () => {
    assert.deepEqual(parseAddress("Alice@Example.COM"), alice);
    assert.deepEqual(parseAddress(`ALICE@${formatSin("EXAMPLE.com", udf).toUpperCase()}`), { ...alice, pin: udf });
  });

  test("localhost is a domain", () => assert.equal(parseAddress("alice@localhost").domain, "localhost"));

  test("a strong internet name is a host name: its label has 56 octets", () => {
    assert.equal(formatSin("example.com", udf), `example.com.mm--${compactUdf(udf)}`);
    assert.equal(formatSin("localhost", udf).split(".")[1]?.length, 56);
  });

  test("what is made of good parts is read again", () => {
    const users = fc.stringMatching(/^[a-z0-9._-]{1,64}$/);
    const domains = fc.stringMatching(/^[a-z0-9]{1,10}(\.[a-z][a-z0-9]{0,9}){1,4}$/);
    fc.assert(
      fc.property(users, domains, (user, domain) => {
        const expected = { user, domain, address: `${user}@${domain}`, pin: udf };
        assert.deepEqual(parseAddress(`${user}@${domain}#${udf}`), expected);
        assert.deepEqual(parseAddress(`${user}@${formatSin(domain, udf)}`), expected);
      }),
    );
  });

  for (const [why, text] of [
    ["nothing", ""],
    ["no @", "example.com"],
    ["no name", "@example.com"],
    ["no domain", "alice@"],
    ["two @, whose first is in the name", "alice@home@example.com"],
    ["a space", "alice @example.com"],
    ["a line end after", "alice@example.com\n"],
    ["a plus", "alice+x@example.com"],
    ["a letter that is not ASCII", "älice@example.com"],
    ["a Kelvin sign, which lower-cases to k", "\u212aate@example.com"],
    ["a name of 65 characters", `${"a".repeat(65)}@example.com`],
    ["a domain of one label", "alice@example"],
    ["an empty label", "alice@example..com"],
    ["a dot after", "alice@example.com."],
    ["a dash at the end of a label", "alice@example-.com"],
    ["a dash at the start of a label", "alice@-example.com"],
    ["an underscore in the domain", "alice@ex_ample.com"],
    ["a label of 64 octets", `alice@${"a".repeat(64)}.com`],
    ["a domain of 254 octets", `alice@${"a.".repeat(125)}comm`],
    ["an address in digits", "alice@127.0.0.1"],
    ["a port", "alice@example.com:8443"],
    ["a scheme", "mailto:alice@example.com"],
    ["a domain that is not ASCII", "alice@exämple.com"],
    ["an empty pin", "alice@example.com#"],
    ["a pin in lower case", `alice@example.com#${udf.toLowerCase()}`],
    ["a pin without dashes", `alice@example.com#${udf.replaceAll("-", "")}`],
    ["a pin of 140 bits", `alice@example.com#${showUdf(udf)}`],
    ["two pins", `alice@example.com#${udf}#${udf}`],
    ["a pin and a strong name", `alice@${formatSin("example.com", udf)}#${udf}`],
    ["a strong name with an empty identifier", "alice@example.com.mm--"],
    ["a strong name with a short identifier", `alice@example.com.mm--${compactUdf(udf).slice(0, 28)}`],
    ["a strong name with dashes", `alice@example.com.mm--${udf.toLowerCase()}`],
    ["an identifier in front", `alice@mm--${compactUdf(udf)}.example.com`],
    ["two strong names", `alice@${formatSin("example.com", udf)}.mm--${compactUdf(udf)}`],
    ["a strong name of no domain", `alice@mm--${compactUdf(udf)}`],
    ["a strong name of one label", `alice@example.mm--${compactUdf(udf)}`],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => parseAddress(text), malformed));
  }

  // Forms of draft-hallambaker-sin-00 that are not ours: shorter identifiers in groups of five.
  for (const { address, udf: foreign } of readVectors<{ readonly valid: readonly { readonly address: string; readonly udf: string | null }[] }>("udf/sin.json").valid) {
    if (foreign !== null) test(`refuses the draft's ${address}`, () => assert.throws(() => parseAddress(address), malformed));
  }

  test("a strong name is made of a good domain only", () => {
    for (const domain of ["", "example", "exa mple.com", formatSin("example.com", udf)]) assert.throws(() => formatSin(domain, udf), malformed);
  });
});
