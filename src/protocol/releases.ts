import * as v from "valibot";

import { utf8 } from "../bytes/text.ts";
import { countField, type Digest, digestField, formatField, udfField } from "../envelope/fields.ts";
import { sealedShape } from "../envelope/sealed.ts";
import { digestOf, jwsShape, type ObjectType } from "../envelope/signed.ts";
import type { Command } from "./command.ts";

/** The most digests of commits in one answer to CatalogTrail: 512 KiB. */
export const TRAIL_AT_ONCE = 8192;

const shape = v.strictObject({
  catalog: udfField<"application">(),
  g: countField(),
  index: countField(),
  master: udfField<"master">(),
  n: countField(),
  snapshot: v.strictObject({ digest: digestField, index: countField(), size: countField() }),
  trail: digestField,
  v: formatField,
  wraps: sealedShape,
});

/**
 * An administrator's word that a portal may forget the commits of a catalog up to `index`, and which snapshot a device that lacks them takes instead.
 *
 * `trail` is that of the chain up to the snapshot's index: so a device that was away sees whether what it has is on that chain. `wraps` give the key of the
 * snapshot's epoch to those who hold it, since the commit that gave it to them may be forgotten.
 */
export type Release = v.InferOutput<typeof shape>;
export const release: ObjectType<Release> = { typ: "mesh-release+json", shape, maxBytes: 256 * 1024 };

/** The trail of a chain: all digests of its commits in their order, each under the one before; `undefined` before the first. */
export function trailOn(before: Digest | undefined, digest: Digest): Digest {
  return digestOf(utf8(`mesh/trail/v1/${before ?? ""}/${digest}`));
}

const releaseRequest = v.strictObject({ release: jwsShape });
const releaseResponse = v.strictObject({ arrived: v.number() });

/** ReleaseCommits: lets the portal forget old commits, signed since it takes something away; the portal waits before it does. */
export const releaseCommits: Command<v.InferOutput<typeof releaseRequest>, v.InferOutput<typeof releaseResponse>> = {
  name: "ReleaseCommits",
  request: releaseRequest,
  response: releaseResponse,
  asker: "member",
  writes: true,
  refusals: ["signed-malformed", "signature-wrong-key", "signature-invalid", "profile-wrong-signer", "profile-wrong-id", "commit-out-of-order", "blob-unknown"],
};

const trailRequest = v.strictObject({ after: countField(0), catalog: udfField<"application">() });
const trailResponse = v.strictObject({});

/** CatalogTrail: the digests of a catalog's commits after an index, 64 octets each, behind the answer; those of forgotten commits too. */
export const catalogTrail: Command<v.InferOutput<typeof trailRequest>, v.InferOutput<typeof trailResponse>> = {
  name: "CatalogTrail",
  request: trailRequest,
  response: trailResponse,
  asker: "member",
  writes: false,
  refusals: ["catalog-not-readable", "commit-out-of-order"],
  carries: "response",
};
