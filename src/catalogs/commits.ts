import * as v from "valibot";

import { countField, digestField, formatField, octetsField, udfField } from "../envelope/fields.ts";
import { keyedShape } from "../envelope/keyed.ts";
import { sealedShape } from "../envelope/sealed.ts";
import { digestOf, type ObjectType } from "../envelope/signed.ts";
import { MAX_DEVICES } from "../profiles/personal.ts";
import { demand } from "../refusals/mesh-error.ts";

/** The most octets of ciphertext one commit may carry; imports are cut into commits of about this size. */
export const MAX_COMMIT_BODY = 512 * 1024;

const place = {
  catalog: udfField<"application">(),
  epoch: countField(),
  g: countField(),
  index: countField(),
  n: countField(),
  previous: v.optional(digestField),
  v: formatField,
};

const entriesShape = v.strictObject({
  ...place,
  digest: digestField,
  kind: v.literal("entries"),
  salt: octetsField({ octets: 32 }),
  size: v.pipe(countField(), v.maxValue(MAX_COMMIT_BODY)),
});

const epochShape = v.strictObject({
  ...place,
  commitment: octetsField({ octets: 64 }),
  excluded: v.pipe(v.array(udfField<"device">()), v.maxLength(MAX_DEVICES)),
  kind: v.literal("epoch"),
  previousEpoch: v.optional(countField()),
  previousKey: v.optional(keyedShape),
  wraps: sealedShape,
});

const grantShape = v.strictObject({ ...place, kind: v.literal("grant"), wraps: sealedShape });

const shape = v.variant("kind", [entriesShape, epochShape, grantShape]);

/**
 * One link of a catalog's chain (decision 6.1), signed by the author's Device Signature Key.
 *
 * It names its predecessor, the epoch, and the Personal Profile (g, n) by whose authority its author writes. `entries`
 * carries the digest of a ciphertext that travels beside it; `epoch` begins an epoch for exactly the readers of (g, n)
 * less those `excluded` by a suspension; `grant` gives the key of the current epoch to further readers (decision 6.2).
 */
export type Commit = v.InferOutput<typeof shape>;
export type EntriesCommit = v.InferOutput<typeof entriesShape>;
export type EpochCommit = v.InferOutput<typeof epochShape>;
export type GrantCommit = v.InferOutput<typeof grantShape>;
export const commit: ObjectType<Commit> = { typ: "mesh-commit+json", shape, maxBytes: 512 * 1024 };

/** What the wraps of an epoch's key are about. */
export function wrapSubject(catalog: string, epoch: number): { readonly typ: string; readonly id: string; readonly version: number } {
  return { typ: "mesh-epoch-key+jwe", id: catalog, version: epoch };
}

/** Checks that entries, and nothing else, come with a body, and that it is the one that they name, octet for octet; all that somebody without the key can check. */
export function checkBody(payload: Commit, body: Uint8Array | undefined): void {
  demand((body !== undefined) === (payload.kind === "entries"), "commit-wrong-body", "Entries come with a body, and nothing else does.");
  if (payload.kind !== "entries" || body === undefined) return;
  demand(body.length === payload.size && digestOf(body) === payload.digest, "commit-wrong-body", `The body of commit ${payload.index} is not the one that it names.`);
}
