import * as v from "valibot";

import { countField, digestField, formatField, udfField } from "../envelope/fields.ts";
import type { ObjectType } from "../envelope/signed.ts";

/** An account name as it stands in objects: already lower case. */
export const addressField = v.pipe(v.string(), v.maxLength(320), v.regex(/^[a-z0-9._-]{1,64}@[a-z0-9.-]{1,253}$/));

const shape = v.strictObject({
  address: addressField,
  master: udfField<"master">(),
  portal: udfField<"portal">(),
  previous: v.optional(digestField),
  status: v.picklist(["open", "closed"]),
  v: formatField,
  version: countField(),
});

/** An account (decision 8.3): an Administration Key binds a name at a portal to a Master Profile; `closed` gives the name back. */
export type Account = v.InferOutput<typeof shape>;
export const account: ObjectType<Account> = { typ: "mesh-account+json", shape, maxBytes: 16 * 1024 };
