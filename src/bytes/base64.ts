import { MeshError } from "../refusals/mesh-error.ts";

/** Octets as base64 with padding (RFC 4648 §4): what formats of others ask for; ours is base64url. */
export function toBase64(bytes: Uint8Array): string {
  return bytes.toBase64();
}

/** The octets of a base64 text in its one canonical spelling: padding where it is due, no space, no stray bits (`base64-malformed`). */
export function fromBase64(text: string): Uint8Array {
  const bytes = decode(text);
  if (bytes === undefined || toBase64(bytes) !== text) throw new MeshError("base64-malformed", "This is not base64 in its one spelling (padded, no spaces, no stray bits).");
  return bytes;
}

function decode(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    return undefined;
  }
}
