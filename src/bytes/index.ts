/** Octets and texts, one spelling for each: base64url, base32, UTF-8, strict and canonical JSON, DER. */
export { fromBase32, toBase32 } from "./base32.ts";
export { fromBase64, toBase64 } from "./base64.ts";
export { fromBase64url, toBase64url } from "./base64url.ts";
export { canonicalBytes, canonicalJson, type Json } from "./canonical-json.ts";
export { contextTag, derBitString, derContext, derElement, derInteger, derOctetString, derOid, derSequence, tags } from "./der.ts";
export { bitStringOf, contentsOf, type DerElement, integerOf, oidOf, readDer, readDerList, sequenceOf } from "./der-reader.ts";
export { compareBytes, concatBytes, equalBytes, wipe } from "./equal.ts";
export { type JsonLimits, parseCanonical, parseJson } from "./json.ts";
export { ordinal } from "./ordinal.ts";
export { fromUtf8, utf8 } from "./text.ts";
