/** Octets read from front to back; what is not there is undefined. */
export class Octets {
  readonly #octets: Uint8Array;
  #at: number;

  constructor(octets: Uint8Array, at = 0) {
    this.#octets = octets;
    this.#at = at;
  }

  /** How far reading got. */
  get at(): number {
    return this.#at;
  }

  /** The next `length` octets. */
  take(length: number): Uint8Array | undefined {
    if (length > this.#octets.length - this.#at) return undefined;
    this.#at += length;
    return this.#octets.subarray(this.#at - length, this.#at);
  }

  /** The next number of so many octets, the lowest first; undefined too for one that is not exact. */
  number(octets: 1 | 2 | 4 | 8): number | undefined {
    const taken = this.take(octets);
    if (taken === undefined) return undefined;
    const value = taken.reduceRight((sum, octet) => sum * 256n + BigInt(octet), 0n);
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(value);
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.#octets.subarray(this.#at);
  }
}

/** A number in eight octets, the lowest first. */
export function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}
