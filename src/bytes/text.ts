import { MeshError } from "../refusals/mesh-error.ts";

const encoder = new TextEncoder();
// `ignoreBOM` keeps a byte order mark as a character: octets that differ must never become the same text.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The UTF-8 octets of a text; refuses lone surrogates, which have none (`text-malformed`). */
export function utf8(text: string): Uint8Array {
  if (!text.isWellFormed()) throw new MeshError("text-malformed", "This text holds half of a surrogate pair.");
  return encoder.encode(text);
}

/** The text of UTF-8 octets, exactly one text for one sequence of octets (`text-malformed` if they are not UTF-8). */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new MeshError("text-malformed", "These octets are not UTF-8 text.");
  }
}

/** A text as it is compared when case does not count. Upper case, not lower: it also makes one of the two Greek sigmas, and of ß and ss. */
export function foldCase(text: string): string {
  return text.normalize("NFC").toUpperCase();
}
