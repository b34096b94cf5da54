import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { ed25519 } from "@noble/curves/ed25519.js";
import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";

import { utf8 } from "../bytes/text.ts";
import { generateLogKey, logKeyFromSeed, logKeySeed, LogVerifyingKey } from "./log-key.ts";

const message = utf8("a message");

for (const algorithm of ["ed25519", "mlDsa44"] as const) {
  suite(`log keys of ${algorithm} (decision 8.5)`, () => {
    const key = generateLogKey(algorithm);

    test("a key is its seed, here and by noble", () => {
      const seed = logKeySeed(key);
      assert.equal(seed.length, 32);
      assert.deepEqual(logKeyFromSeed(algorithm, seed).publicKey.raw, key.publicKey.raw);
      assert.deepEqual(algorithm === "ed25519" ? ed25519.getPublicKey(seed) : ml_dsa44.keygen(seed).publicKey, key.publicKey.raw);
    });

    test("signatures verify, here and by noble, and no others do", async () => {
      const signature = await key.sign(message);
      assert.ok(key.publicKey.verify(message, signature));
      assert.ok(algorithm === "ed25519" ? ed25519.verify(signature, message, key.publicKey.raw) : ml_dsa44.verify(signature, message, key.publicKey.raw));
      assert.ok(!key.publicKey.verify(utf8("another"), signature));
      assert.ok(!generateLogKey(algorithm).publicKey.verify(message, signature));
      for (const wrong of [signature.slice(1), new Uint8Array(0), new Uint8Array(signature.length + 1)]) assert.ok(!key.publicKey.verify(message, wrong));
    });

    test("other lengths are refused", () => {
      assert.throws(() => new LogVerifyingKey(algorithm, key.publicKey.raw.slice(1)), { code: "key-malformed" });
      assert.throws(() => logKeyFromSeed(algorithm, new Uint8Array(31)), { code: "key-malformed" });
    });
  });
}

test("S of Ed25519 at or above the group's order is refused, as noble does (RFC 8032 §5.1.7)", async () => {
  const key = generateLogKey("ed25519");
  const signature = await key.sign(message);
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = signature.slice(32).toReversed().reduce((sum, octet) => sum * 256n + BigInt(octet), 0n) + order;
  const twin = signature.slice();
  for (let at = 0; at < 32; at++) twin[32 + at] = Number((s >> BigInt(8 * at)) & 0xffn);
  assert.ok(!key.publicKey.verify(message, twin));
  assert.ok(!ed25519.verify(twin, message, key.publicKey.raw, { zip215: false }));
});
