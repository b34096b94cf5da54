import { concatBytes } from "../../../src/bytes/equal.ts";
import type { Chance } from "./chance.ts";

/** Octets at which readers change their minds. */
const EDGES = [0x00, 0x01, 0x02, 0x03, 0x04, 0x06, 0x0a, 0x20, 0x22, 0x2d, 0x30, 0x3d, 0x5c, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xbf, 0xc0, 0xe2, 0xed, 0xef, 0xf4, 0xfe, 0xff];

type Edit = (input: Uint8Array, chance: Chance, words: readonly Uint8Array[], other: Uint8Array) => Uint8Array;

const edits: readonly Edit[] = [
  (input, chance) => changed(input, chance, (octet) => octet ^ (1 << chance.below(8))),
  (input, chance) => changed(input, chance, () => chance.below(256)),
  (input, chance) => changed(input, chance, () => chance.pick(EDGES)),
  (input, chance) => changed(input, chance, (octet) => octet + (chance.one(2) ? 1 : 255)),
  // Taken out, put in, twice, elsewhere.
  (input, chance) => {
    const { from, to } = range(input, chance);
    return concatBytes(input.subarray(0, from), input.subarray(to));
  },
  (input, chance) => inserted(input, chance, Uint8Array.from({ length: 1 + chance.below(4) }, () => chance.pick(EDGES))),
  (input, chance) => {
    const { from, to } = range(input, chance);
    return inserted(input, chance, input.subarray(from, to));
  },
  (input, chance) => {
    const { from, to } = range(input, chance);
    const part = input.subarray(from, Math.min(to, from + 64));
    return inserted(input, chance, concatBytes(...Array.from({ length: 1 + chance.below(40) }, () => part)));
  },
  (input, chance) => {
    const { from, to } = range(input, chance);
    const result = input.slice();
    result.copyWithin(chance.below(input.length + 1), from, to);
    return result;
  },
  (input, chance) => input.subarray(0, chance.below(input.length + 1)),
  // Words of the format, over what is there or between.
  (input, chance, words) => (words.length === 0 ? input : inserted(input, chance, chance.pick(words))),
  (input, chance, words) => {
    if (words.length === 0) return input;
    const word = chance.pick(words);
    const at = chance.below(input.length + 1);
    return concatBytes(input.subarray(0, at), word, input.subarray(Math.min(input.length, at + word.length)));
  },
  // Parts of another input.
  (input, chance, _words, other) => concatBytes(input.subarray(0, chance.below(input.length + 1)), other.subarray(chance.below(other.length + 1))),
  (input, chance, _words, other) => {
    const { from, to } = range(other, chance);
    return inserted(input, chance, other.subarray(from, to));
  },
  digits,
];

/** Changes octets in one to a few places, without knowing what they mean. */
export function mutateOctets(input: Uint8Array, chance: Chance, words: readonly Uint8Array[], other: Uint8Array): Uint8Array {
  let result = input;
  for (let times = 1 + chance.below(chance.one(4) ? 6 : 2); times > 0; times--) result = chance.pick(edits)(result, chance, words, other);
  return result;
}

function changed(input: Uint8Array, chance: Chance, change: (octet: number) => number): Uint8Array {
  if (input.length === 0) return input;
  const result = input.slice();
  const at = chance.below(result.length);
  result[at] = change(result[at] as number);
  return result;
}

function inserted(input: Uint8Array, chance: Chance, part: Uint8Array): Uint8Array {
  const at = chance.below(input.length + 1);
  return concatBytes(input.subarray(0, at), part, input.subarray(at));
}

/** Mostly short ones: long ones destroy all that is known of an input. */
function range(input: Uint8Array, chance: Chance): { readonly from: number; readonly to: number } {
  const from = chance.below(input.length + 1);
  const most = chance.one(4) ? input.length : 16;
  return { from, to: Math.min(input.length, from + 1 + chance.below(most)) };
}

const NUMBERS = ["0", "-1", "1", "00", "1e400", "-0", "9007199254740993", "18446744073709551616", "4294967296", "2147483648", "65536", "0.1", "1E+2"];

/** Another number where digits stand. */
function digits(input: Uint8Array, chance: Chance): Uint8Array {
  const start = chance.below(input.length + 1);
  const from = input.findIndex((octet, at) => at >= start && octet >= 0x30 && octet <= 0x39);
  if (from < 0) return input;
  let to = from;
  while (to < input.length && (input[to] as number) >= 0x30 && (input[to] as number) <= 0x39) to++;
  return concatBytes(input.subarray(0, from), new TextEncoder().encode(chance.pick(NUMBERS)), input.subarray(to));
}
