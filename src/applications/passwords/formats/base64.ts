/** Octets in plain base64 with padding (RFC 4648 §4), as other programs write them; ours use base64url. */
export function toBase64(octets: Uint8Array): string {
  return octets.toBase64();
}

/** The octets of plain base64; undefined for what is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}
