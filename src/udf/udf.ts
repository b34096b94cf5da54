import { toBase32 } from "../bytes/base32.ts";
import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { sha512 } from "../crypto/digest.ts";
import { MeshError } from "../refusals/mesh-error.ts";

declare const brand: unique symbol;

/**
 * The one identifier of keys and objects (draft §4.5): `M`, 260 bits, 52 characters in thirteen groups of four.
 *
 * `Of` says of what, for the type checker only.
 */
export type Udf<Of extends string = string> = string & { readonly [brand]: Of };

/** The content type under which a key is identified by its SubjectPublicKeyInfo (decision 3.1). */
export const KEY_TYPE = "application/pkix-keyinfo";

// SHA-2-512, no compression (draft-hallambaker-mesh-udf §3.1): the first letter becomes M, the second one of A to D.
const SHA_2_512 = 0x60;
const LETTERS = 52;
const UDF = /^M[A-D][A-Z2-7]{2}(?:-[A-Z2-7]{4}){12}$/;
const SHOWN = 7 * 5 - 1;

/** The identifier of data under a content type: SHA-512(type ":" SHA-512(data)) after a type octet, cut to 260 bits (draft-hallambaker-mesh-udf §5.1). */
export function udfOf<Of extends string = string>(contentType: string, data: Uint8Array): Udf<Of> {
  const digest = sha512(utf8(`${contentType}:`), sha512(data));
  return grouped(toBase32(concatBytes(Uint8Array.of(SHA_2_512), digest)).slice(0, LETTERS)) as Udf<Of>;
}

/** The identifier of a public key given as DER SubjectPublicKeyInfo. */
export function udfOfKey<Of extends string = string>(spki: Uint8Array): Udf<Of> {
  return udfOf(KEY_TYPE, spki);
}

/** Whether something is an identifier in exactly its one spelling (decision 3.2). */
export function isUdf(text: unknown): text is Udf {
  return typeof text === "string" && UDF.test(text);
}

/** Reads an identifier: exactly the one spelling, else `udf-malformed`. */
export function parseUdf<Of extends string = string>(text: string): Udf<Of> {
  if (!isUdf(text)) throw new MeshError("udf-malformed", "This is not an identifier: M, 52 letters and digits in thirteen groups of four.");
  return text as Udf<Of>;
}

/** The first 140 bits (28 characters), for people to compare; no machine decides on it (decision 3.2). */
export function showUdf(udf: Udf): string {
  return udf.slice(0, SHOWN);
}

/** The 52 characters in lower case without dashes: fits a label of a host name. */
export function compactUdf(udf: Udf): string {
  return udf.replaceAll("-", "").toLowerCase();
}

/** The identifier of which {@link compactUdf} is the compact form; `udf-malformed` for any other spelling. */
export function expandUdf<Of extends string = string>(compact: string): Udf<Of> {
  if (!/^[a-z2-7]{52}$/.test(compact)) throw new MeshError("udf-malformed", "This is not a compact identifier: 52 lower-case letters and digits.");
  return parseUdf(grouped(compact.toUpperCase()));
}

function grouped(letters: string): string {
  return letters.replaceAll(/.{4}(?=.)/g, "$&-");
}
