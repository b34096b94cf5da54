import { createHmac } from "node:crypto";

/** The hashes of one-time codes, as `otpauth:` names them. */
export type OneTimeHash = "SHA1" | "SHA256" | "SHA512";

/**
 * The 31-bit number of a one-time code: HMAC of the counter, dynamically truncated (RFC 4226 §5.3).
 *
 * SHA-1 is what almost every site gives out, so it is here and for this alone (decision record 12); as a MAC of a counter
 * it is not known to be weak.
 */
export function oneTimeNumber(hash: OneTimeHash, secret: Uint8Array, counter: number): number {
  const message = new DataView(new ArrayBuffer(8));
  message.setBigUint64(0, BigInt(counter));
  const mac = createHmac(hash.toLowerCase(), secret).update(new Uint8Array(message.buffer)).digest();
  const at = (mac[mac.length - 1] ?? 0) & 0x0f;
  return mac.readUInt32BE(at) & 0x7fff_ffff;
}
