import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { derBitString, derContext, derElement, derInteger, derOctetString, derOid, derSequence } from "../bytes/der.ts";
import { concatBytes } from "../bytes/equal.ts";
import * as encoding from "./key-encoding.ts";
import { EncapsulationKey, generateDecapsulationKey, generateSigningKey, VerifyingKey } from "./key-pair.ts";
import { base64, readVectors } from "./test-vectors.ts";

const malformed = { code: "key-malformed" };
const NULL = Uint8Array.of(5, 0);

/** Both kinds of key pass the same examination. */
const signing = generateSigningKey();
const decapsulating = generateDecapsulationKey();
const kinds = [
  {
    name: "signature key",
    oid: "1.3.6.1.5.5.7.6.51",
    otherOid: "1.3.6.1.5.5.7.6.65",
    jwk: encoding.privateJwk(signing),
    publicKey: signing.publicKey,
    raws: (raw: Uint8Array) => new VerifyingKey(raw),
    fromSpki: encoding.verifyingKeyFromSpki,
    fromJwk: encoding.verifyingKeyFromJwk,
    pkcs8: encoding.signingKeyToPkcs8(signing),
    fromPkcs8: (bytes: Uint8Array) => encoding.signingKeyToPkcs8(encoding.signingKeyFromPkcs8(bytes)),
    fromPrivateJwk: (jwk: encoding.PrivateJwk) => encoding.privateJwk(encoding.signingKeyFromJwk(jwk)),
    split: 2592,
  },
  {
    name: "encryption key",
    oid: "1.3.6.1.5.5.7.6.65",
    otherOid: "1.3.6.1.5.5.7.6.51",
    jwk: encoding.privateJwk(decapsulating),
    publicKey: decapsulating.publicKey,
    raws: (raw: Uint8Array) => new EncapsulationKey(raw),
    fromSpki: encoding.encapsulationKeyFromSpki,
    fromJwk: encoding.encapsulationKeyFromJwk,
    pkcs8: encoding.decapsulationKeyToPkcs8(decapsulating),
    fromPkcs8: (bytes: Uint8Array) => encoding.decapsulationKeyToPkcs8(encoding.decapsulationKeyFromPkcs8(bytes)),
    fromPrivateJwk: (jwk: encoding.PrivateJwk) => encoding.privateJwk(encoding.decapsulationKeyFromJwk(jwk)),
    split: 1568,
  },
] as const;

function changed(bytes: Uint8Array, at: number, to: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = to;
  return copy;
}

for (const kind of kinds) {
  const { raw, spki } = kind.publicKey;
  const { priv, ...jwk } = kind.jwk;
  const privateRaw = fromBase64url(priv);
  const algorithm = derSequence(derOid(kind.oid));
  const publicField = (bytes: Uint8Array) => derContext(1, "primitive", Uint8Array.of(0), bytes);

  suite(`${kind.name}: one spelling of SubjectPublicKeyInfo (decision 3.1)`, () => {
    test("is written as the drafts say, and read again", () => {
      assert.deepEqual(spki, derSequence(algorithm, derBitString(raw)));
      assert.deepEqual(kind.fromSpki(spki).raw, raw);
      assert.deepEqual(kind.fromSpki(spki).spki, spki);
    });

    test("every other value of every octet before the key is refused", () => {
      for (let at = 0; at < spki.length - raw.length; at++) {
        for (let value = 0; value < 256; value++) {
          if (value !== spki[at]) assert.throws(() => kind.fromSpki(changed(spki, at, value)), malformed, `octet ${at} as ${value}`);
        }
      }
    });

    test("a changed octet of the key is another key or refused, never the same one", () => {
      for (let at = spki.length - raw.length; at < spki.length; at++) {
        const other = changed(spki, at, (spki[at] as number) ^ 0x81);
        try {
          assert.deepEqual(kind.fromSpki(other).spki, other);
        } catch (error) {
          assert.equal((error as { code?: string }).code, "key-malformed");
        }
      }
    });

    test("is refused when cut off anywhere", () => {
      for (let length = 0; length < spki.length; length++) assert.throws(() => kind.fromSpki(spki.subarray(0, length)), malformed);
    });

    const long = (length: number) => Uint8Array.of(0x83, 0, length >> 8, length & 255);
    const body = concatBytes(algorithm, derBitString(raw));
    for (const [why, bytes] of [
      ["octets after it", concatBytes(spki, Uint8Array.of(0))],
      ["an element after the key", derSequence(algorithm, derBitString(raw), NULL)],
      ["parameters of NULL", derSequence(derSequence(derOid(kind.oid), NULL), derBitString(raw))],
      ["the other algorithm", derSequence(derSequence(derOid(kind.otherOid)), derBitString(raw))],
      ["an algorithm of no use", derSequence(derSequence(derOid("1.3.101.113")), derBitString(raw))],
      ["a padded outer length", concatBytes(Uint8Array.of(0x30), long(body.length), body)],
      ["a padded inner length", derSequence(algorithm, concatBytes(Uint8Array.of(3), long(raw.length + 1), Uint8Array.of(0), raw))],
      ["an OCTET STRING for the key", derSequence(algorithm, derOctetString(raw))],
      ["the indefinite length", concatBytes(Uint8Array.of(0x30, 0x80), body, Uint8Array.of(0, 0))],
      ["unused bits", derSequence(algorithm, derElement(3, Uint8Array.of(1), raw))],
      ["a key one octet short", derSequence(algorithm, derBitString(raw.subarray(1)))],
      ["a key one octet long", derSequence(algorithm, derBitString(concatBytes(raw, Uint8Array.of(0))))],
      ["the two elements in the other order", derSequence(derBitString(raw), algorithm)],
      ["a wrapper around it", derSequence(spki)],
    ] as const) {
      test(`refuses ${why}`, () => assert.throws(() => kind.fromSpki(bytes), malformed));
    }
  });

  suite(`${kind.name}: one spelling of a JWK`, () => {
    test("both ways, public and private", () => {
      assert.deepEqual(encoding.publicJwk(kind.fromJwk(jwk)), jwk);
      assert.deepEqual(kind.fromPrivateJwk(kind.jwk), kind.jwk);
      assert.deepEqual(Object.keys(jwk).sort(), ["alg", "kty", "pub"]);
    });

    for (const [why, bad] of [
      ["the other algorithm", { ...jwk, alg: jwk.alg === "MLKEM1024-X448" ? "ML-DSA-87-Ed448" : "MLKEM1024-X448" }],
      ["another key type", { ...jwk, kty: "OKP" }],
      ["a member more", { ...jwk, use: "sig" }],
      ["a private key for a public one", kind.jwk],
      ["no key", { alg: jwk.alg, kty: jwk.kty }],
      ["padding", { ...jwk, pub: `${jwk.pub}=` }],
      ["a key one octet short", { ...jwk, pub: toBase64url(raw.subarray(1)) }],
      ["a number for a key", { ...jwk, pub: 1 }],
      ["nothing", null],
    ] as const) {
      test(`refuses ${why}`, () => assert.throws(() => kind.fromJwk(bad as unknown as encoding.PublicJwk), malformed));
    }

    for (const [why, bad] of [
      ["a public key that is not its own", { ...kind.jwk, pub: toBase64url(changed(raw, 0, (raw[0] as number) ^ 1)) }],
      ["a private key one octet short", { ...kind.jwk, priv: toBase64url(privateRaw.subarray(1)) }],
      ["a private key one octet long", { ...kind.jwk, priv: toBase64url(concatBytes(privateRaw, Uint8Array.of(0))) }],
      ["a public key alone", jwk],
      ["a member more", { ...kind.jwk, kid: "x" }],
    ] as const) {
      test(`refuses ${why} (private)`, () => assert.throws(() => kind.fromPrivateJwk(bad as encoding.PrivateJwk), malformed));
    }
  });

  suite(`${kind.name}: one spelling of PKCS#8 (RFC 5958 §2)`, () => {
    test("is version 2 with the public key, and is read again", () => {
      assert.deepEqual(kind.pkcs8, derSequence(derInteger(1), algorithm, derOctetString(privateRaw), publicField(raw)));
      assert.deepEqual(kind.fromPkcs8(kind.pkcs8), kind.pkcs8);
    });

    test("no other value of any octet passes", () => {
      // The whole public key is compared at once: a sample of its octets will do, and all octets around it.
      for (let at = 0; at < kind.pkcs8.length; at++) {
        if (at > kind.pkcs8.length - raw.length + 4 && at % 97 !== 0) continue;
        // z of ML-KEM (FIPS 203 §7.1) has no part in the public key: a private key with another z is another private key.
        const seed = kind.pkcs8.length - raw.length - 5 - privateRaw.length;
        if (kind.split === 1568 && at >= seed + 32 && at < seed + 64) continue;
        for (const flip of [1, 0x80]) assert.throws(() => kind.fromPkcs8(changed(kind.pkcs8, at, (kind.pkcs8[at] as number) ^ flip)), malformed, `octet ${at}`);
      }
    });

    for (const [why, bytes] of [
      ["octets after it", concatBytes(kind.pkcs8, Uint8Array.of(0))],
      ["version 1 without a public key", derSequence(derInteger(0), algorithm, derOctetString(privateRaw))],
      ["version 1 with a public key", derSequence(derInteger(0), algorithm, derOctetString(privateRaw), publicField(raw))],
      ["version 2 without a public key", derSequence(derInteger(1), algorithm, derOctetString(privateRaw))],
      ["attributes", derSequence(derInteger(1), algorithm, derOctetString(privateRaw), derContext(0, "constructed"), publicField(raw))],
      ["something after the public key", derSequence(derInteger(1), algorithm, derOctetString(privateRaw), publicField(raw), NULL)],
      ["parameters", derSequence(derInteger(1), derSequence(derOid(kind.oid), NULL), derOctetString(privateRaw), publicField(raw))],
      ["the other algorithm", derSequence(derInteger(1), derSequence(derOid(kind.otherOid)), derOctetString(privateRaw), publicField(raw))],
      ["a wrapper around the seeds", derSequence(derInteger(1), algorithm, derOctetString(derOctetString(privateRaw)), publicField(raw))],
      ["nothing", new Uint8Array(0)],
    ] as const) {
      test(`refuses ${why}`, () => assert.throws(() => kind.fromPkcs8(bytes), malformed));
    }
  });

  suite(`${kind.name}: one spelling of its components`, () => {
    const P = 2n ** 448n - 2n ** 224n - 1n;
    const withCurve = (value: bigint, last = 0) => {
      const little = Uint8Array.fromHex(value.toString(16).padStart(112, "0")).toReversed();
      return concatBytes(raw.subarray(0, kind.split), kind.split === 2592 ? concatBytes(little, Uint8Array.of(last)) : little);
    };
    for (const [why, value] of [["0", 0n], ["1", 1n], ["p - 1", P - 1n], ["p, another 0", P], ["p + 1, another 1", P + 1n], ["p + 5, another 5", P + 5n], ["2^448 - 1", 2n ** 448n - 1n]] as const) {
      test(`refuses the coordinate ${why}`, () => assert.throws(() => kind.raws(withCurve(value)), malformed));
    }

    test("the octets given are copied, so that no one changes a key afterwards", () => {
      const given = raw.slice();
      const key = kind.raws(given);
      given.fill(0);
      assert.deepEqual(key.raw, raw);
    });
  });
}

suite("what only one of the kinds has", () => {
  test("stray bits beside the sign of an Ed448 point are refused (RFC 8032 §5.2.2)", () => {
    const { raw } = signing.publicKey;
    for (let bit = 0; bit < 7; bit++) assert.throws(() => new VerifyingKey(changed(raw, 2648, (raw[2648] as number) | (1 << bit))), malformed);
  });

  test("an ML-KEM coefficient of q or more is refused, wherever it stands (FIPS 203 §7.2)", () => {
    const { raw } = decapsulating.publicKey;
    const setTo = (coefficient: number, value: number) => {
      const copy = raw.slice();
      const at = Math.floor(coefficient / 2) * 3;
      const middle = copy[at + 1] as number;
      if (coefficient % 2 === 0) copy.set([value & 255, (middle & 0xf0) | (value >> 8)], at);
      else copy.set([(middle & 0x0f) | ((value & 15) << 4), value >> 4], at + 1);
      return copy;
    };
    for (const coefficient of [0, 1, 2, 511, 1022, 1023]) {
      assert.ok(new EncapsulationKey(setTo(coefficient, 3328)).halves);
      for (const value of [3329, 3330, 4095]) assert.throws(() => new EncapsulationKey(setTo(coefficient, value)), malformed);
    }
  });

  test("an X448 private key that is not clamped is refused: it would be a second spelling (RFC 7748 §5)", () => {
    const jwk = encoding.privateJwk(decapsulating);
    const priv = fromBase64url(jwk.priv);
    for (const [at, bit] of [[64, 1], [64, 2], [119, 128]] as const) {
      assert.throws(() => encoding.decapsulationKeyFromJwk({ ...jwk, priv: toBase64url(changed(priv, at, (priv[at] as number) ^ bit)) }), malformed);
    }
  });

  test("the PKCS#8 of the drafts has no public key and is refused", () => {
    const signature = readVectors<{ sk_pkcs8: string }>("composite/mldsa87-ed448.json");
    const kem = readVectors<{ dk_pkcs8: string }>("composite/mlkem1024-x448.json");
    assert.throws(() => encoding.signingKeyFromPkcs8(base64(signature.sk_pkcs8)), malformed);
    assert.throws(() => encoding.decapsulationKeyFromPkcs8(base64(kem.dk_pkcs8)), malformed);
  });

  test("a key is kept as it was read: its native halves are made once", () => {
    assert.equal(signing.publicKey.halves, signing.publicKey.halves);
    assert.equal(decapsulating.publicKey.halves, decapsulating.publicKey.halves);
  });
});
