import { MeshError } from "../refusals/mesh-error.ts";
import type { Json } from "./canonical-json.ts";

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
/**
 * Reads JSON text with nothing forgiven (RFC 8259, RFC 7493): a name twice in one object is refused, not overruled.
 *
 * `json-malformed` (also for lone surrogates and numbers beyond a double), `json-duplicate-member`, `json-too-deep`.
 */
export function readStrictly(text: string, maxDepth: number): Json {
  const reader = { text, at: 0, maxDepth };
  const value = readValue(reader, 0);
  skipSpace(reader);
  if (reader.at !== text.length) throw malformed(reader, "more text after its end");
  return value;
}

type Reader = { readonly text: string; at: number; readonly maxDepth: number };

function readValue(reader: Reader, depth: number): Json {
  skipSpace(reader);
  const first = reader.text.charAt(reader.at);
  if (first === '"') return readString(reader);
  if (first === "{" || first === "[") {
    if (depth >= reader.maxDepth) throw new MeshError("json-too-deep", `This JSON is nested deeper than ${reader.maxDepth}.`);
    reader.at++;
    return first === "{" ? readObject(reader, depth + 1) : readArray(reader, depth + 1);
  }
  for (const [word, value] of [["true", true], ["false", false], ["null", null]] as const) {
    if (reader.text.startsWith(word, reader.at)) {
      reader.at += word.length;
      return value;
    }
  }
  return readNumber(reader);
}

function readObject(reader: Reader, depth: number): Json {
  const value: Record<string, Json> = {};
  if (next(reader, "}")) return value;
  do {
    skipSpace(reader);
    const name = readString(reader);
    if (Object.hasOwn(value, name)) throw new MeshError("json-duplicate-member", `This JSON has the member ${JSON.stringify(name.slice(0, 60))} twice.`);
    if (!next(reader, ":")) throw malformed(reader, "no colon after a name");
    const member = readValue(reader, depth);
    // Plain assignment of "__proto__" would set the prototype instead of a member.
    if (name === "__proto__") Object.defineProperty(value, name, { value: member, enumerable: true, configurable: true, writable: true });
    else value[name] = member;
  } while (next(reader, ","));
  if (!next(reader, "}")) throw malformed(reader, "an object without end");
  return value;
}

function readArray(reader: Reader, depth: number): Json {
  const value: Json[] = [];
  if (next(reader, "]")) return value;
  do value.push(readValue(reader, depth));
  while (next(reader, ","));
  if (!next(reader, "]")) throw malformed(reader, "an array without end");
  return value;
}

function readString(reader: Reader): string {
  const end = reader.text.startsWith('"', reader.at) ? endOfString(reader.text, reader.at + 1) : -1;
  if (end < 0) throw malformed(reader, "no text where one must stand");
  const value = unquote(reader, reader.text.slice(reader.at, end + 1));
  if (!value.isWellFormed()) throw malformed(reader, "half of a surrogate pair");
  reader.at = end + 1;
  return value;
}

/** Where the string ends whose first character stands at `from`, or -1; the engine passes over long ones, not we. */
export function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return -1;
}

function unquote(reader: Reader, quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw malformed(reader, "a text with a stray control character or escape");
  }
}

function readNumber(reader: Reader): number {
  NUMBER.lastIndex = reader.at;
  const match = NUMBER.exec(reader.text);
  if (match === null) throw malformed(reader, "no value where one must stand");
  const value = Number(match[0]);
  if (!Number.isFinite(value)) throw malformed(reader, "a number that is too large");
  reader.at = NUMBER.lastIndex;
  return value;
}

function next(reader: Reader, character: string): boolean {
  skipSpace(reader);
  if (reader.text.charAt(reader.at) !== character) return false;
  reader.at++;
  return true;
}

function skipSpace(reader: Reader): void {
  SPACE.lastIndex = reader.at;
  SPACE.exec(reader.text);
  reader.at = SPACE.lastIndex;
}

function malformed(reader: Reader, what: string): MeshError {
  return new MeshError("json-malformed", `This is not JSON: ${what}, at character ${reader.at}.`);
}
