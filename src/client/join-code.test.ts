import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { readVectors } from "../crypto/test-vectors.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { udfOf } from "../udf/udf.ts";
import { isJoinCode, type JoinCode, parseJoinCode, showJoinCode } from "./join-code.ts";
import { newPin, showPin } from "./pin-code.ts";

const id = (n: number) => udfOf("application/test", Uint8Array.of(n));
const example: JoinCode = { address: "alice@example.com", pin: showPin(newPin(id(1))), portal: { pin: id(2), url: "https://mesh.example.com:8443" } };
const codes = fc.record({
  address: fc.tuple(fc.stringMatching(/^[a-z0-9._-]{1,64}$/), fc.constantFrom("localhost", "example.com", "a-b.example.co.uk")).map((parts) => parts.join("@")),
  pin: fc.nat(255).map((n) => showPin(newPin(id(n)))),
  portal: fc.record({ pin: fc.nat(255).map(id), url: fc.constantFrom("https://example.com", "https://127.0.0.1:8663", "https://[::1]:8663") }, { noNullPrototype: true }),
}, { noNullPrototype: true });

suite("join codes (docs/spec/connection.md 4.5)", () => {
  test("what is shown is read again, in any case and with space around it", () => {
    fc.assert(
      fc.property(codes, (code) => {
        const text = showJoinCode(code);
        assert(isJoinCode(text));
        for (const spelling of [text, text.toLowerCase(), ` ${text}\r\n`]) assert.deepEqual(parseJoinCode(spelling), code);
      }),
    );
  });

  test("it stays within the letters that QR codes hold best, and fits 24 lines of a terminal for a usual address", () => {
    fc.assert(fc.property(codes, (code) => assert.match(showJoinCode(code), /^[0-9A-Z $%*+\-./:]*$/)));
    // Version 6 holds 195 characters: 41 modules and a margin of 2 are 23 lines of half blocks.
    assert.ok(showJoinCode(example).length <= 195, String(showJoinCode(example).length));
  });

  test("no character can be left out, doubled or exchanged unnoticed, save in names, which are any", () => {
    const text = showJoinCode(example);
    const [domain, host] = [text.indexOf("/EXAMPLE.COM/") + 12, text.lastIndexOf("/")];
    for (let at = 0; at <= host; at++) {
      for (const changed of [text.slice(0, at) + text.slice(at + 1), text.slice(0, at) + text[at] + text.slice(at), `${text.slice(0, at)}/${text.slice(at + 1)}`]) {
        if (changed === text || (at > "MESH:JOIN/1/".length - 1 && at < domain && changed.split("/").length === text.split("/").length)) continue;
        assert.throws(() => parseJoinCode(changed), { code: "pin-malformed" }, changed);
      }
    }
  });

  test("what is no join code is refused with one code", () => {
    const text = showJoinCode(example);
    const bad = ["", "mesh:", "MESH:JOIN/", text.replace("/1/", "/2/"), `${text}/x`, text.replace("ALICE", "AL%5FICE%"), text.replace("ALICE", "A#B"), text.replace("MESH.EXAMPLE.COM", "MESH.EXAMPLE.COM@EVIL"), text.replace("EXAMPLE.COM/", "EXAMPLE%2ECOM/"), text.replace("MESH.", "ME%5fSH?."), text.replace("ALICE", "ALICE\u017f"), "x".repeat(100_000)];
    for (const one of bad) assert.throws(() => parseJoinCode(one), { code: "pin-malformed" }, one.slice(0, 200));
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        try {
          parseJoinCode(`${a}${text.slice(a.length)}${b}`);
        } catch (error) {
          assert(error instanceof MeshError && error.code === "pin-malformed", String(error));
        }
      }),
    );
  });

  const { valid, invalid } = readVectors<{ readonly valid: readonly (JoinCode & { readonly about: string; readonly text: string })[]; readonly invalid: readonly { readonly about: string; readonly text: string }[] }>("connection/join-codes.json");
  for (const { about, text, address, pin, portal } of valid) {
    test(`vectors/connection/join-codes.json: ${about}`, () => {
      assert.equal(showJoinCode({ address, pin, portal }), text);
      assert.deepEqual(parseJoinCode(text), { address, pin, portal });
    });
  }
  for (const { about, text } of invalid) test(`vectors/connection/join-codes.json, refused: ${about}`, () => assert.throws(() => parseJoinCode(text), { code: "pin-malformed" }));

  test("a PIN alone is no join code", () => assert.equal(isJoinCode(example.pin), false));
});
