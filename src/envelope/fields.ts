import * as v from "valibot";

import { base64urlLength } from "../bytes/base64url.ts";
import { isUdf, type Udf } from "../udf/udf.ts";

declare const digest: unique symbol;

/** The SHA-512 of a signing input or of octets, as 86 characters of base64url (decision 2.7). */
export type Digest = string & { readonly [digest]: true };

const DIGEST_OCTETS = 64;

function isBase64url(text: string, octets?: number): boolean {
  const length = base64urlLength(text);
  return length !== undefined && (octets === undefined || length === octets);
}

/** A UDF in its one protocol spelling (decision 3.2), branded with what it names. */
export function udfField<Of extends string>() {
  return v.pipe(
    v.string(),
    v.check((text) => isUdf(text), "is not a UDF"),
    v.transform((text) => text as Udf<Of>),
  );
}

/** A digest of 64 octets. */
export const digestField = v.pipe(
  v.string(),
  v.check((text) => isBase64url(text, DIGEST_OCTETS), "is not a SHA-512 digest"),
  v.transform((text) => text as Digest),
);

/** Octets in base64url: exactly `octets` of them, or at most `most`. */
export function octetsField(size: { readonly octets: number } | { readonly most: number }) {
  return "octets" in size
    ? v.pipe(v.string(), v.maxLength(Math.ceil((size.octets * 4) / 3)), v.check((text) => isBase64url(text, size.octets), `is not ${size.octets} octets of base64url`))
    : v.pipe(v.string(), v.maxLength(Math.ceil((size.most * 4) / 3)), v.check((text) => isBase64url(text), "is not base64url"));
}

/** A counting number from `least` (default 1) up to 2^53 - 1. */
export function countField(least = 1) {
  return v.pipe(v.number(), v.safeInteger(), v.minValue(least));
}

/** The integer that every stored and sent object carries (decision 11.2). */
export const formatField = v.literal(1);
