import { fromBase64url } from "../../bytes/base64url.ts";
import type { Json } from "../../bytes/canonical-json.ts";
import { parseCanonical, parseJson } from "../../bytes/json.ts";
import { type ObjectType, readSigned } from "../../envelope/signed.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { kindOf, kinds, type Read } from "./kinds.ts";

/** The most octets of JSON that are looked at: an object, all else that it is judged by (JSON in memory is up to 30 times as large), and the most objects in it. */
export const MAX_OBJECT = 1 << 20;
export const MAX_EXAMINED = 4 << 20;
const MAX_OBJECTS = 4096;

/**
 * Reads one signed object of whatever kind it says it is. White space around its members is no fault: what is signed is inside.
 *
 * `signed-malformed` if it is none, or of a kind that does not exist here; else as `readSigned`.
 */
export function readAny(value: Json): Read {
  const jws = asJws(value);
  if (jws === undefined) throw new MeshError("signed-malformed", "This is no signed object: it has not the members payload, protected and signature, and no others.");
  const typ = typOf(jws.protected);
  const kind = kindOf(typ);
  if (kind === undefined) throw new MeshError("signed-malformed", `This is a signed object of a kind that this version of Mesh does not know: ${JSON.stringify(typ.slice(0, 60))}.`);
  return { kind, signed: readSigned(value, kinds[kind] as ObjectType<unknown>) } as Read;
}

/** Every signed object in some JSON, in whatever lists and members it lies: an answer of a portal, or a list that somebody made. */
export function readAll(value: Json): readonly Read[] {
  const found: Read[] = [];
  const walk = (at: Json): void => {
    if (asJws(at) !== undefined) found.push(readAny(at));
    else if (typeof at === "object" && at !== null) for (const member of Object.values(at)) walk(member as Json);
    if (found.length > MAX_OBJECTS) throw new MeshError("signed-malformed", `There are more than ${MAX_OBJECTS} signed objects in one file.`);
  };
  walk(value);
  return found;
}

/** An object and the signed objects that it holds: a connection request holds the Device Profile of whoever asks. */
export function withEmbedded(object: Read): readonly Read[] {
  return object.kind === "connection request" ? [object, readAny(object.signed.payload.device)] : [object];
}

/** The JSON of a file, to be read by the two above. */
export function parseExamined(octets: Uint8Array): Json {
  return parseJson(octets, { maxBytes: MAX_EXAMINED });
}

function asJws(value: Json): { readonly protected: string } | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { payload, protected: header, signature, ...others } = value as { readonly [member: string]: Json };
  return typeof payload === "string" && typeof header === "string" && typeof signature === "string" && Object.keys(others).length === 0 ? { protected: header } : undefined;
}

function typOf(header: string): string {
  const value = parseCanonical(fromBase64url(header), { maxBytes: 4096 });
  const typ = typeof value === "object" && value !== null && !Array.isArray(value) ? (value as { readonly typ?: Json }).typ : undefined;
  if (typeof typ !== "string") throw new MeshError("signed-malformed", "This signed object does not say of what kind it is.");
  return typ;
}
