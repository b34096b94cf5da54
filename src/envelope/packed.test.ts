import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import * as v from "valibot";
import { fromBase64url } from "../bytes/base64url.ts";
import { generateSigningKey } from "../crypto/key-pair.ts";
import { sign } from "../crypto/sign.ts";
import { type Udf, udfOfKey } from "../udf/udf.ts";
import { packedWords, packJws, unpackJws } from "./packed.ts";
import { signObject } from "./signed.ts";

const key = generateSigningKey();
const signer = { kid: udfOfKey(key.publicKey.spki) as Udf<"signature-key">, sign: (message: Uint8Array) => sign(key, message) };
const note = { typ: "mesh-note+json", shape: v.strictObject({ text: v.string() }), maxBytes: 1 << 20 };

void test("a packed object unpacks to the same text, octet for octet, and shows its words", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
      const { jws } = await signObject(note, { text }, signer);
      const packed = packJws(jws);
      assert.deepEqual(unpackJws(packed), jws);
      assert.deepEqual(packedWords(packed), { head: fromBase64url(jws.protected), payload: fromBase64url(jws.payload) });
      assert.ok(packed.length < 0.77 * (jws.payload.length + jws.protected.length + jws.signature.length));
    }),
    { numRuns: 30 },
  );
});

void test("octets without a header after the signature are refused", () => {
  assert.throws(() => unpackJws(new Uint8Array(4741)), { code: "signed-malformed" });
  assert.throws(() => unpackJws(new Uint8Array(5000).fill(1)), { code: "signed-malformed" });
});
