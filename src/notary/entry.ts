import * as v from "valibot";

import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { parseCanonical } from "../bytes/json.ts";
import { countField, digestField, formatField, octetsField, udfField } from "../envelope/fields.ts";
import { readShape } from "../envelope/shape.ts";
import { HASH_OCTETS } from "./merkle.ts";
import { readWhole } from "./reading.ts";

/** The most octets of an entry (decision 8.5). */
export const MAX_ENTRY = 4096;

/** A part of a version: the map has four octets for it. */
const versionField = v.pipe(countField(), v.maxValue(0xffff_ffff));

/** What an object of an identifier says of it: which object, how many octets it has, and which one it follows. */
const about = { id: udfField<"master">(), len: countField(), obj: digestField, prev: v.optional(digestField), v: formatField };

/** The kinds of which an entry shows no more than a salted commitment. */
export const sealedKinds = ["account", "application", "blobs", "catalogs", "connect", "device", "release"] as const;
export type SealedKind = (typeof sealedKinds)[number];

const shape = v.variant("k", [
  v.strictObject({ ...about, k: v.literal("master"), n: versionField }),
  v.strictObject({ ...about, g: versionField, k: v.literal("personal"), n: versionField }),
  v.strictObject({ ...about, k: v.literal("suspension"), n: versionField }),
  v.strictObject({ c: digestField, k: v.picklist(sealedKinds), v: formatField }),
  v.strictObject({ k: v.literal("load"), len: countField(0), obj: digestField, v: formatField }),
  v.strictObject({ k: v.literal("epoch"), map: octetsField({ octets: HASH_OCTETS }), n: countField(), t: countField(), v: formatField }),
]);

/**
 * One entry of the notary log: a commitment to what a portal took, never the thing itself (`docs/spec/log.md` 4).
 *
 * `master`, `personal` and `suspension` name an object by digest; the sealed kinds hide it; `load` names what a tool for load tests had added; `epoch` closes every checkpoint.
 */
export type LogEntry = v.InferOutput<typeof shape>;
export type EpochEntry = Extract<LogEntry, { k: "epoch" }>;
export type SealedEntry = Extract<LogEntry, { k: SealedKind }>;
export type PublicEntry = Extract<LogEntry, { id: string }>;

/** Reads an entry; `log-entry-malformed` for whatever is not its own canonical text, too large, or of an unknown kind. */
export function readEntry(octets: Uint8Array): LogEntry {
  return readWhole("log-entry-malformed", "entry of a log", () => readShape(shape, parseCanonical(octets, { maxBytes: MAX_ENTRY, maxDepth: 2 }), "log-entry-malformed", "log entry"));
}

/** Writes an entry: its octets are what the tree's leaf is the hash of. */
export function writeEntry(entry: LogEntry): Uint8Array {
  return canonicalBytes(entry as unknown as Json);
}
