import * as v from "valibot";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { canonicalBytes, canonicalJson, type Json } from "../bytes/canonical-json.ts";
import { parseCanonical } from "../bytes/json.ts";
import { utf8 } from "../bytes/text.ts";
import { signature as algorithm } from "../crypto/algorithms.ts";
import { sha512Text } from "../crypto/digest.ts";
import type { VerifyingKey } from "../crypto/key-pair.ts";
import { verify } from "../crypto/sign.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { type Udf, udfOfKey } from "../udf/udf.ts";
import { type Digest, octetsField, udfField } from "./fields.ts";
import { readShape, type Shape } from "./shape.ts";

/** What a signed object is: its `typ`, the shape of its payload, and the most octets its text may have. */
export type ObjectType<P> = { readonly typ: string; readonly shape: Shape<P>; readonly maxBytes: number };

/** The three members of a flattened JWS (RFC 7515 §7.2.2), nothing else. */
export type Jws = { readonly payload: string; readonly protected: string; readonly signature: string };

/** A signed object that was read but whose signature nobody has checked: trust nothing in it. */
export type Signed<P> = {
  readonly type: ObjectType<P>;
  readonly jws: Jws;
  readonly kid: Udf<"signature-key">;
  readonly payload: P;
  /** SHA-512 of the signing input (decision 2.7): the same for every signature over the same words. */
  readonly digest: Digest;
};

declare const verified: unique symbol;

/** A signed object whose signature is true under the key that its key identifier names (draft §5: "Verified"). */
export type Verified<P> = Signed<P> & { readonly [verified]: true };

/** Whoever can sign with one key: the private half may be in a keyring, a token or another process. */
export interface Signer {
  readonly kid: Udf<"signature-key">;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** The shape of a JWS inside a request or another object. */
export const jwsShape = v.strictObject({ payload: v.string(), protected: v.string(), signature: octetsField({ octets: algorithm.signatureOctets }) });

const EMPTY_JWS = canonicalJson({ payload: "", protected: "", signature: "" }).length;

const headerShape = v.strictObject({ alg: v.literal(algorithm.jose), kid: udfField<"signature-key">(), typ: v.string() });

/**
 * Reads a signed object of an expected type (decision 2.5).
 *
 * Refuses with `signed-malformed`: unknown members, another `typ` or algorithm, an unprotected header, text that is not
 * the JCS of itself, non-canonical base64url, wrong sizes. Checks no signature.
 */
export function readSigned<P>(input: Uint8Array | Json, type: ObjectType<P>): Signed<P> {
  const value = input instanceof Uint8Array ? parseCanonical(input, { maxBytes: type.maxBytes }) : input;
  return readJws(readShape(jwsShape, value, "signed-malformed", type.typ), type);
}

/** As `readSigned`, for what a shape that holds signed objects has found to be one. */
export function readJws<P>(jws: Jws, type: ObjectType<P>): Signed<P> {
  if (jws.payload.length + jws.protected.length + jws.signature.length > type.maxBytes) {
    throw new MeshError("signed-malformed", `This ${type.typ} is larger than ${type.maxBytes} octets.`);
  }
  const header = readShape(headerShape, parseCanonical(fromBase64url(jws.protected)), "signed-malformed", `${type.typ} header`);
  if (header.typ !== type.typ) throw new MeshError("signed-malformed", `Expected ${type.typ}, got ${JSON.stringify(header.typ.slice(0, 60))}.`);
  const payload = readShape(type.shape, parseCanonical(fromBase64url(jws.payload)), "signed-malformed", type.typ);
  return { type, jws, kid: header.kid, payload, digest: sha512Text(`${jws.protected}.${jws.payload}`) as Digest };
}

/**
 * Checks the signature under a key that the caller chose by its own authority, never by the message.
 *
 * Refuses with `signature-wrong-key` if the key identifier names another key and with `signature-invalid` if the
 * signature is false (draft §4.5, §5.4).
 */
export async function verifySigned<P>(signed: Signed<P>, key: VerifyingKey): Promise<Verified<P>> {
  if (udfOfKey(key.spki) !== signed.kid) throw new MeshError("signature-wrong-key", `This ${signed.type.typ} is signed by another key than the one expected.`);
  const good = await verify(key, signingInput(signed.jws), fromBase64url(signed.jws.signature));
  if (!good) throw new MeshError("signature-invalid", `The signature of this ${signed.type.typ} is false.`);
  return signed as Verified<P>;
}

/** Signs a payload; the result is what a reader would get from its text, so a writer can make nothing that a reader refuses. */
export async function signObject<P>(type: ObjectType<P>, payload: P, signer: Signer): Promise<Verified<P>> {
  const unsigned = {
    payload: toBase64url(canonicalBytes(payload as Json)),
    protected: toBase64url(canonicalBytes({ alg: algorithm.jose, kid: signer.kid, typ: type.typ })),
  };
  const signature = toBase64url(await signer.sign(signingInput(unsigned)));
  return readSigned({ ...unsigned, signature }, type) as Verified<P>;
}

/** The text of a signed object, octet for octet what was read or signed. */
export function signedBytes(signed: Signed<unknown>): Uint8Array {
  return utf8(canonicalJson(signed.jws as unknown as Json));
}

/** How many octets `signedBytes` gives, without writing them: its three members are letters and digits that JSON writes as they are. */
export function signedLength({ jws: { payload, protected: head, signature } }: Signed<unknown>): number {
  return EMPTY_JWS + payload.length + head.length + signature.length;
}

/** The digest of octets, in the form used for signing inputs and ciphertexts. */
export function digestOf(octets: Uint8Array): Digest {
  return sha512Text(octets) as Digest;
}

/** The digest of a signed object that nobody has read. */
export function jwsDigest(jws: Pick<Jws, "protected" | "payload">): Digest {
  return digestOf(signingInput(jws));
}

function signingInput(jws: { readonly protected: string; readonly payload: string }): Uint8Array {
  return utf8(`${jws.protected}.${jws.payload}`);
}
