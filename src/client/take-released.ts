import type { Authority } from "../catalogs/chain.ts";
import { joined, merge, settled, without, type Write } from "../catalogs/merge.ts";
import type { Digest } from "../envelope/fields.ts";
import type { Decapsulator } from "../envelope/sealed.ts";
import { demand } from "../refusals/mesh-error.ts";
import { EntryRows } from "./entry-rows.ts";
import { CommitsForgotten, releasesAfter, trailOf } from "./forgotten.ts";
import { type CatalogRow, type EpochRow, loadCatalog } from "./known.ts";
import { type JournalRow, outboxOf } from "./outbox.ts";
import type { PortalLink, Requester } from "./portal-link.ts";
import { writePulled } from "./pull-catalog.ts";
import { awaitPurge } from "./purging.ts";
import { countingOf } from "./quarantine.ts";
import { forgetRecent } from "./recent.ts";
import type { RowsWriting } from "./rows.ts";
import { GROWN_OCTETS, vouchFor } from "./snapshot-rows.ts";
import { type TakenSnapshot, takeSnapshot } from "./take-snapshot.ts";

/** A catalog as the snapshot of a release and the commits after it give it, with the digests of all commits up to the snapshot. */
export type TakenReleased = TakenSnapshot & { readonly trail: readonly Digest[]; readonly from: number };

/**
 * Goes on from the snapshot that a release names, where the portal forgot the commits that this device lacks.
 *
 * What this device has must be on the chain that the release's author saw (`portal-forked-catalog`). What happened in between is
 * taken on that author's word.
 */
export async function takeReleased(link: PortalLink, requester: Requester, catalog: string, known: CatalogRow | undefined, head: { readonly index: number; readonly digest: Digest } | undefined, authority: Authority, key: Decapsulator, forgotten: CommitsForgotten): Promise<TakenReleased> {
  const from = known?.chain.index ?? 0;
  for (const { payload } of await releasesAfter(forgotten.releases, catalog, from, authority)) {
    const { catalog: of, snapshot, wraps } = payload;
    if (head === undefined || head.index < snapshot.index) continue;
    const trail = await trailOf(link, requester, payload);
    demand(known === undefined || trail[from - 1] === known.chain.digest, "portal-forked-catalog", "The portal shows this device another history of a catalog than your other device.", "It cheats. Nothing here was changed; do not rely on this portal, and compare with your other devices.");
    const taken = await orForgotten(of, snapshot.index, authority, () => takeSnapshot(link, requester, { catalog: of, ...snapshot }, head, authority, key, wraps));
    // One that says another commit than its own release, or cannot be had, is passed over.
    if (taken === undefined || taken.replay.digest !== trail[snapshot.index - 1]) continue;
    return { ...taken, from, trail, row: goingOn(known, taken.row) };
  }
  throw forgotten;
}

/** Commits after this snapshot may be forgotten by the word of another device, whose release then serves; by nobody's word they are lost. */
async function orForgotten<T>(catalog: string, after: number, authority: Authority, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CommitsForgotten)) throw error;
    await releasesAfter(error.releases, catalog, after, authority);
    return undefined;
  }
}

/** What a home keeps of a catalog, with the chain where it is now; what it judged of epochs itself stands. */
function goingOn(known: CatalogRow | undefined, taken: CatalogRow): CatalogRow {
  const epochs: Record<string, EpochRow> = { ...taken.epochs };
  for (const [number, mine] of Object.entries(known?.epochs ?? {})) {
    const theirs = epochs[number];
    epochs[number] = mine.key === undefined && theirs?.key !== undefined && theirs.commitment === mine.commitment ? { ...mine, key: theirs.key } : mine;
  }
  // A device that writes states down for others does so anew: its last one is from before what the portal forgot.
  return { ...known, ...taken, epochs, grown: GROWN_OCTETS };
}

/**
 * Writes what was taken: of entries, only what came after the commits that this device read itself; what was sent and is on the chain
 * leaves the journal, the rest of it waits to be sent. What does not count now is set apart.
 */
export async function writeReleased(rows: RowsWriting, catalog: string, device: string, authority: Authority, { entries, from, placed, replay, row, trail }: TakenReleased): Promise<void> {
  const stored = await loadCatalog(rows, catalog);
  // Another process of this home took something meanwhile; the next sync goes on from there.
  if ((stored?.chain.index ?? 0) !== from) return;
  const mine = ({ commit }: Pick<Write, "commit">): boolean => (commit ?? 0) <= from;
  const kept = new EntryRows(rows, catalog);
  for (const since of await countingOf(rows, catalog, entries.flatMap((entry) => without(entry, mine) ?? []), authority)) {
    const before = await kept.get(since.id);
    await kept.put(joined(before, since));
    for (const { commit } of before === undefined && settled(since) === since ? [] : (since.purges ?? [])) if (commit !== undefined) await awaitPurge(rows, catalog, since.id, commit);
  }
  for (const sent of await outboxOf(rows, catalog)) {
    if (sent.index > replay.index) continue;
    for (const sequence of trail[sent.index - 1] === sent.digest ? sent.journal : []) {
      const journal = await rows.get<JournalRow>("journal", catalog, sequence);
      for (const change of journal?.changes ?? []) {
        await kept.put(merge(await kept.get(change.entry), change, device, sent.index));
        if (change.purge !== undefined) await awaitPurge(rows, catalog, change.entry, sent.index);
      }
      await rows.remove("journal", catalog, sequence);
    }
    await rows.remove("outbox", catalog, sent.index);
  }
  await kept.flush(rows);
  for (const [at, digest] of trail.entries()) if (at >= from) await rows.put("digests", catalog, at + 1, { digest });
  await forgetRecent(rows, catalog);
  await vouchFor(rows, catalog, { maker: replay.maker, from, to: replay.index });
  await writePulled(rows, catalog, { placed, row });
}
