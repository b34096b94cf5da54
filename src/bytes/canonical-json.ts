import { MeshError } from "../refusals/mesh-error.ts";
import { utf8 } from "./text.ts";

/** A JSON value, read-only all the way down. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json };

/** The deepest that arrays and objects may stand in each other (decision 2.5); a bare scalar has depth 0. */
export const MAX_DEPTH = 32;

/**
 * The one text of a JSON value: members sorted, no space, ECMAScript numbers (RFC 8785).
 *
 * Refuses what JSON cannot say instead of dropping it, as `JSON.stringify` would: undefined, functions, NaN, infinities,
 * lone surrogates (`json-malformed`), and depth over 32 (`json-too-deep`).
 */
export function canonicalJson(value: Json): string {
  // What has its members in order already, as most of ours, the engine writes the same, and quicker.
  return isInOrder(value, 0) ? JSON.stringify(value) : write(value, 0);
}

/** Whether a value is one that JSON can say, with the members of every object in their order; what is not is for `write` to sort or to refuse. */
function isInOrder(value: unknown, depth: number): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value === "boolean" || value === null) return true;
  if (typeof value !== "object" || depth === MAX_DEPTH) return false;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) if (!isInOrder(value[at], depth + 1)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  let before: string | undefined;
  for (const name of Object.keys(value)) {
    if ((before !== undefined && before >= name) || !name.isWellFormed() || !isInOrder((value as Record<string, unknown>)[name], depth + 1)) return false;
    before = name;
  }
  return true;
}

/** The UTF-8 octets of the one text of a JSON value, ready to hash or sign (decision 2.7). */
export function canonicalBytes(value: Json): Uint8Array {
  return utf8(canonicalJson(value));
}

function write(value: unknown, depth: number): string {
  if (typeof value === "string") return writeString(value);
  if (typeof value === "number") return writeNumber(value);
  if (value === null || value === true || value === false) return String(value);
  if (typeof value !== "object") throw new MeshError("json-malformed", `JSON has no ${typeof value}.`);
  if (depth === MAX_DEPTH) throw new MeshError("json-too-deep", `This JSON is nested deeper than ${MAX_DEPTH}.`);
  return Array.isArray(value) ? writeArray(value, depth + 1) : writeObject(value, depth + 1);
}

function writeArray(value: readonly unknown[], depth: number): string {
  let text = "[";
  // By index, since forEach and map skip the holes that have to be refused.
  for (let at = 0; at < value.length; at++) text += (at === 0 ? "" : ",") + write(value[at], depth);
  return `${text}]`;
}

function writeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  // A Date, Map or Uint8Array here is a mistake of ours, and would be written as something that no reader can turn back.
  if (prototype !== Object.prototype && prototype !== null) throw new MeshError("json-malformed", "JSON has only plain objects.");
  let text = "{";
  // The default order of sort() is by UTF-16 code units, which is what RFC 8785 §3.2.3 asks for.
  for (const name of Object.keys(value).sort()) {
    text += `${text === "{" ? "" : ","}${writeString(name)}:${write((value as Record<string, unknown>)[name], depth)}`;
  }
  return `${text}}`;
}

function writeString(value: string): string {
  if (!value.isWellFormed()) throw new MeshError("json-malformed", "This text holds half of a surrogate pair.");
  return JSON.stringify(value);
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new MeshError("json-malformed", `JSON has no ${value}.`);
  return JSON.stringify(value);
}
