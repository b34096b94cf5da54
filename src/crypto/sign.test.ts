import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../bytes/base64url.ts";
import { concatBytes } from "../bytes/equal.ts";
import { derElement } from "../bytes/der.ts";
import { bitStringOf, readDer, sequenceOf } from "../bytes/der-reader.ts";
import { utf8 } from "../bytes/text.ts";
import { signature as table } from "./algorithms.ts";
import { privateJwk, signingKeyFromJwk, verifyingKeyFromSpki } from "./key-encoding.ts";
import { generateSigningKey, VerifyingKey } from "./key-pair.ts";
import { sign, verify, verifySync } from "./sign.ts";
import { oraclePublicKey, oracleSign, oracleVerify } from "./test-oracle.ts";
import { base64, readVectors } from "./test-vectors.ts";

const vector = readVectors<Record<"m" | "pk" | "x5c" | "sk" | "s" | "sWithContext", string>>("composite/mldsa87-ed448.json");
const message = base64(vector.m);
const published = new VerifyingKey(base64(vector.pk));
const signature = base64(vector.s);

suite("composite signature: vectors of draft-ietf-lamps-pq-composite-sigs", () => {
  test("the published signature verifies", async () => {
    assert.equal(await verify(published, message, signature), true);
    assert.equal(verifySync(published, message, signature), true);
  });

  test("the published signature over a context does not: ours is always empty", async () => {
    assert.equal(await verify(published, message, base64(vector.sWithContext)), false);
  });

  test("the published private key gives the published public key, and signs under it", async () => {
    const key = signingKeyFromJwk({ alg: table.jose, kty: "AKP", priv: toBase64url(base64(vector.sk)), pub: toBase64url(base64(vector.pk)) });
    assert.equal(await verify(published, message, await sign(key, message)), true);
  });

  test("the published self-signed certificate: its key is read and its signature verifies", async () => {
    const [tbs, , certificateSignature] = sequenceOf(readDer(base64(vector.x5c)));
    const spki = sequenceOf(tbs)[6];
    assert.ok(tbs !== undefined && spki !== undefined);
    const key = verifyingKeyFromSpki(derElement(spki.tag, spki.contents));
    assert.deepEqual(key.raw, published.raw);
    assert.equal(await verify(key, derElement(tbs.tag, tbs.contents), bitStringOf(certificateSignature)), true);
  });
});

suite("composite signature against a second implementation", () => {
  for (const length of [0, 1, 1000, 100_000]) {
    test(`a message of ${length} octets, both directions`, async () => {
      const key = generateSigningKey();
      const text = new Uint8Array(length).fill(7);
      const privateKey = Uint8Array.fromBase64(privateJwk(key).priv, { alphabet: "base64url" });
      assert.deepEqual(oraclePublicKey(privateKey), key.publicKey.raw);
      assert.equal(oracleVerify(key.publicKey.raw, text, await sign(key, text)), true);
      assert.equal(await verify(key.publicKey, text, oracleSign(privateKey, text)), true);
    });
  }
});

suite("composite signature: both halves must verify (decision 2.1)", () => {
  const key = generateSigningKey();
  const other = generateSigningKey();
  const text = utf8("Alice's profile");

  async function bothSay(expected: boolean, candidate: Uint8Array, subject: Uint8Array = text): Promise<void> {
    assert.equal(await verify(key.publicKey, subject, candidate), expected);
    assert.equal(verifySync(key.publicKey, subject, candidate), expected);
  }

  test("sizes are those of the table", async () => {
    assert.equal((await sign(key, text)).length, 4741);
    assert.equal(key.publicKey.raw.length, 2649);
  });

  test("a true signature verifies, over its own message only", async () => {
    const good = await sign(key, text);
    await bothSay(true, good);
    await bothSay(false, good, utf8("Alice's profile "));
    await bothSay(false, good, new Uint8Array(0));
  });

  test("one half by another key is not enough, whichever half", async () => {
    const [mine, theirs] = [await sign(key, text), await sign(other, text)];
    await bothSay(false, concatBytes(mine.subarray(0, 4627), theirs.subarray(4627)));
    await bothSay(false, concatBytes(theirs.subarray(0, 4627), mine.subarray(4627)));
    await bothSay(false, theirs);
  });

  test("one bit changed anywhere is seen", async () => {
    const good = await sign(key, text);
    for (const at of [0, 1, 63, 64, 2000, 4542, 4543, 4626, 4627, 4628, 4683, 4684, 4739, 4740]) {
      const bad = good.slice();
      bad[at] = (bad[at] as number) ^ 1;
      await bothSay(false, bad);
    }
  });

  test("the order of the group added to S of Ed448 is not a second signature (RFC 8032 §5.2.7)", async () => {
    const order = 2n ** 446n - 13818066809895115352007386748515426880336692474882178609894547503885n;
    const good = await sign(key, text);
    const s = BigInt(`0x${good.slice(4684, 4740).toReversed().toHex()}`) + order;
    const bad = concatBytes(good.subarray(0, 4684), Uint8Array.fromHex(s.toString(16).padStart(114, "0")).toReversed());
    assert.equal(bad.length, 4741);
    await bothSay(false, bad);
  });

  test("any other length is false and no error", async () => {
    const good = await sign(key, text);
    for (const bad of [new Uint8Array(0), good.subarray(1), good.subarray(0, -1), concatBytes(good, Uint8Array.of(0)), good.subarray(0, 4627), good.subarray(4627), new Uint8Array(4741)]) {
      await bothSay(false, bad);
    }
  });

  test("a key whose point is off the curve verifies nothing and breaks nothing", async () => {
    const raw = key.publicKey.raw.slice();
    const good = await sign(key, text);
    for (let y = 2; y < 12; y++) {
      raw.fill(0, 2592);
      raw[2592] = y;
      assert.equal(await verify(new VerifyingKey(raw), text, good), false);
      assert.equal(verifySync(new VerifyingKey(raw), text, good), false);
    }
  });

  test("many at once, true and false mixed, each get their own answer", async () => {
    const good = await sign(key, text);
    const bad = good.slice();
    bad[100] = (bad[100] as number) ^ 1;
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => verify(key.publicKey, text, n % 3 === 0 ? bad : good)));
    assert.deepEqual(answers, Array.from({ length: 40 }, (_, n) => n % 3 !== 0));
  });
});
