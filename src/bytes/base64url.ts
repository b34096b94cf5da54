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
  const bytes = isSpelledOnce(text) ? decode(text) : undefined;
  if (bytes?.length !== base64urlOctets(text)) throw new MeshError("base64url-malformed", "This is not base64url in its one spelling (no padding, no spaces, no stray bits).");
  return bytes;
}

/** Where octets are decoded that only their number is asked of: a buffer for each costs more than decoding does. */
const scratch = new Uint8Array(8192);

/** How many octets a text is that `fromBase64url` takes; `undefined` for one that it refuses. */
export function base64urlLength(text: string): number | undefined {
  const octets = base64urlOctets(text);
  try {
    const found = !isSpelledOnce(text) ? undefined : octets < scratch.length ? scratch.setFromBase64(text, { alphabet: "base64url" }).written : decode(text)?.length;
    return found === octets ? octets : undefined;
  } catch {
    return undefined;
  }
}

/** Characters that end a text of 4n + 2 or 4n + 3 characters without stray bits. */
const LAST = ["AQgw", "AEIMQUYcgkosw048"] as const;

/**
 * Whether a text has a length that base64url has, and no stray bits.
 *
 * The native decoder forgives these, and white space and padding, which add characters and no octets: they show in how many octets it finds,
 * unless it is a single one behind 4n characters, a length that no text has.
 */
function isSpelledOnce(text: string): boolean {
  const rest = text.length % 4;
  return rest === 0 || (rest !== 1 && LAST[rest === 2 ? 0 : 1].includes(text.charAt(text.length - 1)));
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
