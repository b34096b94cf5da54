import * as v from "valibot";

import { countField, digestField, udfField } from "../envelope/fields.ts";
import { jwsShape } from "../envelope/signed.ts";
import { MAX_DEVICES } from "../profiles/personal.ts";
import type { Command } from "./command.ts";
import { commitShape, partRefusals } from "./parts.ts";

const appendRequest = v.strictObject({ commits: v.pipe(v.array(commitShape), v.minLength(1), v.maxLength(64)) });
const appendResponse = v.strictObject({ arrived: v.number() });

/** CatalogAppend: commits of one or several catalogs, each following the head that it names; all or none. */
export const catalogAppend: Command<v.InferOutput<typeof appendRequest>, v.InferOutput<typeof appendResponse>> = {
  name: "CatalogAppend",
  request: appendRequest,
  response: appendResponse,
  asker: "member",
  writes: true,
  refusals: partRefusals,
};

const readRequest = v.strictObject({ after: countField(0), catalog: udfField<"application">() });
const readResponse = v.strictObject({
  commits: v.array(commitShape),
  head: v.optional(v.strictObject({ digest: digestField, index: countField() })),
  more: v.boolean(),
  releases: v.optional(v.pipe(v.array(jwsShape), v.maxLength(MAX_DEVICES))),
});

/**
 * CatalogRead: the commits of a catalog after an index, oldest first, as many as fit; readers of the catalog only.
 *
 * Where the next was forgotten there are none, and `releases` say by whose word, the newest first.
 */
export const catalogRead: Command<v.InferOutput<typeof readRequest>, v.InferOutput<typeof readResponse>> = {
  name: "CatalogRead",
  request: readRequest,
  response: readResponse,
  asker: "member",
  writes: false,
  refusals: ["catalog-not-readable"],
};
