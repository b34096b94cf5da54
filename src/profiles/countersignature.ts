import * as v from "valibot";

import { digestField, formatField } from "../envelope/fields.ts";
import type { ObjectType } from "../envelope/signed.ts";

const shape = v.strictObject({ digest: digestField, purpose: v.picklist(["recovery-key", "transition"]), v: formatField });

/**
 * A second key's consent to an object, as a JWS about its digest (decision 2.5): `recovery-key` lets a Master Profile
 * change its Recovery Key, `transition` lets a new Master Profile name this one as predecessor (decision 4.7).
 */
export type Countersignature = v.InferOutput<typeof shape>;
export const countersignature: ObjectType<Countersignature> = { typ: "mesh-countersignature+json", shape, maxBytes: 16 * 1024 };
