import * as v from "valibot";

import { toBase64url } from "../bytes/base64url.ts";
import { canonicalBytes } from "../bytes/canonical-json.ts";
import { parseJson } from "../bytes/json.ts";
import { countField, digestField, formatField, octetsField, udfField } from "../envelope/fields.ts";
import { readShape } from "../envelope/shape.ts";
import { personalOf } from "../profiles/mesh.ts";
import { passOf } from "../protocol/follow.ts";
import { type Client, memberSelf } from "./client.ts";
import { loadMesh } from "./known.ts";

/** The most octets of an introduction: it has some 600. */
export const MAX_INTRODUCTION = 4096;

const shape = v.strictObject({
  master: udfField<"master">(),
  pass: octetsField({ octets: 32 }),
  personal: v.strictObject({ digest: digestField, g: countField(), n: countField() }),
  portal: v.strictObject({ id: udfField<"portal">(), url: v.pipe(v.string(), v.maxLength(300)) }),
  v: formatField,
});

/**
 * By what a server follows a mesh whose device it is not: whose it is, at which portal, from which version on, and what shows the portal that it was told.
 *
 * Nothing in it lets anybody in anywhere; who has it sees which devices the mesh has from then on.
 */
export type Introduction = v.InferOutput<typeof shape>;

/** Introduces a server to this device's mesh, at the newest version that this device knows; asks nobody. */
export async function introduce(client: Client): Promise<Introduction> {
  const { master, portal } = await memberSelf(client);
  const personal = personalOf(await client.rows.read((rows) => loadMesh(rows, master)));
  const { g, n } = personal.payload;
  return { master, pass: toBase64url(passOf(personal)), personal: { digest: personal.digest, g, n }, portal: { id: portal.id, url: portal.url }, v: 1 };
}

/** An introduction as a file holds it. */
export function writeIntroduction(introduction: Introduction): Uint8Array {
  return canonicalBytes(introduction);
}

/** Reads one; refuses with a `json-` code or `introduction-malformed`. */
export function readIntroduction(octets: Uint8Array): Introduction {
  return readShape(shape, parseJson(octets, { maxBytes: MAX_INTRODUCTION }), "introduction-malformed", "introduction");
}
