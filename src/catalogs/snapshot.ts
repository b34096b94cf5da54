import * as v from "valibot";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { parseCanonical } from "../bytes/json.ts";
import { countField, type Digest, digestField, formatField, octetsField, udfField } from "../envelope/fields.ts";
import { decryptUnder, encryptUnder, keyedShape } from "../envelope/keyed.ts";
import { readShape } from "../envelope/shape.ts";
import { digestOf, type ObjectType, type Signed } from "../envelope/signed.ts";
import { at } from "../profiles/history.ts";
import { applicationEntry, MAX_DEVICES } from "../profiles/personal.ts";
import type { Correct } from "../profiles/stages.ts";
import { isSuspended } from "../profiles/suspension.ts";
import { verifyByDevice } from "../profiles/validity.ts";
import { demand } from "../refusals/mesh-error.ts";
import { isUdf } from "../udf/udf.ts";
import type { Authority } from "./chain.ts";
import { MAX_COMMIT_BODY } from "./commits.ts";
import { counterLimit } from "./counters.ts";
import { FIELD_NAME, MAX_PLAINTEXT, pad, unpad, purgeShape } from "./entries.ts";
import type { Entry } from "./merge.ts";
import { type Packed, packEntries, unpackEntries } from "./packing.ts";

/** The most pieces of one snapshot: 512 MiB and more. */
const MAX_PIECES = 2048;

/** Entries of a piece are cut so that a piece takes about so many octets. */
const PIECE_OCTETS = 256 * 1024;

const versionShape = v.strictObject({ g: countField(), n: countField() });
const blobFields = { digest: digestField, salt: octetsField({ octets: 32 }), size: v.pipe(countField(), v.maxValue(MAX_COMMIT_BODY)) };

const epochShape = v.strictObject({ commitment: octetsField({ octets: 64 }), previousEpoch: v.optional(countField()), previousKey: v.optional(keyedShape) });

const shape = v.strictObject({
  catalog: udfField<"application">(),
  digest: digestField,
  epoch: countField(),
  epochAt: epochShape,
  epochVersion: versionShape,
  g: countField(),
  holders: v.pipe(v.array(udfField<"device">()), v.maxLength(MAX_DEVICES)),
  index: countField(),
  n: countField(),
  root: v.strictObject(blobFields),
  v: formatField,
  version: versionShape,
});

/**
 * The state of a catalog after commit `index` (decision 6.4), signed by an editor's Device Signature Key under (g, n).
 *
 * What the portal knows anyway stands in it: where the chain was, who held the key. `root` is the ciphertext that lists the
 * rest: pieces, each a ciphertext with some entries, and the earlier epochs.
 */
export type Snapshot = v.InferOutput<typeof shape>;
export const snapshot: ObjectType<Snapshot> = { typ: "mesh-snapshot+json", shape, maxBytes: 64 * 1024 };

const pieceShape = v.strictObject({ ...blobFields, epoch: countField() });

/** A ciphertext with entries, under the key of an epoch. */
export type Piece = v.InferOutput<typeof pieceShape>;

/** What a snapshot says of one epoch: what its key must be, and the key before it. */
export type SnapshotEpoch = v.InferOutput<typeof epochShape>;

const piecesShape = v.pipe(v.array(pieceShape), v.maxLength(MAX_PIECES));

const rootShape = v.strictObject({
  apart: piecesShape,
  epochs: v.custom<Readonly<Record<string, SnapshotEpoch>>>((input) => typeof input === "object" && input !== null && !Array.isArray(input) && Object.entries(input).every(([number, epoch]) => /^[1-9][0-9]{0,9}$/.test(number) && v.is(epochShape, epoch)), "must be epochs by their numbers"),
  pieces: piecesShape,
  v: formatField,
});

/**
 * The inner list of a snapshot: `pieces` hold what counts, and where two hold one entry, the later one counts; `apart` hold what was set
 * apart of entries, which comes back if a suspension ends, and where two hold one entry, both count.
 */
export type SnapshotRoot = v.InferOutput<typeof rootShape>;

/** A ciphertext made, to be kept under its digest. */
export type Made<T> = { readonly blob: Uint8Array; readonly named: T };

/** Encrypts the inner list under the epoch current at the snapshot. */
export function sealRoot(catalog: string, epoch: number, key: Uint8Array, root: Omit<SnapshotRoot, "v">): Made<Snapshot["root"]> {
  return seal(purpose("root", catalog, epoch), key, canonicalBytes({ ...root, v: 1 } as unknown as Json));
}

/** Opens the inner list; refuses with `snapshot-malformed`. */
export function openRoot({ catalog, epoch, root }: Pick<Snapshot, "catalog" | "epoch" | "root">, key: Uint8Array, blob: Uint8Array): SnapshotRoot {
  return readShape(rootShape, parseCanonical(open(purpose("root", catalog, epoch), key, root, blob), { maxBytes: MAX_COMMIT_BODY }), "snapshot-malformed", "snapshot");
}

/** Cuts entries into pieces and encrypts each under an epoch's key; the same entries in any order make the same pieces but for their salts. */
export function sealPieces(catalog: string, epoch: number, key: Uint8Array, entries: readonly Entry[]): readonly Made<Piece>[] {
  return cut(entries).map((plaintext) => {
    const { blob, named } = seal(purpose("piece", catalog, epoch), key, plaintext);
    return { blob, named: { ...named, epoch } };
  });
}

/**
 * Opens a piece of a snapshot after commit `index`; refuses with `snapshot-malformed` what its author should not have signed.
 *
 * What it says of later commits would be held against no commit by whoever compares.
 */
export function openPiece({ catalog, index }: Pick<Snapshot, "catalog" | "index">, piece: Piece, key: Uint8Array, blob: Uint8Array): readonly Entry[] {
  const packed = parseCanonical(open(purpose("piece", catalog, piece.epoch), key, piece, blob), { maxBytes: MAX_COMMIT_BODY });
  const entries = unpacked(packed);
  demand(entries?.every(isEntry) === true, "snapshot-malformed", "A piece of a snapshot does not hold entries.");
  const later = entries.some(({ fields, purges = [] }) => [...Object.values(fields).flat(), ...purges].some(({ commit = 0 }) => commit > index));
  demand(!later, "snapshot-malformed", "A piece of a snapshot holds what came after it.");
  return entries;
}

/**
 * Checks that an editor of the catalog signed a snapshot, not suspended before (decision 6.4); what it says is another matter.
 *
 * Refuses with `profile-wrong-signer`, `signer-suspended`, or as `verifySigned`.
 */
export async function correctSnapshot(signed: Signed<Snapshot>, authority: Authority): Promise<Correct<Snapshot>> {
  const { payload } = signed;
  const personal = at(authority.history, payload);
  const author = authority.devices.get(signed.kid);
  const editor = personal !== undefined && author !== undefined && applicationEntry(personal.payload, payload.catalog)?.editors.includes(author.payload.id) === true;
  demand(editor, "profile-wrong-signer", "This snapshot is by no editor of its catalog.");
  demand(!isSuspended(authority.suspended, author.payload.id, authority.roster, payload), "signer-suspended", "The author of this snapshot was suspended before.");
  return (await verifyByDevice(signed, author)) as Correct<Snapshot>;
}

/** The octets that an entry takes in a piece, about. */
export function packedSize(entry: Entry): number {
  return JSON.stringify(packEntries([entry])).length;
}

function cut(entries: readonly Entry[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let [piece, room]: [Entry[], number] = [[], PIECE_OCTETS];
  const finish = (): void => {
    if (piece.length > 0) pieces.push(canonicalBytes({ ...packEntries(piece), v: 1 } as unknown as Json));
    [piece, room] = [[], PIECE_OCTETS];
  };
  for (const entry of entries.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const size = packedSize(entry);
    if (size > room) finish();
    piece.push(entry);
    room -= size;
  }
  finish();
  return pieces;
}

function seal(of: string, key: Uint8Array, plaintext: Uint8Array): Made<Snapshot["root"]> {
  demand(plaintext.length < MAX_PLAINTEXT, "entries-malformed", "An entry is too large to be kept in a snapshot.");
  const { salt, ciphertext } = encryptUnder(key, of, pad(plaintext));
  return { blob: ciphertext, named: { digest: digestOf(ciphertext) as Digest, salt: toBase64url(salt), size: ciphertext.length } };
}

function open(of: string, key: Uint8Array, named: Snapshot["root"], blob: Uint8Array): Uint8Array {
  demand(blob.length === named.size && digestOf(blob) === named.digest, "snapshot-malformed", "A part of a snapshot is not the one that it names.");
  const padded = decryptUnder(key, of, fromBase64url(named.salt), blob);
  const plaintext = padded === undefined ? undefined : unpad(padded);
  demand(plaintext !== undefined, "snapshot-malformed", "A part of a snapshot does not open under the key of its epoch.");
  return plaintext;
}

function purpose(part: "root" | "piece", catalog: string, epoch: number): string {
  return `mesh/snapshot/v1/${part}/${catalog}/${epoch}`;
}

function unpacked(packed: Json): readonly Entry[] | undefined {
  try {
    const { v: format, ...rest } = packed as unknown as Packed & { readonly v: number };
    return format === 1 ? unpackEntries(rest) : undefined;
  } catch {
    return undefined;
  }
}

const purgesShape = v.pipe(v.array(v.strictObject({ ...purgeShape.entries, author: udfField<"device">(), commit: countField() })), v.minLength(1));

function isEntry(entry: Entry): boolean {
  const { id, fields: all, purges, ...more } = entry;
  const fields = Object.entries(all);
  const something = (fields.length > 0 || purges !== undefined) && Object.keys(more).length === 0;
  return v.is(octetsField({ octets: 16 }), id) && something && v.is(v.optional(purgesShape), purges) && (purges ?? []).every((one) => Object.values(one.fields).every((last) => Object.values(last).every((counter) => counter <= counterLimit(one.commit)))) && fields.every(([name, writes]) => FIELD_NAME.test(name) && writes.length > 0 && writes.every((write) => write.counter >= 1 && write.commit !== undefined && write.commit >= 1 && write.counter <= counterLimit(write.commit) && isUdf(write.author)));
}
