import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../bytes/base64url.ts";
import { concatBytes } from "../bytes/equal.ts";
import { derElement } from "../bytes/der.ts";
import { readDer, sequenceOf } from "../bytes/der-reader.ts";
import { kem as table } from "./algorithms.ts";
import { decapsulate, encapsulate } from "./encapsulate.ts";
import { decapsulationKeyFromJwk, encapsulationKeyFromSpki, privateJwk } from "./key-encoding.ts";
import { generateDecapsulationKey } from "./key-pair.ts";
import { oracleDecapsulate, oracleEncapsulate, oracleEncapsulationKey } from "./test-oracle.ts";
import { base64, readVectors } from "./test-vectors.ts";

const vector = readVectors<Record<"ek" | "x5c" | "dk" | "c" | "k", string>>("composite/mlkem1024-x448.json");
const published = decapsulationKeyFromJwk({ alg: table.josePublic, kty: "AKP", priv: toBase64url(base64(vector.dk)), pub: toBase64url(base64(vector.ek)) });

suite("composite key encapsulation: vectors of draft-ietf-lamps-pq-composite-kem", () => {
  test("the published ciphertext gives the published secret", async () => {
    assert.deepEqual(await decapsulate(published, base64(vector.c)), base64(vector.k));
  });

  test("the key in the published certificate is read and is the published key", () => {
    const spki = sequenceOf(sequenceOf(readDer(base64(vector.x5c)))[0])[6];
    assert.ok(spki !== undefined);
    assert.deepEqual(encapsulationKeyFromSpki(derElement(spki.tag, spki.contents)).raw, base64(vector.ek));
  });
});

suite("composite key encapsulation", () => {
  const key = generateDecapsulationKey();

  test("sizes are those of the table, and every secret is fresh", async () => {
    const [first, second] = [await encapsulate(key.publicKey), await encapsulate(key.publicKey)];
    assert.equal(first.ciphertext.length, 1624);
    assert.equal(first.secret.length, 32);
    assert.notDeepEqual(first.secret, second.secret);
    assert.notDeepEqual(first.ciphertext.subarray(1568), second.ciphertext.subarray(1568));
  });

  test("the holder of the key makes the same secret, nobody else", async () => {
    const { ciphertext, secret } = await encapsulate(key.publicKey);
    assert.deepEqual(await decapsulate(key, ciphertext), secret);
    assert.notDeepEqual(await decapsulate(generateDecapsulationKey(), ciphertext), secret);
  });

  test("a second implementation agrees, both directions", async () => {
    const privateKey = Uint8Array.fromBase64(privateJwk(key).priv, { alphabet: "base64url" });
    assert.deepEqual(oracleEncapsulationKey(privateKey), key.publicKey.raw);
    const ours = await encapsulate(key.publicKey);
    assert.deepEqual(oracleDecapsulate(privateKey, ours.ciphertext), ours.secret);
    const theirs = oracleEncapsulate(key.publicKey.raw);
    assert.deepEqual(await decapsulate(key, theirs.ciphertext), theirs.secret);
  });

  test("one bit changed in either half gives another secret and no error", async () => {
    const { ciphertext, secret } = await encapsulate(key.publicKey);
    for (const at of [0, 700, 1567, 1568, 1600, 1623]) {
      const bad = ciphertext.slice();
      bad[at] = (bad[at] as number) ^ 1;
      assert.notDeepEqual(await decapsulate(key, bad), secret);
    }
  });

  test("halves of two ciphertexts do not mix", async () => {
    const [one, two] = [await encapsulate(key.publicKey), await encapsulate(key.publicKey)];
    const mixed = await decapsulate(key, concatBytes(one.ciphertext.subarray(0, 1568), two.ciphertext.subarray(1568)));
    assert.notDeepEqual(mixed, one.secret);
    assert.notDeepEqual(mixed, two.secret);
  });

  test("refuses any other length", async () => {
    const { ciphertext } = await encapsulate(key.publicKey);
    for (const bad of [new Uint8Array(0), ciphertext.subarray(1), concatBytes(ciphertext, Uint8Array.of(0))]) {
      await assert.rejects(decapsulate(key, bad), { code: "ciphertext-malformed" });
    }
  });

  for (const [why, first] of [["zero", 0], ["one", 1]] as const) {
    test(`refuses the X448 point of small order ${why} (RFC 7748 §6.2)`, async () => {
      const { ciphertext } = await encapsulate(key.publicKey);
      const bad = ciphertext.slice().fill(0, 1568);
      bad[1568] = first;
      await assert.rejects(decapsulate(key, bad), { code: "ciphertext-malformed" });
    });
  }
});
