import type * as Sodium from "libsodium-wrappers-sumo";

/**
 * Arithmetic on edwards25519, which the engine lacks: points of 32 octets, scalars of 32 octets modulo the order of the base point.
 *
 * On scalars it takes the same time whatever they are. Made once, by {@link edwards}.
 */
export type Edwards = {
  /** Whether octets are a point in its only spelling, of prime order, and not the identity. */
  isPoint(point: Uint8Array): boolean;
  add(left: Uint8Array, right: Uint8Array): Uint8Array;
  /** The multiple of the base point; `undefined` for the scalar 0. */
  timesBase(scalar: Uint8Array): Uint8Array | undefined;
  addScalars(left: Uint8Array, right: Uint8Array): Uint8Array;
  multiplyScalars(left: Uint8Array, right: Uint8Array): Uint8Array;
  /** The remainder of 64 octets, little end first. */
  reduce(wide: Uint8Array): Uint8Array;
};

let made: Promise<Edwards> | undefined;

/** Loads the library at first use, some 35 ms. */
export function edwards(): Promise<Edwards> {
  return (made ??= make());
}

async function make(): Promise<Edwards> {
  const sodium = (await import("libsodium-wrappers-sumo")).default as typeof Sodium;
  await sodium.ready;
  return {
    // The library throws at another length.
    isPoint: (point) => point.length === 32 && sodium.crypto_core_ed25519_is_valid_point(point),
    add: (left, right) => sodium.crypto_core_ed25519_add(left, right),
    timesBase: (scalar) => (scalar.every((octet) => octet === 0) ? undefined : sodium.crypto_scalarmult_ed25519_base_noclamp(scalar)),
    addScalars: (left, right) => sodium.crypto_core_ed25519_scalar_add(left, right),
    multiplyScalars: (left, right) => sodium.crypto_core_ed25519_scalar_mul(left, right),
    reduce: (wide) => sodium.crypto_core_ed25519_scalar_reduce(wide),
  };
}
