import type { Chance } from "./chance.ts";
import { mutateJson, parsed, writeSorted } from "./mutate-json.ts";
import { mutateOctets } from "./mutate-octets.ts";

/** Makes mutants of inputs: of JSON mostly as JSON, of everything else as octets. */
export class Mutator {
  readonly #chance: Chance;
  readonly #words: readonly string[];
  readonly #octets: readonly Uint8Array[];
  readonly #most: number;

  constructor(chance: Chance, words: readonly string[], most: number) {
    this.#chance = chance;
    this.#words = words;
    this.#octets = words.map((word) => new TextEncoder().encode(word));
    this.#most = most;
  }

  /** A mutant of an input; parts of `other` may be in it. */
  of(input: Uint8Array, other: Uint8Array): Uint8Array {
    const first = input[0];
    const json = (first === 0x7b || first === 0x5b) && !this.#chance.one(5) ? this.#json(input, other) : undefined;
    const mutant = json ?? mutateOctets(input, this.#chance, this.#octets, other);
    return mutant.length > this.#most ? mutant.slice(0, this.#most) : mutant;
  }

  #json(input: Uint8Array, other: Uint8Array): Uint8Array | undefined {
    let value = parsed(input);
    if (value === undefined) return undefined;
    const chance = this.#chance;
    const octets = (part: Uint8Array): Uint8Array => mutateOctets(part, chance, this.#octets, other);
    const means = { chance, words: this.#words, other: chance.one(4) ? parsed(other) : undefined, octets };
    try {
      for (let times = 1 + chance.below(chance.one(4) ? 5 : 2); times > 0; times--) value = mutateJson(value, means);
      return new TextEncoder().encode(chance.one(20) ? JSON.stringify(value, undefined, 2) : chance.one(10) ? JSON.stringify(value) : writeSorted(value));
    } catch (error) {
      // One that was put into itself again and again is too deep to be written.
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }
}
