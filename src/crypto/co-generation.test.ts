import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { ed25519, ED25519_TORSION_SUBGROUP } from "@noble/curves/ed25519.js";

import { utf8 } from "../bytes/text.ts";
import { checkBasePublicKey } from "./co-generation.ts";
import { generateEd25519, signEd25519, verifyEd25519 } from "./ed25519.ts";

const malformed = { code: "key-malformed" };

suite("base keys for co-generation (draft §5.2, decision 5.5)", () => {
  const key = generateEd25519();
  const message = utf8("device, application, key");
  const proof = signEd25519(key.privateKey, message);

  test("a second implementation makes the same public key and the same proof", () => {
    assert.deepEqual(ed25519.getPublicKey(key.privateKey), key.publicKey);
    assert.deepEqual(ed25519.sign(message, key.privateKey), proof);
  });

  test("a proof holds for its key and message only", () => {
    assert.equal(verifyEd25519(key.publicKey, message, proof), true);
    assert.equal(verifyEd25519(key.publicKey, utf8("another"), proof), false);
    assert.equal(verifyEd25519(generateEd25519().publicKey, message, proof), false);
    for (let at = 0; at < 64; at++) assert.equal(verifyEd25519(key.publicKey, message, proof.map((byte, place) => (place === at ? byte ^ 1 : byte))), false);
  });

  test("wrong lengths are false and no error", () => {
    assert.equal(verifyEd25519(key.publicKey.subarray(1), message, proof), false);
    assert.equal(verifyEd25519(key.publicKey, message, proof.subarray(1)), false);
    assert.equal(verifyEd25519(key.publicKey, message, new Uint8Array(0)), false);
  });

  test("a seed of another length is refused", () => assert.throws(() => signEd25519(new Uint8Array(31), message), malformed));

  test("a key that was generated passes", async () => {
    for (let n = 0; n < 5; n++) await checkBasePublicKey(generateEd25519().publicKey);
  });

  test("refuses the identity and every other point of small order", async () => {
    assert.equal(ED25519_TORSION_SUBGROUP.length, 8);
    for (const point of ED25519_TORSION_SUBGROUP) await assert.rejects(checkBasePublicKey(Uint8Array.fromHex(point)), malformed);
  });

  test("refuses a point outside the prime-order subgroup: a good one plus one of small order", async () => {
    const good = ed25519.Point.fromBytes(key.publicKey);
    for (const point of ED25519_TORSION_SUBGROUP) {
      const torsion = ed25519.Point.fromHex(point);
      if (torsion.is0()) continue;
      await assert.rejects(checkBasePublicKey(good.add(torsion).toBytes()), malformed);
    }
  });

  test("refuses a point off the curve, a y of p or more, a stray sign, wrong lengths", async () => {
    const p = 2n ** 255n - 19n;
    const encoded = (y: bigint, sign = 0n) => Uint8Array.fromHex((y + (sign << 255n)).toString(16).padStart(64, "0")).toReversed();
    for (const bad of [encoded(2n), encoded(p), encoded(p + 1n), encoded(p + 3n), encoded(1n, 1n), encoded(p - 1n, 1n), key.publicKey.subarray(1), new Uint8Array(33)]) {
      await assert.rejects(checkBasePublicKey(bad), malformed);
    }
  });
});
