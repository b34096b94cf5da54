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

function decode(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return undefined;
  }
}
