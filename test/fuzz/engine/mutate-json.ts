import { fromBase64url, toBase64url } from "../../../src/bytes/base64url.ts";
import type { Chance } from "./chance.ts";

/** A JSON value that may be written to. */
export type Value = null | boolean | number | string | Value[] | { [member: string]: Value };

/** What mutants are made of besides the input: words of the format, another input, and how octets are changed. */
export type Means = { readonly chance: Chance; readonly words: readonly string[]; readonly other: Value | undefined; readonly octets: (input: Uint8Array) => Uint8Array };

const VALUES: readonly Value[] = [null, true, false, 0, 1, -1, 2, 0.5, 1e21, 9007199254740991, 9007199254740992, -9007199254740991, 1e308, "", "0", " ", "é", "\u0000", "\u202e", "𝄞", "__proto__", "constructor", "a".repeat(300), [], {}, [[]], [null], { "": 0 }];
const NAMES = ["__proto__", "constructor", "toString", "", "v", "10", "é", "length", "hasOwnProperty"];
const MOST_PLACES = 4000;

/** A place in a value: what holds it, and under which name. */
type Place = { readonly holder: Value[] | { [member: string]: Value }; readonly name: string; readonly value: Value };

/** Changes a JSON value in one place, or in JSON or octets that stand inside one of its texts in base64url. The value is written to. */
export function mutateJson(root: Value, means: Means, depth = 0): Value {
  const { chance } = means;
  const box: Value[] = [root];
  const places = placesIn(box);
  const { holder, name, value } = chance.pick(places);
  const set = (changed: Value): void => define(holder, name, changed);
  if (typeof value === "string" && !chance.one(5)) set(mutateText(value, means, depth));
  else if (typeof value === "number" && !chance.one(3)) set(chance.one(2) ? value + chance.pick([1, -1, 0.5, 2 ** 31, -value, value]) : chance.pick(VALUES));
  else if (typeof value === "object" && value !== null && !chance.one(4)) mutateHolder(value, places, means);
  else set(anyValue(places, means));
  return box[0] as Value;
}

/** JSON text of a value, members in the order of RFC 8785; what stands in it twice or deep is written as often. */
export function writeSorted(value: Value): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(writeSorted).join(",")}]`;
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${writeSorted(value[name] as Value)}`).join(",")}}`;
}

function mutateText(value: string, means: Means, depth: number): Value {
  const { chance, octets, words } = means;
  const inside = value.length > 1 && depth < 3 ? insideOf(value) : undefined;
  if (inside !== undefined && !chance.one(6)) {
    const json = jsonIn(inside);
    if (json !== undefined && !chance.one(8)) {
      const changed = mutateJson(json, means, depth + 1);
      return toBase64url(new TextEncoder().encode(chance.one(12) ? JSON.stringify(changed, undefined, 1) : writeSorted(changed)));
    }
    return toBase64url(octets(inside));
  }
  switch (chance.below(6)) {
    case 0: return words.length === 0 ? "" : chance.pick(words);
    case 1: return value + (words.length === 0 ? "=" : chance.pick(words));
    case 2: return chance.one(2) ? value.toUpperCase() : value.toLowerCase();
    case 3: return value.slice(0, chance.below(value.length + 1));
    case 4: return value.slice(0, 20).repeat(1 + chance.below(30));
    default: return new TextDecoder().decode(octets(new TextEncoder().encode(value)));
  }
}

function mutateHolder(value: Value[] | { [member: string]: Value }, places: readonly Place[], means: Means): void {
  const { chance, words } = means;
  const names = Object.keys(value);
  const name = names.length === 0 ? "" : chance.pick(names);
  if (Array.isArray(value)) {
    const at = chance.below(value.length + 1);
    switch (chance.below(5)) {
      case 0: value.splice(at, 1); break;
      case 1: value.splice(at, 0, anyValue(places, means)); break;
      case 2: if (value.length > 0) value.splice(at, 0, structuredClone(chance.pick(value))); break;
      case 3: if (value.length > 0) value.push(...Array.from({ length: chance.below(70) }, () => value[chance.below(value.length)] as Value)); break;
      default: value.reverse();
    }
    return;
  }
  switch (chance.below(4)) {
    case 0: delete value[name]; break;
    case 1: define(value, chance.one(2) ? chance.pick(NAMES) : words.length === 0 ? "x" : chance.pick(words), anyValue(places, means)); break;
    case 2: {
      const moved = value[name] ?? null;
      delete value[name];
      define(value, chance.one(2) ? `${name}x` : chance.pick(NAMES), moved);
      break;
    }
    default: if (names.length > 1) define(value, name, structuredClone(value[chance.pick(names)] ?? null));
  }
}

function anyValue(places: readonly Place[], { chance, other, words }: Means): Value {
  switch (chance.below(5)) {
    case 0: return structuredClone(chance.pick(places).value);
    case 1: return other === undefined ? null : structuredClone(chance.pick(placesIn([other])).value);
    case 2: return words.length === 0 ? "" : chance.pick(words);
    case 3: return chance.one(2) ? [structuredClone(chance.pick(places).value)] : { x: structuredClone(chance.pick(places).value) };
    default: return structuredClone(chance.pick(VALUES));
  }
}

function placesIn(box: Value[]): readonly Place[] {
  const places: Place[] = [];
  const walk = (holder: Place["holder"]): void => {
    for (const name of Object.keys(holder)) {
      if (places.length >= MOST_PLACES) return;
      const value = (holder as { [member: string]: Value })[name] as Value;
      places.push({ holder, name, value });
      if (typeof value === "object" && value !== null) walk(value);
    }
  };
  walk(box);
  return places;
}

/** Plain assignment of `__proto__` would make no member. */
function define(holder: Place["holder"], name: string, value: Value): void {
  Object.defineProperty(holder, name, { value, configurable: true, enumerable: true, writable: true });
}

function insideOf(value: string): Uint8Array | undefined {
  try {
    return fromBase64url(value);
  } catch {
    return undefined;
  }
}

/** JSON, if these octets are an object or a list. */
function jsonIn(octets: Uint8Array): Value | undefined {
  if (octets[0] !== 0x7b && octets[0] !== 0x5b) return undefined;
  return parsed(octets);
}

/** An object or a list that octets are the JSON of; undefined for everything else. */
export function parsed(octets: Uint8Array): Value | undefined {
  try {
    const value = JSON.parse(new TextDecoder().decode(octets)) as Value;
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
