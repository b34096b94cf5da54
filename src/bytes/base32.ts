import { MeshError } from "../refusals/mesh-error.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter, value] as const));

/** Octets as base32, upper case, without padding (RFC 4648 §6). */
export function toBase32(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET.charAt((held >> bits) & 31);
    }
  }
  return bits === 0 ? text : text + ALPHABET.charAt((held << (5 - bits)) & 31);
}

/**
 * The octets of a base32 text in its one canonical spelling.
 *
 * Refuses lower case, padding, impossible lengths and unused bits that are not zero (`base32-malformed`).
 */
export function fromBase32(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let index = 0; index < text.length; index++) {
    const value = VALUES.get(text.charAt(index));
    if (value === undefined) throw malformed();
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 255;
    }
  }
  // Five bits or more left over is a letter too many; fewer must be zero.
  if (bits >= 5 || (held & ((1 << bits) - 1)) !== 0) throw malformed();
  return bytes;
}

function malformed(): MeshError {
  return new MeshError("base32-malformed", "This is not base32 in its one spelling (upper case, no padding, no stray bits).");
}
