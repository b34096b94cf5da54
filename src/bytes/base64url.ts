import { MeshError } from "../refusals/mesh-error.ts";

/** Octets as base64url without padding (RFC 4648 §5). */
export function toBase64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * The octets of a base64url text in its one canonical spelling (RFC 4648 §3.5, §5).
 *
 * Refuses padding, white space, the characters of plain base64 and unused bits that are not zero (`base64url-malformed`).
 */
export function fromBase64url(text: string): Uint8Array {
  const bytes = decode(text);
  // The native decoder forgives white space, padding and trailing bits; encoding again finds all three at once.
  if (bytes === undefined || toBase64url(bytes) !== text) {
    throw new MeshError("base64url-malformed", "This is not base64url in its one spelling (no padding, no spaces, no stray bits).");
  }
  return bytes;
}

/** How many octets a base64url text stands for. */
export function base64urlOctets(text: string): number {
  return Math.floor((text.length * 3) / 4);
}

/** Writes the octets of a text into others from `at` on, and returns where they end: for a text that `fromBase64url` took before, since its spelling is not checked again. */
export function writeBase64url(target: Uint8Array, at: number, text: string): number {
  return at + target.subarray(at).setFromBase64(text, { alphabet: "base64url" }).written;
}

function decode(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return undefined;
  }
}
