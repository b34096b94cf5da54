import * as v from "valibot";

import { countField, digestField, octetsField, udfField } from "../envelope/fields.ts";
import { addressField } from "../profiles/account.ts";
import { pinIdField } from "../profiles/connection.ts";
import { MAX_APPLICATIONS } from "../profiles/personal.ts";
import type { Command } from "./command.ts";

/** So many openings are in one answer. */
export const OPENINGS_AT_ONCE = 64;

/** Octets of a salt (`docs/spec/log.md` 4.3). */
const SALT_OCTETS = 32;

const head = v.strictObject({ catalog: udfField<"application">(), digest: digestField, index: countField() });
const witness = udfField<"witness">();
const around = { index: countField(0), salt: octetsField({ octets: SALT_OCTETS }) };

/** The opening of a sealed entry, by its kind: what `docs/spec/log.md` 9.1 and 9.2 say that it commits to. */
const openingShape = v.variant("k", [
  v.strictObject({ ...around, content: v.strictObject({ account: digestField, address: addressField, master: udfField<"master">() }), k: v.literal("account") }),
  v.strictObject({ ...around, content: v.strictObject({ application: udfField<"application">(), digest: digestField, version: countField() }), k: v.literal("application") }),
  v.strictObject({ ...around, content: v.strictObject({ drop: digestField }), k: v.literal("blobs") }),
  v.strictObject({ ...around, content: v.strictObject({ heads: v.pipe(v.array(head), v.maxLength(2 * MAX_APPLICATIONS)), master: udfField<"master">() }), k: v.literal("catalogs") }),
  v.strictObject({
    ...around,
    content: v.union([v.strictObject({ request: digestField, witness }), v.strictObject({ answer: digestField, witness }), v.strictObject({ notice: digestField, pin: pinIdField })]),
    k: v.literal("connect"),
  }),
  v.strictObject({ ...around, content: v.strictObject({ device: digestField, id: udfField<"device">() }), k: v.literal("device") }),
  v.strictObject({ ...around, content: v.strictObject({ release: digestField }), k: v.literal("release") }),
]);
export type ShownOpening = v.InferOutput<typeof openingShape>;

/** What the sealed entries of a kind commit to. */
export type ContentOf<K extends ShownOpening["k"]> = Extract<ShownOpening, { readonly k: K }>["content"];

const request = v.strictObject({ from: countField(0), to: countField(0) });
const response = v.strictObject({ more: v.boolean(), openings: v.pipe(v.array(openingShape), v.maxLength(OPENINGS_AT_ONCE)) });

/** LogOpenings: what the sealed entries of the asker's own mesh commit to, `from` (inclusive) to `to` (exclusive), in their order; nobody else is told. */
export const logOpenings: Command<v.InferOutput<typeof request>, v.InferOutput<typeof response>> = {
  name: "LogOpenings",
  request,
  response,
  asker: "member",
  writes: false,
  refusals: [],
};
