import type { Json } from "../bytes/canonical-json.ts";
import { parseJson } from "../bytes/json.ts";
import { fromUtf8 } from "../bytes/text.ts";
import { MeshError } from "../refusals/mesh-error.ts";

/** The most octets of one stored object of 2017, those embedded in it included. */
export const MAX_ARCHIVED = 1 << 20;

/** A JSON object, of which nothing is known yet. */
export type Members = { readonly [member: string]: Json };

/**
 * Reads JSON as the programs of 2017 wrote it: their texts hold raw line breaks, which JSON has not.
 *
 * A line break becomes a space, wherever it stands: between tokens that says nothing, and in octets spaces are passed over.
 * All else is read as strictly as ever, members that stand twice included.
 */
export function parseLenient(octets: Uint8Array): Json {
  if (octets.length > MAX_ARCHIVED) throw new MeshError("json-too-large", `This JSON is larger than ${MAX_ARCHIVED} octets.`);
  return parseJson(fromUtf8(octets).replaceAll(/[\t\n\r]/g, " "), { maxBytes: MAX_ARCHIVED });
}

/** The octets of base64url with line breaks in it, padded or not; undefined for what is none. */
export function lenientOctets(text: Json | undefined): Uint8Array | undefined {
  if (typeof text !== "string") return undefined;
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return undefined;
  }
}

/** The members of a JSON object; undefined for everything else. */
export function membersOf(value: Json | undefined): Members | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : undefined;
}

/** The elements of a JSON array, of which there are at most `most`; none for everything else. */
export function listOf(value: Json | undefined, most: number): readonly Json[] {
  if (!Array.isArray(value)) return [];
  if (value.length > most) throw new MeshError("archive-malformed", `This object of 2017 has a list of ${value.length}, more than ${most}.`);
  return value as readonly Json[];
}

/** A text; undefined for everything else. */
export function textOf(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
