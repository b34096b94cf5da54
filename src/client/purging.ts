import { type Entry, erase, type Purge, writes } from "../catalogs/merge.ts";
import type { Digest } from "../envelope/fields.ts";
import { type Mesh, personalOf } from "../profiles/mesh.ts";
import { CONTEST_MS } from "../profiles/types.ts";
import type { Client, Self } from "./client.ts";
import { isUnpurgeable } from "./catalog.ts";
import { EntryRows } from "./entry-rows.ts";
import { loadCatalog } from "./known.ts";
import type { PortalLink, Requester } from "./portal-link.ts";
import type { RowsWriting } from "./rows.ts";
import { forgetSnapshot } from "./snapshot-rows.ts";

/** A purge in a commit of the chain, and when this device first heard of it, in milliseconds of portal time. */
type PurgingRow = { readonly entry: string; readonly commit: number; readonly heard?: number };

/** Notes that an entry has a purge: what it covers counts no more, and is erased in 72 hours (decision 4.6). */
export async function awaitPurge(rows: RowsWriting, catalog: string, entry: string, commit: number): Promise<void> {
  await rows.put("purging", catalog, itemOf({ entry, commit }), { entry, commit } satisfies PurgingRow);
}

/**
 * Erases what was purged 72 hours ago or longer, and lets the portal drop the blobs that went with it.
 *
 * Until then another device may write it again, where it was a thief who purged. The portal is told first: a device that dies in between
 * tells it again, and erases then.
 */
export async function finishPurges(client: Client, { link, mesh, now, requester, self }: { readonly link: PortalLink; readonly mesh: Mesh; readonly now: number; readonly requester: Requester; readonly self: Self }): Promise<void> {
  for (const { id: catalog, editors } of personalOf(mesh).payload.applications) {
    if (isUnpurgeable((await client.rows.read((rows) => loadCatalog(rows, catalog)))?.type)) continue;
    const waiting = (await client.rows.read((rows) => rows.list<PurgingRow>("purging", catalog))).map((one) => one.row);
    for (const row of waiting) {
      if (row.heard === undefined) await client.rows.transact((rows) => rows.put("purging", catalog, itemOf(row), { ...row, heard: now } satisfies PurgingRow));
      if (now - (row.heard ?? now) < CONTEST_MS) continue;
      const due = ({ commit }: Purge): boolean => commit === row.commit;
      const blobs = await client.rows.read(async (rows) => unnamed(new EntryRows(rows, catalog), row.entry, due));
      if (blobs.length > 0 && editors.includes(self.device)) await link.dropBlobs(requester, blobs);
      await client.rows.transact(async (rows) => {
        const entries = new EntryRows(rows, catalog);
        const last = await entries.get(row.entry);
        if (last !== undefined) await entries.put(erase(last, due));
        await eraseApart(rows, catalog, last, due);
        await entries.flush(rows);
        await rows.remove("purging", catalog, itemOf(row));
        // The pieces of the last one hold what was purged.
        await forgetSnapshot(rows, catalog, now);
      });
    }
  }
}

/** Erases what was purged among what was taken out of the entry, too. */
async function eraseApart(rows: RowsWriting, catalog: string, entry: Entry | undefined, due: (purge: Purge) => boolean): Promise<void> {
  const apart = entry === undefined ? undefined : await rows.get<Entry>("taken-out", catalog, entry.id);
  if (apart === undefined) return;
  const { fields } = erase({ ...apart, purges: entry?.purges ?? [] }, due);
  if (Object.keys(fields).length === 0 && apart.purges === undefined) await rows.remove("taken-out", catalog, apart.id);
  else await rows.put("taken-out", catalog, apart.id, { ...apart, fields });
}

/** The blobs that go with purges and that no entry names in what counts: a purge may name any, and what others need stays. */
async function unnamed(entries: EntryRows, id: string, due: (purge: Purge) => boolean): Promise<readonly Digest[]> {
  const blobs = ((await entries.get(id))?.purges ?? []).filter(due).flatMap((purge) => purge.blobs);
  if (blobs.length === 0) return [];
  const named = (await entries.all()).map((entry) => JSON.stringify(Object.keys(entry.fields).flatMap((field) => writes(entry, field).map((write) => write.value))));
  return blobs.filter((blob) => !named.some((text) => text.includes(blob))) as Digest[];
}

function itemOf({ commit, entry }: Pick<PurgingRow, "commit" | "entry">): string {
  return `${entry}/${commit}`;
}
