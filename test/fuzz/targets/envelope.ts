import { fromBase64url, toBase64url } from "../../../src/bytes/base64url.ts";
import { canonicalBytes, type Json } from "../../../src/bytes/canonical-json.ts";
import { concatBytes, equalBytes } from "../../../src/bytes/equal.ts";
import { parseCanonical } from "../../../src/bytes/json.ts";
import { utf8 } from "../../../src/bytes/text.ts";
import { kinds } from "../../../src/client/examine/kinds.ts";
import { parseExamined, readAll } from "../../../src/client/examine/read.ts";
import { kem } from "../../../src/crypto/algorithms.ts";
import { hkdf, sha512 } from "../../../src/crypto/digest.ts";
import { encapsulate } from "../../../src/crypto/encapsulate.ts";
import { encryptGcm, wrapKey } from "../../../src/crypto/encrypt.ts";
import { readVectors } from "../../../src/crypto/test-vectors.ts";
import { keyedShape, keyedUnder, openKeyed } from "../../../src/envelope/keyed.ts";
import { decapsulatorWith, openSealed, recipientsOf, type Sealed, seal, sealedShape } from "../../../src/envelope/sealed.ts";
import { readShape } from "../../../src/envelope/shape.ts";
import { type ObjectType, readSigned, signedBytes } from "../../../src/envelope/signed.ts";
import { udfOfKey } from "../../../src/udf/udf.ts";
import { openingKey } from "../material.ts";
import { hold, json, octets, type Target, text } from "../target.ts";

const jsonRefusals = ["json-malformed", "json-too-deep", "json-not-canonical", "json-duplicate-member", "json-too-large", "base64url-malformed", "text-malformed"] as const;
const EMPTY_SIGNATURE = toBase64url(new Uint8Array(4741));

/** Signed objects of every kind, as far as they are read without a key: the JWS, its header, the shape of its payload. */
export const signed: Target = {
  name: "signed",
  files: ["envelope/signed.ts", "envelope/shape.ts", "envelope/fields.ts", "client/examine/read.ts", "profiles/"],
  // The signature is put in by the target: it is most of the octets, and nothing reads it here.
  seeds: () => objects().map(({ payload, protected: header }) => canonicalBytes({ payload, protected: header, signature: "S" })),
  words: ["payload", "protected", "signature", "alg", "kid", "typ", "crit", "header", ...Object.values(kinds).map(({ typ }) => typ)],
  most: 30_000,
  refusals: ["signed-malformed", "profile-malformed", ...jsonRefusals],
  run: (input) => {
    const whole = utf8(text(input).replace('"signature":"S"', `"signature":"${EMPTY_SIGNATURE}"`));
    const [one, ...more] = readAll(parseExamined(whole));
    if (one === undefined || more.length > 0) return;
    const again = readSigned(signedBytes(one.signed), one.signed.type as ObjectType<unknown>);
    hold(again.digest === one.signed.digest && again.kid === one.signed.kid, "a signed object reads the same again");
    hold(equalBytes(canonicalBytes(again.payload as Json), fromBase64url(again.jws.payload)), "a payload has one spelling");
  },
};

const subject = { typ: "mesh-test+jwe", id: "x", version: 1 };

/** Sealed objects as anybody may send them. */
export const sealed: Target = {
  name: "sealed",
  files: ["envelope/sealed.ts", "crypto/encapsulate.ts", "crypto/encrypt.ts"],
  seeds: async () => [canonicalBytes((await seal(subject, utf8("hello"), [openingKey(0).publicKey, openingKey(1).publicKey])) as unknown as Json)],
  words: ["kid", "kids", "ek", "alg", "enc", "commit", "typ", "version", "zip", "header", "recipients", "mesh-test+jwe"],
  most: 10_000,
  refusals: ["sealed-malformed", "sealed-not-for-this-key", "sealed-wrong-commitment", "sealed-not-authentic", "ciphertext-malformed", ...jsonRefusals],
  run: async (input) => {
    const value = readShape(sealedShape, parseCanonical(input), "sealed-malformed", "sealed object");
    recipientsOf(value, subject);
    const plaintext = await openSealed(value, subject, decapsulatorWith(openingKey(0)));
    hold(text(plaintext) === "hello", "nothing opens but what was sealed", text(plaintext));
  },
};

/** Sealed objects as one of the recipients can forge them: every header, truly wrapped. */
export const sealedForged: Target = {
  name: "sealed-forged",
  files: ["envelope/sealed.ts", "crypto/encapsulate.ts", "crypto/encrypt.ts"],
  seeds: () => [{ header: {}, key: 7 }, { header: { version: 2 }, key: 7 }, { header: { commit: "" }, key: 7 }, { header: {}, key: 9, padding: "AAAA" }].map((one) => octets(JSON.stringify(one))),
  words: ["kids", "alg", "enc", "commit", "typ", "version", "id", "zip", "crit", "mesh-test+jwe", "header", "key", "padding"],
  most: 2000,
  refusals: ["sealed-malformed", "sealed-not-for-this-key", "sealed-wrong-commitment", "sealed-not-authentic", "ciphertext-malformed", ...jsonRefusals],
  run: async (input) => {
    const order = json(input) as { readonly header?: object; readonly key?: unknown; readonly padding?: unknown } | undefined;
    if (order === undefined || typeof order !== "object" || order === null) return;
    const plaintext = await openSealed(await forge(order), subject, decapsulatorWith(openingKey(0)));
    hold(text(plaintext) === "hello", "nothing opens but what was sealed");
  },
};

async function forge({ header: changes = {}, key = 0, padding = "" }: { readonly header?: object; readonly key?: unknown; readonly padding?: unknown }): Promise<Sealed> {
  const contentKey = new Uint8Array(32).fill(typeof key === "number" ? key & 255 : 0);
  const recipient = openingKey(0);
  const kid = udfOfKey<"encryption-key">(recipient.publicKey.spki);
  const commit = toBase64url(hkdf(contentKey, new Uint8Array(0), utf8("mesh/jwe/commit/v1"), 64));
  const header = canonicalBytes({ alg: kem.jose, commit, enc: "A256GCM", id: subject.id, kids: [kid], typ: subject.typ, version: 1, ...(typeof changes === "object" ? changes : {}) } as Json);
  const { ciphertext, secret } = await encapsulate(recipient.publicKey);
  const wrapping = hkdf(secret, sha512(header), concatBytes(utf8(`mesh/jwe/kek/v1\0${kem.jose}\0${kid}\0`), sha512(ciphertext)), 32);
  const iv = new Uint8Array(12);
  const body = encryptGcm(contentKey, iv, utf8("hello"), utf8(toBase64url(header) + (typeof padding === "string" ? padding.slice(0, 4).replaceAll(/[^A-Za-z]/g, "") : "")));
  return { ciphertext: toBase64url(body.subarray(0, -16)), iv: toBase64url(iv), protected: toBase64url(header), recipients: [{ encrypted_key: toBase64url(wrapKey(wrapping, contentKey)), header: { ek: toBase64url(ciphertext), kid } }], tag: toBase64url(body.subarray(-16)) };
}

const shared = new Uint8Array(32).fill(5);

/** Octets under a shared key. */
export const keyed: Target = {
  name: "keyed",
  files: ["envelope/keyed.ts"],
  seeds: () => [canonicalBytes(keyedUnder(shared, "fuzz", utf8("hello"))), canonicalBytes(keyedUnder(shared, "fuzz", new Uint8Array(0)))],
  words: ["salt", "ciphertext"],
  most: 1000,
  refusals: ["sealed-malformed", ...jsonRefusals],
  run: (input) => {
    const value = readShape(keyedShape, parseCanonical(input), "sealed-malformed", "keyed octets");
    const plaintext = openKeyed(shared, "fuzz", value);
    hold(plaintext === undefined || plaintext.length === 0 || text(plaintext) === "hello", "nothing opens but what was encrypted");
  },
};

/** Header and payload of one object of each kind there is in the vectors. */
function objects(): readonly { readonly payload: string; readonly protected: string }[] {
  const all = readVectors<Readonly<Record<string, { readonly text: string }>>>("profiles/objects.json");
  const byTyp = new Map<string, { readonly payload: string; readonly protected: string }>();
  for (const { text } of Object.values(all)) {
    const jws = JSON.parse(text) as { readonly payload: string; readonly protected: string };
    const { typ } = JSON.parse(new TextDecoder().decode(fromBase64url(jws.protected))) as { readonly typ: string };
    if (!byTyp.has(typ)) byTyp.set(typ, jws);
  }
  return [...byTyp.values()];
}
