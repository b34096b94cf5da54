import * as v from "valibot";

import { countField, digestField, formatField, octetsField, udfField } from "../envelope/fields.ts";
import { keyedShape } from "../envelope/keyed.ts";
import type { ObjectType } from "../envelope/signed.ts";
import { MAX_DEVICES } from "./personal.ts";

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

const shareShape = v.strictObject({ contribution: octetsField({ octets: 32 }), device: udfField<"device">(), pub: octetsField({ octets: 32 }) });

/** What an administrator added to a device's base key (draft §5.2), and the public key of the two together: the device's own for this application. */
export type Share = v.InferOutput<typeof shareShape>;

/** The private part of an Application Profile: what kind of application it is, and the keys of its devices where that kind has such. */
export const applicationPrivateShape = v.strictObject({
  shares: v.optional(v.pipe(v.array(shareShape), v.maxLength(MAX_DEVICES), v.check((shares) => new Set(shares.map((share) => share.device)).size === shares.length))),
  type: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,31}$/)),
  v: formatField,
});
export type ApplicationPrivate = v.InferOutput<typeof applicationPrivateShape>;

/** What `sealed` is bound to. */
export function applicationPurpose(id: string, version: number, epoch: number): string {
  return `mesh/application/v1/${id}/${version}/${epoch}`;
}
