import * as v from "valibot";

import { countField, digestField, udfField } from "../envelope/fields.ts";
import { jwsShape } from "../envelope/signed.ts";
import { addressField } from "../profiles/account.ts";
import { headsField, MAX_APPLICATIONS, MAX_DEVICES } from "../profiles/personal.ts";
import type { Command } from "./command.ts";
import { partRefusals, partsField } from "./parts.ts";

const publishRequest = v.strictObject({ parts: partsField });
const publishResponse = v.strictObject({ arrived: v.number() });

/** Publish (draft §6 "add profile", "update profile"): a batch of signed objects, all or none. */
export const publish: Command<v.InferOutput<typeof publishRequest>, v.InferOutput<typeof publishResponse>> = {
  name: "Publish",
  request: publishRequest,
  response: publishResponse,
  asker: "member",
  writes: true,
  refusals: partRefusals,
};

const lookUpRequest = v.strictObject({ address: addressField });
/** A version of the Master Profile with what it needs to be Correct: the old Recovery Key's consent to another. */
const masterShape = v.strictObject({ countersignature: v.optional(jwsShape), object: jwsShape });
const lookUpResponse = v.strictObject({ account: jwsShape, masters: v.array(masterShape) });

/** Get by account name: what is public, the account and all versions of its Master Profile, oldest first (decision 8.3). */
export const get: Command<v.InferOutput<typeof lookUpRequest>, v.InferOutput<typeof lookUpResponse>> = {
  name: "Get",
  request: lookUpRequest,
  response: lookUpResponse,
  asker: "anyone",
  writes: false,
  refusals: ["account-unknown"],
};

/** A version of a Personal Profile by its numbers, or the place before the first. */
export const version = v.strictObject({ g: countField(0), n: countField(0) });
const stamped = v.strictObject({ arrived: v.number(), object: jwsShape });
/** What of a mesh's history an asker has already. */
export const knownShape = v.strictObject({ mastersAfter: countField(0), personalsAfter: version, suspensionsAfter: countField(0) });
const fetchRequest = v.strictObject({
  ...knownShape.entries,
  applications: v.pipe(v.array(udfField<"application">()), v.maxLength(MAX_APPLICATIONS)),
  devices: v.pipe(v.array(udfField<"device">()), v.maxLength(MAX_DEVICES)),
});
/** Profiles, as one answer shows them. */
export const fetchResponse = v.strictObject({
  applications: v.array(jwsShape),
  devices: v.array(jwsShape),
  masters: v.array(masterShape),
  more: v.boolean(),
  personals: v.array(stamped),
  suspensions: v.array(stamped),
});

/** GetProfiles: the profiles of the asker's own mesh after the versions that it knows, oldest first, as many as fit; `more` says to ask again. */
export const getProfiles: Command<v.InferOutput<typeof fetchRequest>, v.InferOutput<typeof fetchResponse>> = {
  name: "GetProfiles",
  request: fetchRequest,
  response: fetchResponse,
  asker: "member",
  writes: false,
  refusals: [],
};

/** Where a mesh stands by the portal's count, and what time it is there. */
export const standingShape = v.strictObject({
  master: v.strictObject({ digest: digestField, version: countField() }),
  now: v.number(),
  personal: v.strictObject({ digest: digestField, g: countField(), n: countField() }),
  suspended: digestField,
  suspensions: countField(0),
});

const statusRequest = v.strictObject({});
const statusResponse = v.strictObject({
  ...standingShape.entries,
  applications: v.array(v.strictObject({ id: udfField<"application">(), version: countField() })),
  forgotten: v.pipe(v.array(v.strictObject({ catalog: udfField<"application">(), index: countField() })), v.maxLength(MAX_APPLICATIONS)),
  heads: headsField,
  pending: countField(0),
});

/** Status: in one small answer, all that a device must compare to know whether it has everything. */
export const status: Command<v.InferOutput<typeof statusRequest>, v.InferOutput<typeof statusResponse>> = {
  name: "Status",
  request: statusRequest,
  response: statusResponse,
  asker: "member",
  writes: false,
  refusals: [],
};
