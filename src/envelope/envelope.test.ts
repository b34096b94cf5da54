import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import * as v from "valibot";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { parseCanonical } from "../bytes/json.ts";
import { utf8 } from "../bytes/text.ts";
import { decapsulationKeyFromJwk, type PrivateJwk, signingKeyFromJwk, verifyingKeyFromJwk } from "../crypto/key-encoding.ts";
import { generateDecapsulationKey } from "../crypto/key-pair.ts";
import { sign } from "../crypto/sign.ts";
import { readVectors } from "../crypto/test-vectors.ts";
import { account } from "../profiles/account.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { udfOfKey } from "../udf/udf.ts";
import { decryptUnder, encryptUnder } from "./keyed.ts";
import { decapsulatorWith, MAX_RECIPIENTS, openSealed, recipientsOf, seal, type Sealed, type SealedSubject, sealedShape } from "./sealed.ts";
import { readShape } from "./shape.ts";
import { readSigned, signedBytes, signedLength, signObject, verifySigned } from "./signed.ts";

type Vector = { readonly about: string; readonly outcome: string } & (
  | { readonly kind: "signed"; readonly key: string; readonly text: string; readonly payload?: object; readonly digest?: string }
  | { readonly kind: "sealed"; readonly key: string; readonly subject: SealedSubject; readonly text: string; readonly plaintext?: string }
  | { readonly kind: "keyed"; readonly key: string; readonly purpose: string; readonly salt: string; readonly ciphertext: string; readonly plaintext?: string }
);

const keys = readVectors<Readonly<Record<string, PrivateJwk & { readonly udf: string }>>>("envelope/keys.json");
const keyNamed = (name: string): PrivateJwk => {
  const { udf: _, ...jwk } = keys[name] ?? assert.fail(name);
  return jwk;
};
const publicNamed = (name: string) => {
  const { priv: _, ...jwk } = keyNamed(name);
  return verifyingKeyFromJwk(jwk);
};

async function judge(vector: Vector): Promise<object> {
  switch (vector.kind) {
    case "signed": {
      const verified = await verifySigned(readSigned(utf8(vector.text), account), publicNamed(vector.key));
      assert.deepEqual(new TextDecoder().decode(signedBytes(verified)), vector.text, "stored and sent octet for octet");
      assert.equal(signedLength(verified), signedBytes(verified).length);
      return { payload: verified.payload, digest: verified.digest };
    }
    case "sealed": {
      const sealed = readShape(sealedShape, parseCanonical(vector.text), "sealed-malformed", "vector");
      return { plaintext: toBase64url(await openSealed(sealed, vector.subject, decapsulatorWith(decapsulationKeyFromJwk(keyNamed(vector.key))))) };
    }
    case "keyed": {
      const plaintext = decryptUnder(fromBase64url(vector.key), vector.purpose, fromBase64url(vector.salt), fromBase64url(vector.ciphertext));
      return plaintext === undefined ? {} : { plaintext: toBase64url(plaintext) };
    }
  }
}

const filesOf = (folder: string) => readdirSync(join(import.meta.dirname, "../../vectors", folder)).filter((name) => name.endsWith(".json")).sort();

for (const folder of ["envelope/valid", "envelope/invalid"]) {
  suite(`vectors/${folder} (decisions 2.5, 2.6; RFC 7515, 7516)`, () => {
    for (const file of filesOf(folder)) {
      const vector = readVectors<Vector>(`${folder}/${file}`);
      test(`${vector.about}: ${vector.outcome}`, async () => {
        if (vector.outcome === "ok") {
          const given = new Set(["payload", "digest", "plaintext"]);
          const expected = Object.fromEntries(Object.entries(vector).filter(([name]) => given.has(name)));
          assert.deepEqual(await judge(vector), expected);
        } else if (vector.outcome === "undefined") assert.deepEqual(await judge(vector), {});
        else await assert.rejects(judge(vector), (error) => error instanceof MeshError && error.code === vector.outcome);
      });
    }
  });
}

suite("keys of the vectors", () => {
  for (const [name, { udf }] of Object.entries(keys)) {
    test(`${name} is identified by the UDF of its SubjectPublicKeyInfo`, () => {
      const jwk = keyNamed(name);
      assert.equal(udfOfKey((name.startsWith("device") ? decapsulationKeyFromJwk(jwk) : signingKeyFromJwk(jwk)).publicKey.spki), udf);
    });
  }
});

const alice = signingKeyFromJwk(keyNamed("alice"));
const signer = { kid: udfOfKey<"signature-key">(alice.publicKey.spki), sign: (message: Uint8Array) => sign(alice, message) };
const subject = { typ: "mesh-test+jwe", id: "one", version: 0 };

suite("signed: what only code can show", () => {
  test("a writer makes nothing that a reader refuses", async () => {
    const shape = v.strictObject({ text: v.pipe(v.string(), v.maxLength(3)) });
    const type = { typ: "mesh-test+json", shape, maxBytes: 8000 };
    await assert.rejects(signObject(type, { text: "four" }, signer), (error) => error instanceof MeshError && error.code === "signed-malformed");
    await assert.rejects(signObject({ ...type, maxBytes: 6000 }, { text: "one" }, signer), (error) => error instanceof MeshError && error.code === "signed-malformed");
    const signed = await signObject(type, { text: "one" }, signer);
    assert.throws(() => readSigned(signedBytes(signed), { ...type, maxBytes: 6000 }), (error) => error instanceof MeshError && error.code === "json-too-large");
  });

  test("a refusal names the member that is wrong, never its value", async () => {
    const type = { typ: "mesh-test+json", shape: v.strictObject({ secret: v.pipe(v.string(), v.maxLength(3, "is too long")) }), maxBytes: 8000 };
    await assert.rejects(signObject(type, { secret: "hunter2" }, signer), (error) => error instanceof MeshError && error.message.includes("secret") && !error.message.includes("hunter2"));
  });
});

suite("sealed: what only code can show", () => {
  test("sealed to between 1 and 64 different keys, and opened by each of them", async () => {
    const many = Array.from({ length: MAX_RECIPIENTS }, () => generateDecapsulationKey());
    const sealed = await seal(subject, utf8("x"), many.map((key) => key.publicKey));
    assert.deepEqual(recipientsOf(sealed, subject), many.map((key) => udfOfKey(key.publicKey.spki)).sort());
    for (const key of many) assert.deepEqual(await openSealed(sealed, subject, decapsulatorWith(key)), utf8("x"));
    const [one] = many.map((key) => key.publicKey);
    for (const recipients of [[], [one, one], [...many.map((key) => key.publicKey), generateDecapsulationKey().publicKey]]) {
      await assert.rejects(seal(subject, utf8("x"), recipients as never), (error) => error instanceof MeshError && error.code === "sealed-malformed");
    }
  });

  test("no character of a sealed object can be changed", async () => {
    const key = generateDecapsulationKey();
    const sealed = await seal(subject, utf8("What nobody may change."), [key.publicKey]);
    const text = JSON.stringify(sealed);
    // Every character of what is short, every eleventh of the KEM ciphertext.
    const long = text.indexOf(sealed.recipients[0]?.header.ek ?? "");
    for (let at = 0; at < text.length; at++) {
      if (at >= long && at < long + 2160 && at % 11 !== 0) continue;
      const changed = `${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`;
      await assert.rejects(async () => openSealed(readShape(sealedShape, parseCanonical(changed), "sealed-malformed", "test") as Sealed, subject, decapsulatorWith(key)), MeshError, `at ${at}`);
    }
  });
});

suite("keyed: octets under a shared key (decision 6.2)", () => {
  test("what is encrypted opens again, and under no other key, purpose or salt", () => {
    const octets = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(octets, octets, fc.string(), fc.string(), fc.uint8Array(), (key, other, purpose, another, plaintext) => {
        const { salt, ciphertext } = encryptUnder(key, purpose, plaintext);
        assert.deepEqual(decryptUnder(key, purpose, salt, ciphertext), plaintext);
        if (toBase64url(key) !== toBase64url(other)) assert.equal(decryptUnder(other, purpose, salt, ciphertext), undefined);
        if (purpose !== another) assert.equal(decryptUnder(key, another, salt, ciphertext), undefined);
        assert.equal(decryptUnder(key, purpose, other, ciphertext), undefined);
        assert.equal(decryptUnder(key, purpose, salt, ciphertext.subarray(1)), undefined);
      }),
    );
  });

  test("the same octets twice give two ciphertexts", () => {
    const key = new Uint8Array(32);
    assert.notDeepEqual(encryptUnder(key, "p", utf8("x")), encryptUnder(key, "p", utf8("x")));
  });
});
