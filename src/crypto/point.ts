import { MeshError } from "../refusals/mesh-error.ts";

/**
 * Cheap checks that leave each public component one spelling, and none that makes a forgery or a known secret easy.
 *
 * All throw `key-malformed`. They do not prove that a point lies on the curve: an Ed448 key that does not verifies nothing.
 */

// p = 2^448 - 2^224 - 1, little-endian: 28 octets ff, one fe, 27 octets ff.
const P = 2n ** 448n - 2n ** 224n - 1n;
// Values of y (Ed448) and u (X448) whose points have an order that divides the cofactor 4.
const SMALL_ORDER: ReadonlySet<bigint> = new Set([0n, 1n, P - 1n]);
const Q = 3329;

/** Checks an Ed448 public key of 57 octets (RFC 8032 §5.2.2, §5.2.3): y below p, no stray bits, not of small order. */
export function checkEd448(raw: Uint8Array): void {
  const y = littleEndian(raw.subarray(0, 56));
  if ((raw[56] as number) % 128 !== 0 || y >= P || SMALL_ORDER.has(y)) throw new MeshError("key-malformed", "This is not an Ed448 public key in its one spelling.");
}

/** Checks an X448 public key of 56 octets (RFC 7748 §5): u below p, which that RFC would reduce, and not of small order. */
export function checkX448(raw: Uint8Array): void {
  const u = littleEndian(raw);
  if (u >= P || SMALL_ORDER.has(u)) throw new MeshError("key-malformed", "This is not an X448 public key in its one spelling.");
}

/** Checks an X448 private key of 56 octets (RFC 7748 §5): clamped already, since eight spellings would give one public key. */
export function checkX448Scalar(raw: Uint8Array): void {
  if ((raw[0] as number) % 4 !== 0 || (raw[55] as number) < 128) throw new MeshError("key-malformed", "This is not an X448 private key in its one spelling.");
}

/** Checks an ML-KEM-1024 encapsulation key of 1,568 octets (FIPS 203 §7.2): all 1,024 coefficients below q. */
export function checkMlKem(raw: Uint8Array): void {
  for (let at = 0; at < 1536; at += 3) {
    const [a, b, c] = [raw[at] as number, raw[at + 1] as number, raw[at + 2] as number];
    if ((a | ((b & 15) << 8)) >= Q || ((b >> 4) | (c << 4)) >= Q) throw new MeshError("key-malformed", "This is not an ML-KEM-1024 public key in its one spelling.");
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytes.toReversed().toHex()}`);
}
