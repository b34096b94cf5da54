import * as v from "valibot";

import { countField, digestField, formatField, udfField } from "../envelope/fields.ts";
import type { ObjectType } from "../envelope/signed.ts";
import { encapsulationKeyShape, signatureKeyShape } from "./keys.ts";

/** The most administration devices of one person. */
export const MAX_ADMINISTRATION_KEYS = 32;

/**
 * One administration device's own key (decision 4.4): what it signs Personal Profiles with, and what connection requests
 * and PIN records are sealed to. The device is named here and not elsewhere, so that only the Master key says whose key it is.
 */
const administrationKeyShape = v.strictObject({
  device: udfField<"device">(),
  encryptionKey: encapsulationKeyShape,
  signatureKey: signatureKeyShape,
});
export type AdministrationKey = v.InferOutput<typeof administrationKeyShape>;

const shape = v.strictObject({
  administrationKeys: v.pipe(v.array(administrationKeyShape), v.minLength(1), v.maxLength(MAX_ADMINISTRATION_KEYS)),
  escrowKeys: v.pipe(v.array(encapsulationKeyShape), v.maxLength(4)),
  id: udfField<"master">(),
  predecessor: v.optional(v.strictObject({ digest: digestField, id: udfField<"master">() })),
  previous: v.optional(digestField),
  recoveryKey: signatureKeyShape,
  signatureKey: signatureKeyShape,
  v: formatField,
  version: countField(),
});

/**
 * A Master Profile (draft §5.1): the criteria for validating a person's Personal Profiles.
 *
 * `id` is the UDF of `signatureKey`, which never changes; `version` is g, from 1; `previous` is the digest of version g-1;
 * `administrationKeys` stand in order of rank; what `recoveryKey` signs beats the Master Signature Key (decision 4.7).
 */
export type MasterProfile = v.InferOutput<typeof shape>;
export const masterProfile: ObjectType<MasterProfile> = { typ: "mesh-master-profile+json", shape, maxBytes: 256 * 1024 };
