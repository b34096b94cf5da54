import * as v from "valibot";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { concatBytes, equalBytes, wipe } from "../bytes/equal.ts";
import { parseCanonical } from "../bytes/json.ts";
import { utf8 } from "../bytes/text.ts";
import { content, kem } from "../crypto/algorithms.ts";
import { hkdf, sha512 } from "../crypto/digest.ts";
import { decapsulate, encapsulate } from "../crypto/encapsulate.ts";
import { decryptGcm, encryptGcm, unwrapKey, wrapKey } from "../crypto/encrypt.ts";
import type { DecapsulationKey, EncapsulationKey } from "../crypto/key-pair.ts";
import { randomBytes } from "../crypto/random.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { type Udf, udfOfKey } from "../udf/udf.ts";
import { countField, octetsField, udfField } from "./fields.ts";
import { readShape } from "./shape.ts";

/** The most recipients one sealed object may have. */
export const MAX_RECIPIENTS = 64;

const EMPTY = new Uint8Array(0);

const recipientShape = v.strictObject({
  encrypted_key: octetsField({ octets: content.keyOctets + 8 }),
  header: v.strictObject({ ek: octetsField({ octets: kem.ciphertextOctets }), kid: udfField<"encryption-key">() }),
});

/** The shape of a JWE in general JSON form (RFC 7516 §7.2.1) as decision 2.6 narrows it. */
export const sealedShape = v.strictObject({
  ciphertext: octetsField({ most: 1024 * 1024 }),
  iv: octetsField({ octets: content.ivOctets }),
  protected: v.string(),
  recipients: v.pipe(v.array(recipientShape), v.minLength(1), v.maxLength(MAX_RECIPIENTS)),
  tag: octetsField({ octets: content.tagOctets }),
});

/** A JWE: says nothing of its sender, so it always stands inside something signed or MACed (decision 2.6). */
export type Sealed = v.InferOutput<typeof sealedShape>;

/** What opens what is sealed to one key: wherever its private half is, it need not come here. */
export type Decapsulator = { readonly kid: Udf<"encryption-key">; readonly decapsulate: (ciphertext: Uint8Array) => Promise<Uint8Array> };

/** A decapsulator by a key that is at hand. */
export function decapsulatorWith(key: DecapsulationKey): Decapsulator {
  return { kid: udfOfKey(key.publicKey.spki) as Udf<"encryption-key">, decapsulate: (ciphertext) => decapsulate(key, ciphertext) };
}

/** What a sealed object is about; bound to every octet of it through the protected header. */
export type SealedSubject = { readonly typ: string; readonly id: string; readonly version: number };

const headerShape = v.strictObject({
  alg: v.literal(kem.jose),
  commit: octetsField({ octets: 64 }),
  enc: v.literal(content.jose),
  id: v.string(),
  kids: v.pipe(v.array(udfField<"encryption-key">()), v.minLength(1), v.maxLength(MAX_RECIPIENTS)),
  typ: v.string(),
  version: countField(0),
});

/** Seals octets to every key given (each once); every recipient opens the same octets or none (decision 2.6). */
export async function seal(subject: SealedSubject, plaintext: Uint8Array, recipients: readonly EncapsulationKey[]): Promise<Sealed> {
  const named = recipients.map((key) => ({ key, kid: udfOfKey(key.spki) as Udf<"encryption-key"> })).sort((a, b) => (a.kid < b.kid ? -1 : 1));
  const kids = named.map((one) => one.kid);
  if (kids.length === 0 || kids.length > MAX_RECIPIENTS || new Set(kids).size !== kids.length) {
    throw new MeshError("sealed-malformed", "An object is sealed to between 1 and 64 different keys.");
  }
  const contentKey = randomBytes(content.keyOctets);
  const iv = randomBytes(content.ivOctets);
  const header = canonicalBytes({ alg: kem.jose, commit: toBase64url(commitment(contentKey)), enc: content.jose, id: subject.id, kids, typ: subject.typ, version: subject.version });
  const protectedText = toBase64url(header);
  const sealed = encryptGcm(contentKey, iv, plaintext, utf8(protectedText));
  const wraps = await Promise.all(
    named.map(async ({ key, kid }) => {
      const { ciphertext, secret } = await encapsulate(key);
      const wrapping = wrappingKey(secret, kid, ciphertext, header);
      const encrypted = wrapKey(wrapping, contentKey);
      wipe(secret);
      wipe(wrapping);
      return { encrypted_key: toBase64url(encrypted), header: { ek: toBase64url(ciphertext), kid } };
    }),
  );
  wipe(contentKey);
  const split = sealed.length - content.tagOctets;
  return { ciphertext: toBase64url(sealed.subarray(0, split)), iv: toBase64url(iv), protected: protectedText, recipients: wraps, tag: toBase64url(sealed.subarray(split)) };
}

/** The keys an object is sealed to, checked to be sorted, different, and the same in header and recipients. */
export function recipientsOf(sealed: Sealed, subject: SealedSubject): readonly Udf<"encryption-key">[] {
  return readHeader(sealed, subject).kids;
}

/**
 * Opens a sealed object about an expected subject with one key.
 *
 * Refuses with `sealed-malformed`, `sealed-not-for-this-key`, `sealed-wrong-commitment` (the wrapped key is not the one
 * that the header commits to) or `sealed-not-authentic`.
 */
export async function openSealed(sealed: Sealed, subject: SealedSubject, { kid, decapsulate }: Decapsulator): Promise<Uint8Array> {
  const header = readHeader(sealed, subject);
  const recipient = sealed.recipients[header.kids.indexOf(kid)];
  if (recipient === undefined || recipient.header.kid !== kid) throw new MeshError("sealed-not-for-this-key", `This ${subject.typ} is not sealed to this device.`);
  const ek = fromBase64url(recipient.header.ek);
  const secret = await decapsulate(ek);
  const wrapping = wrappingKey(secret, kid, ek, fromBase64url(sealed.protected));
  const contentKey = unwrapKey(wrapping, fromBase64url(recipient.encrypted_key));
  wipe(secret);
  wipe(wrapping);
  if (contentKey === undefined) throw new MeshError("sealed-not-authentic", `The key of this ${subject.typ} does not open.`);
  if (!equalBytes(commitment(contentKey), fromBase64url(header.commit))) throw new MeshError("sealed-wrong-commitment", `The key of this ${subject.typ} is not the one it commits to.`);
  const body = concatBytes(fromBase64url(sealed.ciphertext), fromBase64url(sealed.tag));
  const plaintext = decryptGcm(contentKey, fromBase64url(sealed.iv), body, utf8(sealed.protected));
  wipe(contentKey);
  if (plaintext === undefined) throw new MeshError("sealed-not-authentic", `This ${subject.typ} was changed after it was sealed.`);
  return plaintext;
}

function readHeader(sealed: Sealed, subject: SealedSubject): v.InferOutput<typeof headerShape> {
  const header = readShape(headerShape, parseCanonical(fromBase64url(sealed.protected)) as Json, "sealed-malformed", `${subject.typ} header`);
  const about = header.typ === subject.typ && header.id === subject.id && header.version === subject.version;
  if (!about) throw new MeshError("sealed-malformed", `This sealed object is not the ${subject.typ} expected here.`);
  const sorted = header.kids.every((kid, at) => at === 0 || (header.kids[at - 1] ?? "") < kid);
  const same = header.kids.length === sealed.recipients.length && header.kids.every((kid, at) => sealed.recipients[at]?.header.kid === kid);
  if (!sorted || !same) throw new MeshError("sealed-malformed", `The recipients of this ${subject.typ} are not those in its header.`);
  return header;
}

function commitment(contentKey: Uint8Array): Uint8Array {
  return hkdf(contentKey, EMPTY, utf8("mesh/jwe/commit/v1"), 64);
}

/** KEK = HKDF(KEM secret; alg, kid, KEM ciphertext, SHA-512(protected)); the ML-KEM ciphertext is not hashed by the KEM's own combiner, hence here. */
function wrappingKey(secret: Uint8Array, kid: string, ek: Uint8Array, header: Uint8Array): Uint8Array {
  return hkdf(secret, sha512(header), concatBytes(utf8(`mesh/jwe/kek/v1\0${kem.jose}\0${kid}\0`), sha512(ek)), content.keyOctets);
}
