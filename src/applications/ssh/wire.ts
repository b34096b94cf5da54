import { concatBytes } from "../../bytes/equal.ts";
import { utf8 } from "../../bytes/text.ts";
import { MeshError } from "../../refusals/mesh-error.ts";

/** One octet. */
export function byte(value: number): Uint8Array {
  return Uint8Array.of(value);
}

/** A number of 32 bits, great end first (RFC 4251 §5). */
export function uint32(value: number): Uint8Array {
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setUint32(0, value);
  return octets;
}

/** A number of 64 bits, great end first. */
export function uint64(value: bigint): Uint8Array {
  const octets = new Uint8Array(8);
  new DataView(octets.buffer).setBigUint64(0, value);
  return octets;
}

/** Octets, or a text as UTF-8, after their length. */
export function string(value: Uint8Array | string): Uint8Array {
  const octets = typeof value === "string" ? utf8(value) : value;
  const written = new Uint8Array(4 + octets.length);
  new DataView(written.buffer).setUint32(0, octets.length);
  written.set(octets, 4);
  return written;
}

/** Strings within a string, as certificates list names. */
export function strings(values: readonly (Uint8Array | string)[]): Uint8Array {
  return string(concatBytes(...values.map(string)));
}

/**
 * Reads what SSH writes (RFC 4251 §5), front to back, never beyond its end.
 *
 * What it gives is a view of the octets that it reads. All its verbs throw MeshError `ssh-malformed`.
 */
export class SshReader {
  readonly #octets: Uint8Array;
  readonly #what: string;
  #at = 0;

  /** @param what the thing that is read, as a sentence's subject: "A certificate" */
  constructor(octets: Uint8Array, what: string) {
    this.#octets = octets;
    this.#what = what;
  }

  byte(): number {
    return this.#take(1)[0] as number;
  }

  uint32(): number {
    const taken = this.#take(4);
    return new DataView(taken.buffer, taken.byteOffset).getUint32(0);
  }

  uint64(): bigint {
    const taken = this.#take(8);
    return new DataView(taken.buffer, taken.byteOffset).getBigUint64(0);
  }

  string(): Uint8Array {
    return this.#take(this.uint32());
  }

  /** A string that is a text in UTF-8. */
  text(): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.string());
    } catch (error) {
      if (error instanceof MeshError) throw error;
      throw this.refuse("has a text that is not UTF-8");
    }
  }

  /** The texts of a string of strings, at most so many. */
  texts(most: number): readonly string[] {
    const inner = new SshReader(this.string(), this.#what);
    const texts: string[] = [];
    while (!inner.isAtEnd) {
      if (texts.length === most) throw this.refuse(`has more than ${most} names in one list`);
      texts.push(inner.text());
    }
    return texts;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#octets.length;
  }

  /** How many octets were read. */
  get place(): number {
    return this.#at;
  }

  /** Refuses what comes after the last part. */
  end(): void {
    if (!this.isAtEnd) throw this.refuse("goes on after its end");
  }

  refuse(how: string): MeshError {
    return new MeshError("ssh-malformed", `${this.#what} ${how}.`);
  }

  #take(octets: number): Uint8Array {
    if (octets > this.#octets.length - this.#at) throw this.refuse("ends too soon");
    const taken = this.#octets.subarray(this.#at, this.#at + octets);
    this.#at += octets;
    return taken;
  }
}
