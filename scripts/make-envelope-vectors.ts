// Makes vectors/envelope anew: node scripts/make-envelope-vectors.ts. Keys and signatures are random, so every run gives others.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { fromBase64url, toBase64url } from "../src/bytes/base64url.ts";
import { canonicalBytes, canonicalJson, type Json } from "../src/bytes/canonical-json.ts";
import { utf8 } from "../src/bytes/text.ts";
import { privateJwk } from "../src/crypto/key-encoding.ts";
import { type DecapsulationKey, generateDecapsulationKey, generateSigningKey, type SigningKey } from "../src/crypto/key-pair.ts";
import { randomBytes } from "../src/crypto/random.ts";
import { sign } from "../src/crypto/sign.ts";
import { encryptUnder } from "../src/envelope/keyed.ts";
import { seal, type Sealed } from "../src/envelope/sealed.ts";
import { digestOf, signObject } from "../src/envelope/signed.ts";
import { sealTwoTexts } from "../src/envelope/test-salamander.ts";
import { type Account, account } from "../src/profiles/account.ts";
import { udfOf, udfOfKey } from "../src/udf/udf.ts";

const folder = join(import.meta.dirname, "../vectors/envelope");
for (const kind of ["valid", "invalid"]) {
  rmSync(join(folder, kind), { recursive: true, force: true });
  mkdirSync(join(folder, kind), { recursive: true });
}
const write = (path: string, value: object) => writeFileSync(join(folder, path), `${JSON.stringify(value, null, 1)}\n`);

// --- keys
const signing = { alice: generateSigningKey(), bob: generateSigningKey() };
const opening = [generateDecapsulationKey(), generateDecapsulationKey(), generateDecapsulationKey()].sort((a, b) => (udfOfKey(a.publicKey.spki) < udfOfKey(b.publicKey.spki) ? -1 : 1));
const named: Readonly<Record<string, SigningKey | DecapsulationKey>> = Object.fromEntries<SigningKey | DecapsulationKey>([...Object.entries(signing), ...opening.map((key, place) => [`device-${place + 1}`, key] as const)]);
write("keys.json", Object.fromEntries(Object.entries(named).map(([name, key]) => [name, { ...privateJwk(key), udf: udfOfKey(key.publicKey.spki) }])));

// --- signed
const payload: Account = { address: "alice@example.com", master: udfOf("application/test", utf8("alice")), portal: udfOf("application/test", utf8("portal")), status: "open", v: 1, version: 1 };
const kid = udfOfKey(signing.alice.publicKey.spki);
const header = { alg: "ML-DSA-87-Ed448", kid, typ: account.typ };
const signer = (key: SigningKey) => ({ kid: udfOfKey<"signature-key">(key.publicKey.spki), sign: (message: Uint8Array) => sign(key, message) });
const good = (await signObject(account, payload, signer(signing.alice))).jws;
const other = (await signObject(account, { ...payload, version: 2, previous: digestOf(utf8("x")) }, signer(signing.alice))).jws;
const bobs = (await signObject(account, payload, signer(signing.bob))).jws;
const text = (value: object) => canonicalJson(value as unknown as Json);

/** A JWS over any texts of header and payload, well signed. */
async function jws(headerText: string, payloadText: string, key = signing.alice) {
  const [protectedPart, payloadPart] = [toBase64url(utf8(headerText)), toBase64url(utf8(payloadText))];
  return { payload: payloadPart, protected: protectedPart, signature: toBase64url(await sign(key, utf8(`${protectedPart}.${payloadPart}`))) };
}

const signed = (about: string, object: string, outcome: string, key = "alice") => ({ about, kind: "signed", typ: account.typ, key, text: object, outcome });
write("valid/signed.json", { ...signed("An account signed by Alice", text(good), "ok"), payload, digest: digestOf(utf8(`${good.protected}.${good.payload}`)) });
const again = (await signObject(account, payload, signer(signing.alice))).jws;
write("valid/signed-again.json", { ...signed("The same account signed a second time: other octets, the same digest", text(again), "ok"), payload, digest: digestOf(utf8(`${good.protected}.${good.payload}`)) });

const signature = fromBase64url(good.signature);
const flipped = (at: number) => toBase64url(signature.map((octet, place) => (place === at ? octet ^ 1 : octet)));
const trailing = (base64: string) => `${base64.slice(0, -1)}${String.fromCharCode(base64.charCodeAt(base64.length - 1) + 1)}`;
const deep = `{"a":${"[".repeat(40)}${"]".repeat(40)}}`;
const h = text(header);
const p = text(payload);
const invalidSigned: Readonly<Record<string, readonly [string, string, string, string?]>> = {
  "unprotected-header": ["An unprotected header, though empty", text({ ...good, header: {} }), "signed-malformed"],
  "unknown-member": ["A member that nobody knows", text({ ...good, note: 1 }), "signed-malformed"],
  "general-form": ["RFC 7515 §7.2.1: the general form, even with one signature", text({ payload: good.payload, signatures: [{ protected: good.protected, signature: good.signature }] }), "signed-malformed"],
  "two-signatures": ["Two signatures, both true", text({ payload: good.payload, signatures: [good, bobs].map((one) => ({ protected: one.protected, signature: one.signature })) }), "signed-malformed"],
  "compact-form": ["RFC 7515 §7.1: the compact form", JSON.stringify(`${good.protected}.${good.payload}.${good.signature}`), "signed-malformed"],
  "no-signature": ["The signature left out", text({ payload: good.payload, protected: good.protected }), "signed-malformed"],
  "empty-signature": ["An empty signature", text({ ...good, signature: "" }), "signed-malformed"],
  "wrong-typ": ["Well signed as another type of object", text(await jws(text({ ...header, typ: "mesh-master-profile+json" }), p)), "signed-malformed"],
  "no-typ": ["No type in the header", text(await jws(text({ alg: header.alg, kid }), p)), "signed-malformed"],
  "no-kid": ["No key identifier in the header", text(await jws(text({ alg: header.alg, typ: header.typ }), p)), "signed-malformed"],
  "alg-none": ["RFC 7518 §3.6: alg none", text(await jws(text({ ...header, alg: "none" }), p)), "signed-malformed"],
  "alg-other": ["Another algorithm than the one of the suite", text(await jws(text({ ...header, alg: "EdDSA" }), p)), "signed-malformed"],
  crit: ["RFC 7515 §4.1.11: a critical member", text(await jws(text({ ...header, crit: ["exp"], exp: 1 }), p)), "signed-malformed"],
  b64: ["RFC 7797: an unencoded payload", text(await jws(text({ ...header, b64: false }), p)), "signed-malformed"],
  "jwk-in-header": ["The signer's key in the header: a message never says by which key it is to be judged", text(await jws(text({ ...header, jwk: { kty: "AKP" } }), p)), "signed-malformed"],
  "kid-short": ["A key identifier in another spelling", text(await jws(text({ ...header, kid: kid.slice(0, 34) }), p)), "signed-malformed"],
  "kid-swapped": ["The header names Bob's key, over Alice's signature; judged by Alice's key", text({ ...good, protected: bobs.protected }), "signature-wrong-key"],
  "kid-swapped-other-key": ["The same, judged by Bob's key", text({ ...good, protected: bobs.protected }), "signature-invalid", "bob"],
  "other-signer": ["Well signed by Bob, judged by Alice's key", text(bobs), "signature-wrong-key"],
  "payload-swapped": ["The payload of another object of the same signer", text({ ...good, payload: other.payload }), "signature-invalid"],
  "signature-swapped": ["The signature of another object of the same signer", text({ ...good, signature: other.signature }), "signature-invalid"],
  "lattice-half-false": ["One bit of the ML-DSA-87 half turned over", text({ ...good, signature: flipped(100) }), "signature-invalid"],
  "curve-half-false": ["One bit of the Ed448 half turned over", text({ ...good, signature: flipped(4700) }), "signature-invalid"],
  "signature-short": ["A signature one octet short", text({ ...good, signature: toBase64url(signature.subarray(1)) }), "signed-malformed"],
  "signature-long": ["A signature with an octet more", text({ ...good, signature: toBase64url(new Uint8Array([...signature, 0])) }), "signed-malformed"],
  "signature-stray-bits": ["RFC 4648 §3.5: unused bits of the last character that are not zero", text({ ...good, signature: trailing(good.signature) }), "signed-malformed"],
  "payload-padding": ["RFC 4648 §5: padding", text({ ...good, payload: `${good.payload}=` }), "base64url-malformed"],
  "header-plain-base64": ["RFC 4648 §4: a character of plain base64", text({ ...good, protected: `${good.protected.slice(0, -1)}+` }), "base64url-malformed"],
  "duplicate-outside": ["A member twice", text(good).replace('"payload"', `"payload":"","payload"`), "json-duplicate-member"],
  "duplicate-inside": ["A member of the payload twice, well signed", text(await jws(h, p.replace('"status"', '"status":"open","status"'))), "json-duplicate-member"],
  "duplicate-in-header": ["A member of the header twice, well signed", text(await jws(h.replace('"typ"', '"typ":"x","typ"'), p)), "json-duplicate-member"],
  "space-outside": ["Not its own canonical text (RFC 8785): a space", text(good).replace(":", ": "), "json-not-canonical"],
  "space-inside": ["A space in the payload, well signed", text(await jws(h, p.replace(":", ": "))), "json-not-canonical"],
  "order-inside": ["Members of the payload out of order, well signed", text(await jws(h, JSON.stringify(Object.fromEntries(Object.entries(payload).reverse())))), "json-not-canonical"],
  "number-spelling": ["A number in another spelling, well signed", text(await jws(h, p.replace('"version":1', '"version":1.0'))), "json-not-canonical"],
  "too-deep": ["Forty deep, well signed", text(await jws(h, deep)), "json-too-deep"],
  "unknown-in-payload": ["A member of the payload that nobody knows, well signed", text(await jws(h, text({ ...payload, zzz: 1 }))), "signed-malformed"],
  "proto-in-payload": ["A member named __proto__, well signed", text(await jws(h, `{"__proto__":{},${p.slice(1)}`)), "signed-malformed"],
  "missing-in-payload": ["A member of the payload left out, well signed", text(await jws(h, p.replace(/"portal":[^,]*,/, ""))), "signed-malformed"],
  "newer-format": ["Format 2, well signed", text(await jws(h, p.replace('"v":1', '"v":2'))), "signed-malformed"],
  "version-zero": ["Version 0, well signed", text(await jws(h, p.replace('"version":1', '"version":0'))), "signed-malformed"],
  "not-json": ["Not JSON", "signed", "json-malformed"],
};
for (const [name, [about, object, outcome, key]] of Object.entries(invalidSigned)) write(`invalid/signed-${name}.json`, signed(about, object, outcome, key));

// --- sealed
const subject = { typ: "mesh-test+jwe", id: "object", version: 7 };
const plaintext = utf8("What only these devices read.");
const publicKeys = opening.map((key) => key.publicKey);
const three = await seal(subject, plaintext, publicKeys);
const two = await seal(subject, plaintext, publicKeys.slice(0, 2));
const sealed = (about: string, object: object, outcome: string, key = "device-1", of: object = subject) => ({ about, kind: "sealed", subject: of, key, text: text(object), outcome });
for (const place of [1, 2, 3]) write(`valid/sealed-recipient-${place}.json`, { ...sealed(`Sealed to three devices, opened by device ${place}`, three, "ok", `device-${place}`), plaintext: toBase64url(plaintext) });
write("valid/sealed-empty.json", { ...sealed("Nothing, sealed to one device", await seal(subject, new Uint8Array(0), publicKeys.slice(0, 1)), "ok"), plaintext: "" });

const [first, second, third] = three.recipients as [Sealed["recipients"][0], Sealed["recipients"][0], Sealed["recipients"][0]];
const inHeader = JSON.parse(new TextDecoder().decode(fromBase64url(three.protected))) as Record<string, unknown>;
const headerWith = (changes: object): string => toBase64url(canonicalBytes({ ...inHeader, ...changes } as Json));
const kids = inHeader["kids"] as string[];
const bit = (base64: string) => toBase64url(fromBase64url(base64).map((octet, place) => (place === 0 ? octet ^ 1 : octet)));
const invalidSealed: Readonly<Record<string, readonly [string, object, string, string?, object?]>> = {
  "other-typ": ["About another type of object", three, "sealed-malformed", "device-1", { ...subject, typ: "mesh-other+jwe" }],
  "other-id": ["About another object", three, "sealed-malformed", "device-1", { ...subject, id: "other" }],
  "other-version": ["About another version", three, "sealed-malformed", "device-1", { ...subject, version: 6 }],
  "not-for-this-key": ["Opened by a device to which it is not sealed", two, "sealed-not-for-this-key", "device-3"],
  "extra-recipient": ["A recipient more than the header names", { ...two, recipients: [...two.recipients, third] }, "sealed-malformed"],
  "missing-recipient": ["A recipient fewer than the header names", { ...three, recipients: [first, second] }, "sealed-malformed"],
  "recipients-swapped": ["Recipients in another order than in the header", { ...three, recipients: [second, first, third] }, "sealed-malformed"],
  "kids-swapped": ["Key identifiers of two recipients swapped, in header and recipients", { ...three, protected: headerWith({ kids: [kids[1], kids[0], kids[2]] }), recipients: [second, first, third] }, "sealed-malformed"],
  "kid-twice": ["One recipient twice", { ...three, protected: headerWith({ kids: [kids[0], kids[0]] }), recipients: [first, first] }, "sealed-malformed"],
  "wraps-swapped": ["Wrapped keys of two recipients swapped", { ...three, recipients: [{ ...first, encrypted_key: second.encrypted_key }, { ...second, encrypted_key: first.encrypted_key }, third] }, "sealed-not-authentic"],
  "headers-swapped": ["KEM ciphertexts of two recipients swapped", { ...three, recipients: [{ ...first, header: { ...first.header, ek: second.header.ek } }, { ...second, header: { ...second.header, ek: first.header.ek } }, third] }, "sealed-not-authentic"],
  "wrap-of-another-object": ["The whole recipient of another object", { ...three, recipients: [{ ...two.recipients[0] }, second, third] }, "sealed-not-authentic"],
  "header-changed": ["Another version in the header: no wrapped key opens", { ...three, protected: headerWith({ version: 8 }) }, "sealed-not-authentic", "device-1", { ...subject, version: 8 }],
  "commitment-changed": ["Another commitment in the header: no wrapped key opens", { ...three, protected: headerWith({ commit: bit(inHeader["commit"] as string) }) }, "sealed-not-authentic"],
  "two-texts": ["Two content keys for one ciphertext that opens under both; the header commits to the first, this is the second", (await sealTwoTexts(subject, [publicKeys[0] as never, publicKeys[1] as never], [utf8("Pay Bob nothing."), utf8("Pay Bob it all! ")])).sealed, "sealed-wrong-commitment", "device-2"],
  "alg-other": ["Another algorithm", { ...three, protected: headerWith({ alg: "RSA-OAEP" }) }, "sealed-malformed"],
  "enc-other": ["Another content encryption", { ...three, protected: headerWith({ enc: "A128CBC-HS256" }) }, "sealed-malformed"],
  zip: ["RFC 7516 §4.1.3: compression", { ...three, protected: headerWith({ zip: "DEF" }) }, "sealed-malformed"],
  crit: ["RFC 7516 §4.1.13: a critical member", { ...three, protected: headerWith({ crit: ["zip"] }) }, "sealed-malformed"],
  "unprotected-header": ["A shared unprotected header", { ...three, unprotected: {} }, "sealed-malformed"],
  aad: ["Further associated data", { ...three, aad: "" }, "sealed-malformed"],
  "recipient-alg": ["A further member in a recipient's header", { ...three, recipients: [{ ...first, header: { ...first.header, alg: "dir" } }, second, third] }, "sealed-malformed"],
  "no-recipient": ["No recipient", { ...three, protected: headerWith({ kids: [] }), recipients: [] }, "sealed-malformed"],
  "header-not-canonical": ["A space in the header", { ...three, protected: toBase64url(utf8(` ${canonicalJson(inHeader as Json)}`)) }, "json-not-canonical"],
  "iv-changed": ["One bit of the initial value turned over", { ...three, iv: bit(three.iv) }, "sealed-not-authentic"],
  "ciphertext-changed": ["One bit of the ciphertext turned over", { ...three, ciphertext: bit(three.ciphertext) }, "sealed-not-authentic"],
  "ciphertext-cut": ["The ciphertext one octet short", { ...three, ciphertext: toBase64url(fromBase64url(three.ciphertext).subarray(1)) }, "sealed-not-authentic"],
  "tag-changed": ["One bit of the tag turned over", { ...three, tag: bit(three.tag) }, "sealed-not-authentic"],
  "tag-short": ["A tag of 12 octets, which GCM would allow", { ...three, tag: toBase64url(fromBase64url(three.tag).subarray(4)) }, "sealed-malformed"],
  "iv-long": ["An initial value of 16 octets", { ...three, iv: toBase64url(randomBytes(16)) }, "sealed-malformed"],
};
for (const [name, [about, object, outcome, key, of]] of Object.entries(invalidSealed)) write(`invalid/sealed-${name}.json`, sealed(about, object, outcome, key, of));

// --- keyed
const shared = randomBytes(32);
const made = encryptUnder(shared, "mesh/test/v1", plaintext);
const keyed = (about: string, changes: object, outcome: string) => ({ about, kind: "keyed", key: toBase64url(shared), purpose: "mesh/test/v1", salt: toBase64url(made.salt), ciphertext: toBase64url(made.ciphertext), outcome, ...changes });
write("valid/keyed.json", { ...keyed("Octets under a shared key", {}, "ok"), plaintext: toBase64url(plaintext) });
write("invalid/keyed-purpose.json", keyed("Another purpose", { purpose: "mesh/test/v2" }, "undefined"));
write("invalid/keyed-salt.json", keyed("One bit of the salt turned over", { salt: bit(toBase64url(made.salt)) }, "undefined"));
write("invalid/keyed-key.json", keyed("One bit of the key turned over", { key: bit(toBase64url(shared)) }, "undefined"));
write("invalid/keyed-ciphertext.json", keyed("One bit of the ciphertext turned over", { ciphertext: bit(toBase64url(made.ciphertext)) }, "undefined"));
