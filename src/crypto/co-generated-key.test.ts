import assert from "node:assert/strict";
import { createPublicKey, verify as nativeVerify } from "node:crypto";
import { suite, test } from "node:test";
import { ed25519 } from "@noble/curves/ed25519.js";

import { utf8 } from "../bytes/text.ts";
import { CoGeneratedKey } from "./co-generated-key.ts";
import { contribute, isContribution } from "./co-generation.ts";
import { generateEd25519 } from "./ed25519.ts";
import { type Edwards, edwards } from "./edwards.ts";

const { Point } = ed25519;
const order = Point.Fn.ORDER;
const malformed = { code: "key-malformed" };
const message = utf8("a message");

/** A number of 32 octets, little end first, as RFC 8032 writes scalars. */
const octetsOf = (scalar: bigint) => Uint8Array.fromHex(scalar.toString(16).padStart(64, "0")).toReversed();
const numberOf = (octets: Uint8Array) => BigInt(`0x${octets.toReversed().toHex()}`);

suite("co-generated keys (draft §5.2, decision 5.5)", () => {
  const base = generateEd25519();

  test("the key of both halves is the sum of the points, and a second implementation makes the same", async () => {
    for (let n = 0; n < 20; n++) {
      const { privateKey, publicKey: basePublic } = generateEd25519();
      const { scalar, publicKey } = await contribute(basePublic);
      assert.ok(numberOf(scalar) > 0n && numberOf(scalar) < order);
      assert.deepEqual(Point.fromBytes(basePublic).add(Point.BASE.multiply(numberOf(scalar))).toBytes(), publicKey);
      const whole = Point.Fn.create(ed25519.utils.getExtendedPublicKey(privateKey).scalar + numberOf(scalar));
      assert.deepEqual(Point.BASE.multiply(whole).toBytes(), publicKey);
      assert.deepEqual((await CoGeneratedKey.from(privateKey, scalar, publicKey)).publicKey, publicKey);
    }
  });

  test("what it signs is verified like any signature of Ed25519 (RFC 8032), by the engine and by a second implementation", async () => {
    const { scalar, publicKey } = await contribute(base.publicKey);
    const key = await CoGeneratedKey.from(base.privateKey, scalar, publicKey);
    const native = createPublicKey({ key: publicKey as Uint8Array<ArrayBuffer>, format: "raw-public", asymmetricKeyType: "ed25519" });
    for (const text of [new Uint8Array(0), message, new Uint8Array(100_000).fill(7)]) {
      const signature = key.sign(text);
      assert.ok(nativeVerify(null, text, native, signature));
      assert.ok(ed25519.verify(signature, text, publicKey, { zip215: false }));
    }
  });

  test("no nonce comes twice: of one message, of two messages, of two keys from one base", async () => {
    const keys = await Promise.all([1, 2].map(async () => {
      const { scalar, publicKey } = await contribute(base.publicKey);
      return CoGeneratedKey.from(base.privateKey, scalar, publicKey);
    }));
    const commitments = keys.flatMap((key) => [message, message, utf8("another")].map((text) => key.sign(text).subarray(0, 32).toHex()));
    assert.equal(new Set(commitments).size, commitments.length);
  });

  test("the device refuses a key that is not the sum of its half and the other", async () => {
    const { scalar, publicKey } = await contribute(base.publicKey);
    const other = await contribute(base.publicKey);
    await assert.rejects(CoGeneratedKey.from(base.privateKey, other.scalar, publicKey), malformed);
    await assert.rejects(CoGeneratedKey.from(base.privateKey, scalar, other.publicKey), malformed);
    await assert.rejects(CoGeneratedKey.from(generateEd25519().privateKey, scalar, publicKey), malformed);
    await assert.rejects(CoGeneratedKey.from(base.privateKey, scalar, publicKey.with(31, (publicKey[31] as number) ^ 0x80)), malformed);
  });

  test("refuses a contribution of zero, one in another spelling, and one that takes the key away", async () => {
    const { scalar, publicKey } = await contribute(base.publicKey);
    const own = Point.Fn.create(ed25519.utils.getExtendedPublicKey(base.privateKey).scalar);
    await assert.rejects(CoGeneratedKey.from(base.privateKey, new Uint8Array(32), base.publicKey), malformed);
    await assert.rejects(CoGeneratedKey.from(base.privateKey, octetsOf(numberOf(scalar) + order), publicKey), malformed);
    await assert.rejects(CoGeneratedKey.from(base.privateKey, octetsOf(order - own), Point.ZERO.toBytes()), malformed);
  });

  test("refuses other lengths", async () => {
    const { scalar, publicKey } = await contribute(base.publicKey);
    await assert.rejects(CoGeneratedKey.from(base.privateKey.subarray(1), scalar, publicKey), malformed);
    await assert.rejects(CoGeneratedKey.from(base.privateKey, scalar.subarray(1), publicKey), malformed);
    await assert.rejects(CoGeneratedKey.from(base.privateKey, scalar, publicKey.subarray(1)), malformed);
  });

  test("whoever knows no half tells a sum that is right from one that is not", async () => {
    const contribution = await contribute(base.publicKey);
    const other = await contribute(base.publicKey);
    assert.equal(await isContribution(base.publicKey, contribution), true);
    assert.equal(await isContribution(generateEd25519().publicKey, contribution), false);
    for (const wrong of [{ scalar: other.scalar }, { publicKey: other.publicKey }, { scalar: new Uint8Array(32) }, { scalar: new Uint8Array(31) }, { publicKey: new Uint8Array(0) }]) assert.equal(await isContribution(base.publicKey, { ...contribution, ...wrong }), false);
  });

  test("a base key that is no point of prime order gets no contribution", async () => {
    await assert.rejects(contribute(Point.ZERO.toBytes()), malformed);
  });

  const faulty: readonly { readonly verb: "timesBase" | "addScalars" | "multiplyScalars" | "reduce"; readonly calls: number }[] = [{ verb: "timesBase", calls: 2 }, { verb: "addScalars", calls: 2 }, { verb: "multiplyScalars", calls: 4 }, { verb: "reduce", calls: 3 }];
  for (const { verb, calls } of faulty) {
    test(`one fault in the arithmetic, in ${verb}, whichever call of it, lets nothing go, and ends the key`, async () => {
      const curve = (await edwards()) as unknown as Record<keyof Edwards, (...given: readonly Uint8Array[]) => Uint8Array>;
      const right = curve[verb];
      const { scalar, publicKey } = await contribute(base.publicKey);
      for (let fault = 0; fault < calls; fault++) {
        // A wrong challenge: the signature is false, and whoever has it learns nothing, since its nonce is nobody's.
        if (verb === "reduce" && fault === 1) continue;
        const key = await CoGeneratedKey.from(base.privateKey, scalar, publicKey);
        key.sign(message);
        let call = 0;
        curve[verb] = (...given) => {
          const result = right(...given);
          return call++ === fault ? result.with(0, (result[0] as number) ^ 1) : result;
        };
        try {
          assert.throws(() => key.sign(message), { code: "key-failed" }, `call ${fault}`);
          assert.ok(call > fault, "there are so many calls");
        } finally {
          curve[verb] = right;
        }
        assert.throws(() => key.sign(message), { code: "key-failed" });
      }
    });
  }

  test("a fault that stays, and gives the same wrong result twice, is found at the first signature of a key, and within eight after that", async () => {
    const curve = (await edwards()) as { -readonly [verb in keyof Edwards]: Edwards[verb] };
    const right = curve.timesBase;
    const { scalar, publicKey } = await contribute(base.publicKey);
    const [fresh, used] = [await CoGeneratedKey.from(base.privateKey, scalar, publicKey), await CoGeneratedKey.from(base.privateKey, scalar, publicKey)];
    used.sign(message);
    curve.timesBase = (multiple) => right(multiple)?.map((octet) => octet ^ 1);
    try {
      assert.throws(() => fresh.sign(message), { code: "key-failed" });
      let left = 0;
      assert.throws(() => {
        for (;; left++) used.sign(message);
      }, { code: "key-failed" });
      assert.equal(left, 7);
    } finally {
      curve.timesBase = right;
    }
  });

  test("a key that was closed signs nothing", async () => {
    const { scalar, publicKey } = await contribute(base.publicKey);
    const key = await CoGeneratedKey.from(base.privateKey, scalar, publicKey);
    key.close();
    assert.throws(() => key.sign(message), { code: "key-failed" });
  });
});
