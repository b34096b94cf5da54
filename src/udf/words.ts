import { MeshError } from "../refusals/mesh-error.ts";
import { WORDS } from "./word-list.ts";

const BITS = 11;
const KNOWN: ReadonlySet<string> = new Set(WORDS);

/**
 * Words for people to compare or type: 11 bits a word, most significant first, from `offsetBits` on.
 *
 * RangeError where the octets have fewer bits than asked for.
 */
export function wordsOf(bits: Uint8Array, count: number, offsetBits = 0): readonly string[] {
  if (offsetBits < 0 || offsetBits + count * BITS > bits.length * 8) throw new RangeError(`${bits.length} octets have no ${count} words at bit ${offsetBits}`);
  return Array.from({ length: count }, (_, place) => WORDS[number(bits, offsetBits + place * BITS)] as string);
}

/**
 * Reads exactly `count` words that a person typed: any case, any space, commas or dashes between, and the first four
 * letters or more of a word stand for it, since no two words share them.
 *
 * Throws `words-malformed`, naming the word that is unknown.
 */
export function parseWords(text: string, count: number): readonly string[] {
  const typed = text.toLowerCase().split(/[\s,-]+/).filter((word) => word !== "");
  const words = typed.map(findWord);
  if (words.length !== count) throw new MeshError("words-malformed", `There must be ${count} words here, not ${words.length}.`);
  return words;
}

function findWord(typed: string): string {
  if (KNOWN.has(typed)) return typed;
  const found = typed.length >= 4 ? WORDS.find((word) => word.startsWith(typed)) : undefined;
  if (found === undefined) throw new MeshError("words-malformed", `${JSON.stringify(typed.slice(0, 40))} is not one of the words.`, "Check its spelling; the first four letters are enough.");
  return found;
}

function number(bits: Uint8Array, from: number): number {
  let value = 0;
  for (let bit = from; bit < from + BITS; bit++) value = value * 2 + (((bits[bit >> 3] as number) >> (7 - (bit & 7))) & 1);
  return value;
}
