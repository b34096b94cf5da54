import { MeshError } from "../refusals/mesh-error.ts";
import { canonicalJson, type Json, MAX_DEPTH } from "./canonical-json.ts";
import { endOfString, readStrictly } from "./strict-json.ts";
import { fromUtf8, utf8 } from "./text.ts";

/** How much JSON to read: octets of UTF-8 (default 1 MiB, decision 8.4) and depth (default 32, decision 2.5). */
export type JsonLimits = { readonly maxBytes?: number; readonly maxDepth?: number };

const MAX_BYTES = 1 << 20;

/**
 * Reads JSON, refusing whatever two readers could take differently (RFC 7493).
 *
 * `json-too-large`, `json-too-deep`, `json-duplicate-member`, `json-malformed` (also for octets that are not UTF-8, lone
 * surrogates and numbers beyond a double). A member named `__proto__` is a member like others.
 */
export function parseJson(input: Uint8Array | string, limits: JsonLimits = {}): Json {
  const text = textOf(input, limits);
  const maxDepth = limits.maxDepth ?? MAX_DEPTH;
  // Most senders write no spaces: then the engine's parser does, and writing the value again proves that nothing was lost.
  const value = parseCompact(text, maxDepth);
  return value !== undefined && isWellFormed(text) ? value : readStrictly(text, maxDepth);
}

/**
 * Reads JSON that must be its own canonical text (RFC 8785): as {@link parseJson}, and `json-not-canonical` otherwise.
 *
 * Costs about two passes of the engine's own parser, so that a portal can afford it on every request.
 */
export function parseCanonical(input: Uint8Array | string, limits: JsonLimits = {}): Json {
  const text = textOf(input, limits);
  const maxDepth = limits.maxDepth ?? MAX_DEPTH;
  const quick = parseCompact(text, maxDepth);
  if (quick !== undefined && isWellFormed(text) && isOrdered(quick)) return quick;
  // Either it is at fault, and this names the fault, or it has names such as "10", which engines put before all others.
  const value = readStrictly(text, maxDepth);
  if (canonicalJson(value) !== text) throw new MeshError("json-not-canonical", "This JSON is not in its one canonical spelling (RFC 8785).");
  return value;
}

function textOf(input: Uint8Array | string, limits: JsonLimits): string {
  const most = limits.maxBytes ?? MAX_BYTES;
  // A text has at least as many octets as characters: do not encode a huge one to learn that it is too large.
  const size = typeof input !== "string" || input.length > most ? input.length : byteLength(input);
  if (size > most) throw new MeshError("json-too-large", `This JSON is larger than ${most} octets.`);
  if (typeof input === "string") return input;
  try {
    return fromUtf8(input);
  } catch {
    throw new MeshError("json-malformed", "This is not JSON: its octets are not UTF-8.");
  }
}

function byteLength(text: string): number {
  if (!text.isWellFormed()) throw new MeshError("json-malformed", "This is not JSON: half of a surrogate pair.");
  return utf8(text).length;
}

/** Whether brackets outside of strings never stand deeper than allowed; false also for text that is surely malformed. */
function isShallow(text: string, maxDepth: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) {
      if (++depth > maxDepth) return false;
    } else if (code === 0x5d || code === 0x7d) {
      depth--;
    } else if (code === 0x22) {
      at = endOfString(text, at + 1);
      if (at < 0) return false;
    }
  }
  return true;
}

/** Reads the text that the engine's `JSON.stringify` wrote: of ours, so nothing else needs to be checked. */
export function parseWritten(text: string): Json {
  // The engine may take a name with an escape for one that it read before: `\\"` for `":` (nodejs/node#63785). Without escapes it cannot.
  if (!text.includes("\\")) return JSON.parse(text) as Json;
  return parseCompact(text, Infinity) ?? readStrictly(text, Infinity);
}

/** The value of text that the engine would write back the same: one spelling of every token, no space, no member twice, and no name that it took for another. */
function parseCompact(text: string, maxDepth: number): Json | undefined {
  if (!isShallow(text, maxDepth)) return undefined;
  try {
    const value = JSON.parse(text) as Json;
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether no text in it can hold half of a surrogate pair; the engine writes such a half, and nothing else, as an escape of this form. */
function isWellFormed(text: string): boolean {
  return text.isWellFormed() && !text.includes("\\ud");
}

function isOrdered(value: Json): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return (value as readonly Json[]).every(isOrdered);
  const members = value as { readonly [member: string]: Json };
  let before: string | undefined;
  for (const name of Object.keys(members)) {
    if (before !== undefined && before >= name) return false;
    before = name;
    if (!isOrdered(members[name] as Json)) return false;
  }
  return true;
}
