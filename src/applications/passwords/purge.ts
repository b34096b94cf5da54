import { type Change, MAX_PURGED_BLOBS } from "../../catalogs/entries.ts";
import type { Json } from "../../bytes/canonical-json.ts";
import { change, type Entry, isRemoved, merge, purge, REMOVED, unpurged, type Write, writes } from "../../catalogs/merge.ts";
import type { Digest } from "../../envelope/fields.ts";
import { attachmentOf } from "./attachment.ts";

/** What a purge takes, and the changes that make it. */
export type PurgePlan = { readonly changes: readonly Change[]; readonly values: number; readonly attachments: number };

/**
 * Plans to purge everything that a login held before and holds no longer; of a removed one everything but that it is removed.
 *
 * Earlier passwords that an importer brought as such go too. Each attachment that goes is a change of its own, so that one fits.
 */
export function planPurge(entry: Entry): PurgePlan {
  const goes = (field: string, write: Write): boolean => write !== writes(entry, field)[0] || field.startsWith("past:") || (isRemoved(entry) && field !== REMOVED);
  const fields = Object.keys(entry.fields).filter((field) => writes(entry, field).some((write) => goes(field, write)));
  const staying = new Set(Object.keys(entry.fields).flatMap((field) => writes(entry, field).flatMap((write) => (goes(field, write) ? [] : blobsOf(field, write)))));
  const blobsIn = (field: string): readonly Digest[] => [...new Set(writes(entry, field).flatMap((write) => (goes(field, write) ? blobsOf(field, write) : [])))].filter((blob) => !staying.has(blob)).slice(0, MAX_PURGED_BLOBS);
  const withBlobs = fields.filter((field) => blobsIn(field).length > 0);
  const rest = new Set(fields.filter((field) => !withBlobs.includes(field)));
  const changes = [
    ...(rest.size === 0 ? [] : [purge(entry, (field, write) => rest.has(field) && goes(field, write))]),
    ...withBlobs.map((one) => purge(entry, (field, write) => field === one && goes(field, write), blobsIn(one))),
  ].filter((one) => Object.keys(one.purge?.fields ?? {}).length > 0);
  const values = fields.reduce((sum, field) => sum + writes(entry, field).filter((write) => goes(field, write) && write.value !== null).length, 0);
  return { changes, values, attachments: withBlobs.length };
}

/** Whether something of a login was purged that this device still has. */
export function isPurged(entry: Entry): boolean {
  return Object.keys(entry.fields).some((field) => writes(entry, field).length < writes(unpurged(entry), field).length);
}

/**
 * Makes the changes that write again what was purged and is not erased yet: in each field the earlier values, the oldest first, and then what
 * holds now. A purge is never taken back; what a thief purged is written anew by somebody else.
 */
export function restorePurged(entry: Entry): readonly Change[] {
  const lines = Object.keys(entry.fields).flatMap((field): [string, Json[]][] => {
    const [all, counting] = [writes(unpurged(entry), field), writes(entry, field)];
    const hidden = all.filter((one) => !counting.includes(one)).map((one) => one.value).reverse();
    const holds = counting[0] === undefined ? [] : [counting[0].value];
    return hidden.length === 0 ? [] : [[field, [...hidden, ...holds]]];
  });
  const changes: Change[] = [];
  let grown = entry;
  for (let round = 0; lines.some(([, values]) => round < values.length); round++) {
    const values = Object.fromEntries(lines.flatMap(([field, all]) => (all[round] === undefined ? [] : [[field, all[round]]])));
    const made = change(entry.id, grown, values as Record<string, Json>);
    grown = merge(grown, made, "");
    changes.push(made);
  }
  return changes;
}

function blobsOf(field: string, { value }: Write): readonly Digest[] {
  return field.startsWith("attachment:") ? (attachmentOf(field, value)?.blobs ?? []) : [];
}
