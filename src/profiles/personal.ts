import * as v from "valibot";

import { countField, digestField, formatField, udfField } from "../envelope/fields.ts";
import type { ObjectType } from "../envelope/signed.ts";

/** The most devices and applications one Personal Profile lists. */
export const MAX_DEVICES = 64;
export const MAX_APPLICATIONS = 64;

/** So many suspensions, the newest, a Personal Profile names. */
export const MAX_SUSPENSIONS = 256;

const devicesField = v.pipe(v.array(udfField<"device">()), v.maxLength(MAX_DEVICES));

const deviceEntryShape = v.strictObject({
  digest: digestField,
  id: udfField<"device">(),
  role: v.picklist(["admin", "member"]),
  status: v.picklist(["active", "disabled"]),
});
export type DeviceEntry = v.InferOutput<typeof deviceEntryShape>;
export type Role = DeviceEntry["role"];

const applicationEntryShape = v.strictObject({ administrators: devicesField, editors: devicesField, id: udfField<"application">(), readers: devicesField });

/** Who may do what with one application and its catalog; the privileges of draft §5.3. */
export type ApplicationEntry = v.InferOutput<typeof applicationEntryShape>;

/** A catalog's head as somebody knew it: the index and digest of its last commit, and version and digest of its Application Profile. */
export const headShape = v.strictObject({ catalog: udfField<"application">(), digest: digestField, index: countField(), profile: v.optional(v.strictObject({ digest: digestField, version: countField() })) });
export type Head = v.InferOutput<typeof headShape>;
export const headsField = v.pipe(v.array(headShape), v.maxLength(MAX_APPLICATIONS));

const shape = v.strictObject({
  applications: v.pipe(v.array(applicationEntryShape), v.maxLength(MAX_APPLICATIONS)),
  devices: v.pipe(v.array(deviceEntryShape), v.minLength(1), v.maxLength(MAX_DEVICES)),
  g: countField(),
  heads: headsField,
  home: udfField<"portal">(),
  id: udfField<"master">(),
  master: digestField,
  n: countField(),
  previous: v.optional(digestField),
  suspensions: v.pipe(v.array(digestField), v.maxLength(MAX_SUSPENSIONS)),
  v: formatField,
});

/**
 * A Personal Profile (draft §5.1): the devices and applications connected now, by identifier and digest (decision 4.3).
 *
 * `id` is that of the Master Profile, `master` the digest of the version g it is signed under, `previous` the digest of the
 * version before. `heads` are the catalogs' heads as the signer knew them: what a device disabled here appended after them
 * is quarantined. `suspensions` are the digests of the suspensions that arrived before this version, the newest 256.
 */
export type PersonalProfile = v.InferOutput<typeof shape>;
export const personalProfile: ObjectType<PersonalProfile> = { typ: "mesh-personal-profile+json", shape, maxBytes: 256 * 1024 };

/** The entry of a device, active or not. */
export function deviceEntry(profile: Pick<PersonalProfile, "devices">, id: string): DeviceEntry | undefined {
  return profile.devices.find((device) => device.id === id);
}

/** The entry of an application. */
export function applicationEntry(profile: Pick<PersonalProfile, "applications">, id: string): ApplicationEntry | undefined {
  return profile.applications.find((application) => application.id === id);
}
