import { randomBytes as native } from "node:crypto";

/** Octets from the operating system's generator, in memory of their own so that they can be wiped. */
export function randomBytes(octets: number): Uint8Array {
  return new Uint8Array(native(octets));
}
