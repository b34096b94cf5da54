import { MeshError } from "../refusals/mesh-error.ts";
import type { ListOptions } from "./store.ts";

/** The keys from `low` up to but without `high`; no `high` means no end. */
export interface Range {
  readonly low: string;
  readonly high: string | undefined;
}

/** Compares two well-formed texts by their UTF-8 octets: negative, zero or positive. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

// Surrogates stand for code points above U+FFFF but have smaller numbers than U+E000 to U+FFFF.
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** The range of a listing. The text right after `t` in octet order is `t` and a NUL, so "after" needs no bound of its own kind. */
export function rangeOf(prefix: string, options: ListOptions): Range {
  const end = prefixEnd(prefix);
  const { after } = options;
  if (after === undefined) return { low: prefix, high: end };
  if (options.reverse === true) return { low: prefix, high: end === undefined || compareKeys(after, end) < 0 ? after : end };
  const low = `${after}\0`;
  return { low: compareKeys(low, prefix) > 0 ? low : prefix, high: end };
}

/** The smallest text greater than all that begin with `prefix`; none for a prefix of U+10FFFF only. */
export function prefixEnd(prefix: string): string | undefined {
  const unit = prefix.charCodeAt(prefix.length - 1);
  // Nearly all prefixes end in such a character, and asking for their code points costs more than the listing.
  if (unit < 0xd7ff) return prefix.slice(0, -1) + String.fromCharCode(unit + 1);
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}

/** How many octets a shelf's name and a key have at most together: in PostgreSQL an index entry has to fit on a third of a page. */
export const LONGEST_KEY = 2_600;

/** Refuses what cannot be a key in every engine: records may be moved from one to another. */
export function demandKey(shelf: string, key: string): void {
  demandText(shelf, key);
  // Counted only where it could be too much.
  if (3 * (shelf.length + key.length) > LONGEST_KEY && Buffer.byteLength(shelf) + Buffer.byteLength(key) > LONGEST_KEY) throw new MeshError("store-misused", `A shelf and a key have more than ${LONGEST_KEY} octets.`);
}

/** Refuses text with lone surrogates, which has no octets and would come back as another key. */
export function demandText(...texts: readonly string[]): void {
  for (const text of texts) {
    if (typeof text !== "string" || !text.isWellFormed()) throw new MeshError("store-misused", "A shelf or key is not well-formed text.");
  }
}

/** Refuses what is no octets. */
export function demandOctets(value: Uint8Array): void {
  if (!(value instanceof Uint8Array)) throw new MeshError("store-misused", "A value is not a Uint8Array.");
}

/** Refuses an index or limit that is no natural number. */
export function demandNatural(value: number | undefined): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0)) {
    throw new MeshError("store-misused", "An index or limit is not a natural number.");
  }
}
