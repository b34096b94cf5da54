import { concatBytes } from "../bytes/equal.ts";

/** A number in eight octets, big-endian; up to 2^53 - 1. */
export function uint64(value: number): Uint8Array {
  const octets = new Uint8Array(8);
  new DataView(octets.buffer).setBigUint64(0, BigInt(value));
  return octets;
}

/** A number in four octets, big-endian. */
export function uint32(value: number): Uint8Array {
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setUint32(0, value);
  return octets;
}

/** Octets behind their length in one octet: at most 255. */
export function opaque(octets: Uint8Array): Uint8Array {
  if (octets.length > 0xff) throw new RangeError(`${octets.length} octets do not fit behind a length of one octet`);
  return concatBytes(Uint8Array.of(octets.length), octets);
}

/** Reads octets one after another, each once; what is not there reads as `undefined`, and then so does all that follows. */
export class OctetReader {
  readonly #octets: Uint8Array;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  /** The next so many octets. */
  take(length: number): Uint8Array | undefined {
    const from = this.#at;
    this.#at += length;
    return this.#at <= this.#octets.length ? this.#octets.subarray(from, this.#at) : undefined;
  }

  /** The next number of so many octets, up to 2^53 - 1. */
  uint(length: 1 | 4 | 8): number | undefined {
    const octets = this.take(length);
    const value = octets?.reduce((sum, octet) => sum * 256 + octet, 0);
    return Number.isSafeInteger(value) ? value : undefined;
  }

  /** Whether everything was read, and nothing was asked for that is not there. */
  get isAtEnd(): boolean {
    return this.#at === this.#octets.length;
  }
}
