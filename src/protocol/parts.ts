import * as v from "valibot";

import { MAX_COMMIT_BODY } from "../catalogs/commits.ts";
import { octetsField } from "../envelope/fields.ts";
import { jwsShape } from "../envelope/signed.ts";

/** The most parts of one batch. */
export const MAX_PARTS = 256;

/** A commit with the ciphertext that it names; epoch and grant commits have none. */
export const commitShape = v.strictObject({ body: v.optional(octetsField({ most: MAX_COMMIT_BODY })), commit: jwsShape });
export type SentCommit = v.InferOutput<typeof commitShape>;

const signed = <K extends string>(kind: K) => v.strictObject({ kind: v.literal(kind), object: jwsShape });

/**
 * One part of a batch: a signed object that supersedes exactly the one it names as predecessor, or a commit that follows
 * exactly the head it names. All parts are taken or none (decision 8.2).
 */
export const partShape = v.variant("kind", [
  signed("personal"),
  signed("device"),
  signed("application"),
  signed("suspension"),
  signed("pin"),
  v.strictObject({ countersignature: v.optional(jwsShape), kind: v.literal("master"), object: jwsShape }),
  v.strictObject({ body: v.optional(octetsField({ most: MAX_COMMIT_BODY })), kind: v.literal("commit"), object: jwsShape }),
]);
export type Part = v.InferOutput<typeof partShape>;

export const partsField = v.pipe(v.array(partShape), v.minLength(1), v.maxLength(MAX_PARTS));

/** How a batch may be refused. */
export const partRefusals = [
  "signed-malformed",
  "signature-wrong-key",
  "signature-invalid",
  "profile-malformed",
  "profile-wrong-id",
  "profile-wrong-signer",
  "profile-wrong-role",
  "profile-out-of-order",
  "profile-two-versions",
  "profile-not-connected",
  "signer-suspended",
  "commit-out-of-order",
  "commit-unknown-version",
  "commit-wrong-author",
  "commit-wrong-epoch",
  "commit-wrong-readers",
  "commit-wrong-body",
  "profile-override-late",
  "account-quota",
] as const;
