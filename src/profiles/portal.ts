import * as v from "valibot";

import { countField, digestField, formatField, udfField } from "../envelope/fields.ts";
import type { ObjectType } from "../envelope/signed.ts";
import { encapsulationKeyShape, signatureKeyShape } from "./keys.ts";

const domainField = v.pipe(v.string(), v.maxLength(253), v.regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/));

const shape = v.strictObject({
  domains: v.pipe(v.array(domainField), v.minLength(1), v.maxLength(64)),
  id: udfField<"portal">(),
  identityKey: signatureKeyShape,
  logKeys: v.pipe(v.array(v.string()), v.maxLength(8)),
  previous: v.optional(digestField),
  restored: v.optional(v.strictObject({ at: countField(), backup: countField() })),
  sessionKey: encapsulationKeyShape,
  successor: v.optional(udfField<"portal">()),
  tlsKeys: v.pipe(v.array(udfField<"tls-key">()), v.minLength(1), v.maxLength(8)),
  v: formatField,
  version: countField(),
});

/**
 * A Portal Profile (decision 3.5): the keys of a portal under its identity key, whose UDF is the portal's pin.
 *
 * `tlsKeys` are UDFs of the public keys that its TLS certificates may show, `sessionKey` is what sessions encapsulate to. `restored` says
 * that at a time (milliseconds) it went back to what it held when a backup was made.
 */
export type PortalProfile = v.InferOutput<typeof shape>;
export const portalProfile: ObjectType<PortalProfile> = { typ: "mesh-portal-profile+json", shape, maxBytes: 64 * 1024 };
