import * as v from "valibot";

import { countField, digestField, formatField, udfField } from "../envelope/fields.ts";
import { keyedShape } from "../envelope/keyed.ts";
import type { ObjectType } from "../envelope/signed.ts";

const shape = v.strictObject({
  epoch: countField(),
  g: countField(),
  id: udfField<"application">(),
  n: countField(),
  previous: v.optional(digestField),
  sealed: keyedShape,
  v: formatField,
  version: countField(),
});

/**
 * An Application Profile (draft §5.3): the configuration of one application; its catalog has the same identifier.
 *
 * `sealed` is the private data, type included, under the key of the catalog's epoch `epoch`, so that a grant of the
 * catalog is a grant of the profile and no portal learns what the application is (decision 9.1). (g, n) is the Personal
 * Profile by whose authority it is signed.
 */
export type ApplicationProfile = v.InferOutput<typeof shape>;
export const applicationProfile: ObjectType<ApplicationProfile> = { typ: "mesh-application-profile+json", shape, maxBytes: 256 * 1024 };

/** The private part of an Application Profile: what kind of application it is, and what that kind keeps here. */
export const applicationPrivateShape = v.strictObject({ type: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,31}$/)), v: formatField });

/** What `sealed` is bound to. */
export function applicationPurpose(id: string, version: number, epoch: number): string {
  return `mesh/application/v1/${id}/${version}/${epoch}`;
}
