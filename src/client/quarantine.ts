import { fromBase64url } from "../bytes/base64url.ts";
import { type Authority, authorityOf, isQuarantined, lastCounted } from "../catalogs/chain.ts";
import { commit } from "../catalogs/commits.ts";
import { type Entry, joined, merge, type Purge, without, type Write } from "../catalogs/merge.ts";
import { readSigned } from "../envelope/signed.ts";
import { disabledIn, soundOf } from "../profiles/history.ts";
import { type Mesh, personalOf } from "../profiles/mesh.ts";
import { EntryRows } from "./entry-rows.ts";
import type { CatalogRow } from "./known.ts";
import { changesOf, type WaitingRow } from "./pull-catalog.ts";
import { awaitPurge } from "./purging.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";
import { forgetSnapshot } from "./snapshot-rows.ts";

/**
 * Takes out what a device that is now known to be disabled or suspended appended after the heads that whoever cut it off knew, and all of
 * what one wrote that only overridden versions let in.
 *
 * This device may have taken such commits before it heard of that, from a portal that withheld the one or since both happened at once;
 * another device never took them. What is taken out is kept apart, so that nothing is lost, and both devices hold the same entries.
 */
export async function quarantineCutOff(rows: RowsWriting, before: Mesh, mesh: Mesh, now: number): Promise<void> {
  const authority = authorityOf(mesh, now);
  // Of all devices ever listed: one that is disabled may be left out by the next version already. An override may cut anew whoever was cut off before.
  const overridden = ({ history }: Mesh): number => history.length - soundOf(history).length;
  const anew = overridden(mesh) > overridden(before);
  const isNew = (id: string): boolean => disabledIn(mesh.history, id) !== undefined && (anew || disabledIn(before.history, id) === undefined);
  const disabled = mesh.history.length > before.history.length ? [...mesh.devices.keys()].filter(isNew) : [];
  const suspended = mesh.suspensions.length > before.suspensions.length ? [...authority.suspended.keys()] : [];
  const devices = new Set<string>([...disabled, ...suspended]);
  for (const { id: catalog } of devices.size === 0 ? [] : personalOf(mesh).payload.applications) {
    // What waits for its key would be merged when that comes.
    for (const { row, remove } of await rows.list<WaitingRow>("waiting", catalog)) {
      const { kid, payload } = readSigned(row.commit, commit);
      if (!isQuarantined({ kid, payload }, authority)) continue;
      await remove(rows);
      await rows.put("quarantined", catalog, payload.index, row);
    }
    const apart = apartIn(catalog, authority);
    const entries = new EntryRows(rows, catalog);
    let taken = 0;
    for (const entry of await entries.all()) {
      const left = await setApart(rows, catalog, entry, (one) => devices.has(one.author) && apart(one));
      if (left === entry) continue;
      taken += 1;
      if (left === undefined) await entries.remove(entry.id);
      else await entries.put(left);
    }
    await entries.flush(rows);
    if (taken > 0) await forgetSnapshot(rows, catalog, now);
  }
}

/**
 * What counts of entries that were taken on another device's word; the rest is set apart.
 *
 * A snapshot may be from before its maker heard who was cut off, and be shown long after.
 */
export async function countingOf(rows: RowsWriting, catalog: string, entries: readonly Entry[], authority: Authority): Promise<readonly Entry[]> {
  const apart = apartIn(catalog, authority);
  const counting: Entry[] = [];
  for (const entry of entries) {
    const left = await setApart(rows, catalog, entry, apart);
    if (left !== undefined) counting.push(left);
  }
  return counting;
}

/** All that is set apart of entries, as far as this device can read it: what was taken out of them, and what whole commits hold that never counted here. */
export async function setApartIn(rows: RowsReading, catalog: string, epochs: CatalogRow["epochs"]): Promise<readonly Entry[]> {
  const found = new Map<string, Entry>();
  for (const { row } of await rows.list<Entry>("taken-out", catalog)) found.set(row.id, row);
  for (const { row } of await rows.list<WaitingRow>("quarantined", catalog)) {
    const { kid, payload } = readSigned(row.commit, commit);
    const key = payload.kind === "entries" ? epochs[payload.epoch]?.key : undefined;
    // What its author never gave a key for, nobody reads who takes it back.
    if (key === undefined || payload.kind !== "entries") continue;
    for (const change of changesOf(payload, row, fromBase64url(key)) ?? []) found.set(change.entry, merge(found.get(change.entry), change, kid, payload.index));
  }
  return [...found.values()];
}

/** Keeps apart what of an entry does not count; returns the rest, the entry itself where that is all of it. */
async function setApart(rows: RowsWriting, catalog: string, entry: Entry, apart: (one: Write | Purge) => boolean): Promise<Entry | undefined> {
  const left = without(entry, apart);
  const out = left === entry ? undefined : without(entry, (one) => !apart(one));
  if (out !== undefined) await rows.put("taken-out", catalog, entry.id, joined(await rows.get<Entry>("taken-out", catalog, entry.id), out));
  return left;
}

/** Puts back what was taken out for a suspension that lapsed or was lifted (decision 4.5). */
export async function restoreTakenOut(rows: RowsWriting, catalog: string, authority: Authority, now: number): Promise<void> {
  const apart = apartIn(catalog, authority);
  const entries = new EntryRows(rows, catalog);
  let restored = 0;
  for (const { row: entry } of await rows.list<Entry>("taken-out", catalog)) {
    const back = without(entry, apart);
    if (back === undefined) continue;
    restored += 1;
    await entries.put(joined(await entries.get(entry.id), back));
    for (const { commit } of back.purges ?? []) if (commit !== undefined) await awaitPurge(rows, catalog, entry.id, commit);
    const left = without(entry, (write) => !apart(write));
    if (left === undefined) await rows.remove("taken-out", catalog, entry.id);
    else await rows.put("taken-out", catalog, entry.id, left);
  }
  await entries.flush(rows);
  if (restored > 0) await forgetSnapshot(rows, catalog, now);
}

/** Whether a write or purge in a catalog does not count now: each author is looked up once. */
export function apartIn(catalog: string, authority: Authority): (one: Write | Purge) => boolean {
  const last = new Map<string, number>();
  return ({ author, commit: index = 0 }) => {
    if (!last.has(author)) last.set(author, lastCounted(author, catalog, authority) ?? Number.POSITIVE_INFINITY);
    return index > (last.get(author) ?? 0);
  };
}
