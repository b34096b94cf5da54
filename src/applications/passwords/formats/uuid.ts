import { sha256 } from "../../../crypto/digest.ts";
import { utf8 } from "../../../bytes/text.ts";

/** A UUID (RFC 9562, version 8) that follows from a text: the same file is written for the same things. */
export function uuidOf(text: string): string {
  const hex = uuidOctets(text).toHex();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** The 16 octets of such a UUID. */
export function uuidOctets(text: string): Uint8Array {
  const octets = sha256(utf8(`mesh/uuid/v1\0${text}`)).slice(0, 16);
  octets[6] = ((octets[6] ?? 0) & 0x0f) | 0x80;
  octets[8] = ((octets[8] ?? 0) & 0x3f) | 0x80;
  return octets;
}
