import * as v from "valibot";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { parseCanonical } from "../bytes/json.ts";
import { digestField, formatField, octetsField } from "../envelope/fields.ts";
import { decryptUnder, encryptUnder } from "../envelope/keyed.ts";
import { readShape } from "../envelope/shape.ts";
import { digestOf } from "../envelope/signed.ts";
import { demand } from "../refusals/mesh-error.ts";
import { isUdf } from "../udf/udf.ts";
import type { Place } from "./epoch-keys.ts";
import { counterLimit } from "./counters.ts";
import { checkBody, type EntriesCommit, MAX_COMMIT_BODY } from "./commits.ts";

/** The most blobs that one purge lets go of. */
export const MAX_PURGED_BLOBS = 256;

/** What a field of an entry may be called. */
export const FIELD_NAME = /^[a-z][A-Za-z0-9._:-]{0,63}$/;

// Not `v.record`: it passes over members named as something that every object has, and their values would be lost.
const fieldsShape = v.custom<Readonly<Record<string, readonly [number, Json]>>>((input) => isObject(input) && Object.entries(input).every(([name, write]) => FIELD_NAME.test(name) && isWrite(write)), "must be fields, each with a counter and a value");
const purgedShape = v.custom<Readonly<Record<string, Readonly<Record<string, number>>>>>((input) => isObject(input) && Object.entries(input).every(([name, last]) => FIELD_NAME.test(name) && isObject(last) && Object.entries(last).every(([author, counter]) => isUdf(author) && isPurged(counter))), "must be fields, each with authors and counters");
/** What a purge says, besides who says it. */
export const purgeShape = v.strictObject({ blobs: v.pipe(v.array(digestField), v.maxLength(MAX_PURGED_BLOBS)), fields: purgedShape });
const changeShape = v.strictObject({ entry: octetsField({ octets: 16 }), fields: fieldsShape, purge: v.optional(purgeShape) });

/** What one commit changes in one entry: for each field its causal counter and its new value; and what it purges (`merge.ts`). */
export type Change = v.InferOutput<typeof changeShape>;

const changesShape = v.strictObject({ changes: v.array(changeShape), v: formatField });

/** The most octets of padded plaintext that fit one commit. */
export const MAX_PLAINTEXT = MAX_COMMIT_BODY - 16;

/** Encrypts changes under the key of the epoch current now and makes the payload of their commit; the ciphertext travels beside it. */
export function sealChanges(place: Place, key: Uint8Array, changes: readonly Change[]): { readonly payload: EntriesCommit; readonly body: Uint8Array } {
  // Nobody writes what others would refuse to read.
  readChanges({ changes, v: 1 }, place.index);
  const { salt, ciphertext } = encryptUnder(key, purpose(place.catalog, place.epoch), pad(changesBytes(changes)));
  const payload: EntriesCommit = { ...place, digest: digestOf(ciphertext), kind: "entries", salt: toBase64url(salt), size: ciphertext.length, v: 1 };
  return { payload, body: ciphertext };
}

/** Opens the changes of a commit; refuses with `entries-malformed` what its author should not have signed. */
export function openChanges(payload: EntriesCommit, body: Uint8Array, key: Uint8Array): readonly Change[] {
  checkBody(payload, body);
  const padded = decryptUnder(key, purpose(payload.catalog, payload.epoch), fromBase64url(payload.salt), body);
  demand(padded !== undefined, "entries-malformed", `Commit ${payload.index} does not open under the key of its epoch.`);
  const plaintext = unpad(padded);
  demand(plaintext !== undefined, "entries-malformed", `Commit ${payload.index} is wrongly padded.`);
  return readChanges(parseCanonical(plaintext, { maxBytes: MAX_COMMIT_BODY }), payload.index);
}

/** Reads the changes of the commit of an index; refuses with `entries-malformed`. */
function readChanges(value: unknown, index: number): readonly Change[] {
  const { changes } = readShape(changesShape, value, "entries-malformed", `commit ${index}`);
  const limit = counterLimit(index);
  const named = changes.flatMap((one) => [...Object.values(one.fields).map(([counter]) => counter), ...Object.values(one.purge?.fields ?? {}).flatMap((last) => Object.values(last))]);
  demand(named.every((counter) => counter <= limit), "entries-malformed", `Commit ${index} names a counter that nobody came to by writing.`);
  return changes;
}

/** The octets that changes take before padding; importers cut by it. */
export function changesBytes(changes: readonly Change[]): Uint8Array {
  return canonicalBytes({ changes: changes as unknown as Json, v: 1 });
}

/** Pads with one 0x80 and zeros to a size that tells little: 512 octets at least, then the next of steps no finer than an eighth (Padmé). */
export function pad(plaintext: Uint8Array): Uint8Array {
  const length = Math.max(512, plaintext.length + 1);
  const step = 2 ** Math.max(0, Math.floor(Math.log2(length)) - 3);
  const padded = new Uint8Array(Math.min(MAX_PLAINTEXT, Math.ceil(length / step) * step));
  demand(padded.length > plaintext.length, "entries-malformed", "These changes are too large for one commit.");
  padded.set(plaintext);
  padded[plaintext.length] = 0x80;
  return padded;
}

/** What was padded by `pad`; undefined if it was not. */
export function unpad(padded: Uint8Array): Uint8Array | undefined {
  const end = padded.lastIndexOf(0x80);
  return end >= 0 && padded.subarray(end + 1).every((octet) => octet === 0) ? padded.subarray(0, end) : undefined;
}

function isObject(input: unknown): input is object {
  return typeof input === "object" && input !== null && !Array.isArray(input);
}

/** Never the greatest counter: beyond it nobody could write any more. */
function isPurged(counter: unknown): boolean {
  return Number.isSafeInteger(counter) && (counter as number) >= 1 && counter !== Number.MAX_SAFE_INTEGER;
}

function isWrite(write: unknown): boolean {
  return Array.isArray(write) && write.length === 2 && Number.isSafeInteger(write[0]) && write[0] >= 1 && write[1] !== undefined;
}

function purpose(catalog: string, epoch: number): string {
  return `mesh/entries/v1/${catalog}/${epoch}`;
}
