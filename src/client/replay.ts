import { canonicalJson, type Json } from "../bytes/canonical-json.ts";
import { type Authority, authorityOf } from "../catalogs/chain.ts";
import { change, type Entry, joined, type Purge, settled, without, type Write } from "../catalogs/merge.ts";
import { newEntryId } from "../catalogs/entry-id.ts";
import type { Digest } from "../envelope/fields.ts";
import type { Decapsulator } from "../envelope/sealed.ts";
import { type Mesh, personalOf } from "../profiles/mesh.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { holdingPortalTo } from "./blame.ts";
import { editEntries } from "./catalog.ts";
import type { Client } from "./client.ts";
import { namesIn, ownEntry } from "./device-names.ts";
import { EntryRows } from "./entry-rows.ts";
import { CommitsForgotten, releasesAfter, trailOf } from "./forgotten.ts";
import { type CatalogRow, loadCatalog } from "./known.ts";
import { Opening, type Pulled, readOn } from "./pull-catalog.ts";
import type { PortalLink, Requester } from "./portal-link.ts";
import { apartIn } from "./quarantine.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";
import { forgetSnapshot, type ReplayRow, vouchFor } from "./snapshot-rows.ts";
import type { Synced } from "./synced.ts";

/** About so many commits are checked at a time. */
const COMMITS = 512;

/**
 * Reads on in the chains of which this device took a snapshot, and at the end compares (decision 6.4).
 *
 * What the commits give is true: where the snapshot said otherwise the entries are mended, the others are told through the
 * catalog of devices, and `snapshot-false` names the device that made it. Returns how many commits are left.
 */
export async function replay(client: Client, synced: Synced): Promise<number> {
  let left = 0;
  for (const { id, readers } of personalOf(synced.mesh).payload.applications) {
    if (!readers.includes(synced.self.device)) continue;
    const row = await client.rows.read((rows) => rows.get<ReplayRow>("replays", id));
    if (row !== undefined) left += await replayCatalog(client, synced, id, row);
  }
  return left;
}

async function replayCatalog(client: Client, { link, requester, mesh, key, now, self }: Synced, catalog: string, row: ReplayRow): Promise<number> {
  const authority = authorityOf(mesh, now);
  let at = row.at;
  for (let count = 0; (at?.chain.index ?? 0) < row.index && count < COMMITS; ) {
    const read = await holdingPortalTo(async () => {
      const some = await readOnOrNot(link, requester, catalog, at, row, authority, key);
      if ("trail" in some) return some;
      demand(some.row.chain.index !== row.index || some.row.chain.digest === row.digest, "portal-forked-catalog", "The portal shows another beginning of a catalog than the one its end comes from.", "It cheats, or the device that let this one in does.");
      return some;
    });
    if ("trail" in read) {
      const wrong = await client.rows.transact((rows) => giveUp(rows, catalog, row, at?.chain.index ?? 0, read.trail, authority, now));
      if (wrong > 0) await accuse(client, mesh, self.device, row.maker, catalog, wrong);
      return 0;
    }
    count += read.placed.length;
    at = read.row;
    await client.rows.transact(async (rows) => {
      const known = await loadCatalog(rows, catalog);
      const opening = new Opening(rows, catalog, known?.epochs ?? {}, replayed(rows, catalog));
      // Who is cut off may change until all is read: what counts is judged at the end.
      for (const one of read.placed) await opening.place(one, true);
      await opening.entries.flush(rows);
      await rows.put("replays", catalog, "", { ...row, at: read.row } satisfies ReplayRow);
    });
  }
  if ((at?.chain.index ?? 0) < row.index) return row.index - (at?.chain.index ?? 0);
  const wrong = await client.rows.transact((rows) => finish(rows, catalog, row.index, authority, now));
  if (wrong > 0) await accuse(client, mesh, self.device, row.maker, catalog, wrong);
  return 0;
}

/** As `readOn`; where the portal forgot what is next, as an administration device allowed, the digests of all commits up to the snapshot, as far as one that may be believed says them. */
async function readOnOrNot(link: PortalLink, requester: Requester, catalog: string, at: CatalogRow | undefined, { digest, index }: ReplayRow, authority: Authority, key: Decapsulator): Promise<Pulled | { readonly trail: readonly Digest[] }> {
  try {
    return await readOn(link, requester, catalog, at, index, authority, key);
  } catch (error) {
    if (!(error instanceof CommitsForgotten)) throw error;
    const release = (await releasesAfter(error.releases, catalog, at?.chain.index ?? 0, authority)).find(({ payload }) => payload.snapshot.index >= index);
    if (release === undefined) return { trail: [] };
    const trail = await trailOf(link, requester, release.payload);
    const onIt = trail[index - 1] === digest && (at === undefined || trail[at.chain.index - 1] === at.chain.digest);
    demand(onIt, "portal-forked-catalog", "The portal shows another beginning of a catalog than the one its end comes from.", "It cheats, or the device that let this one in does.");
    return { trail: trail.slice(0, index) };
  }
}

/** Compares as far as the commits were read; of the others the word of who wrote the snapshot is all there is from now on. */
async function giveUp(rows: RowsWriting, catalog: string, { index, maker }: ReplayRow, read: number, trail: readonly Digest[], authority: Authority, now: number): Promise<number> {
  await vouchFor(rows, catalog, { maker, from: read, to: index });
  for (const [at, digest] of trail.entries()) if (at >= read) await rows.put("digests", catalog, at + 1, { digest });
  return finish(rows, catalog, read, authority, now);
}

/**
 * Compares what the commits gave with what the snapshot said, mends what differs, and says how many entries that were.
 *
 * Of what does not count a snapshot may say less, for its maker could not read it; it may invent nothing. What it said is taken together,
 * on whichever side it lies by now: another process of this home may know of a suspension, or of the end of one, that this one does not.
 */
async function finish(rows: RowsWriting, catalog: string, index: number, authority: Authority, now: number): Promise<number> {
  const [held, read, apart] = [new EntryRows(rows, catalog), replayed(rows, catalog), apartIn(catalog, authority)];
  const truth = new Map((await read.all()).map((entry) => [entry.id as string, entry]));
  const out = new Map((await rows.list<Entry>("taken-out", catalog)).map(({ row }) => [row.id as string, row]));
  const ids = new Set([...truth.keys(), ...out.keys(), ...(await held.all()).map((entry) => entry.id)]);
  let wrong = 0;
  for (const id of ids) {
    const [entry, aside, all] = [await held.get(id), out.get(id), truth.get(id)];
    const should = part(all, (one) => !apart(one));
    const said = joinedOrNot(part(entry, isUpTo(index)), part(aside, isUpTo(index)));
    const purges = [entry, aside, all].flatMap((one) => one?.purges ?? []);
    if (isWithin(said, all) && isWithin(uncovered(should, purges), said)) {
      const more = part(all, apart);
      if (more !== undefined) await keepApart(rows, catalog, id, joinedOrNot(aside, more), entry?.purges);
      continue;
    }
    await keepApart(rows, catalog, id, joinedOrNot(part(all, apart), part(aside, isAfter(index))), entry?.purges);
    wrong += 1;
    const mended = joinedOrNot(should, part(entry, isAfter(index)));
    if (mended === undefined) await held.remove(id);
    else await held.put(mended);
  }
  await held.flush(rows);
  await read.clear(rows);
  await rows.remove("replays", catalog, "");
  // What this device wrote down itself meanwhile has it from the other.
  if (wrong > 0) await forgetSnapshot(rows, catalog, now);
  return wrong;
}

type Judgement = (one: Write | Purge) => boolean;

const isUpTo = (index: number): Judgement => ({ commit = Number.POSITIVE_INFINITY }) => commit <= index;
const isAfter = (index: number): Judgement => ({ commit = Number.POSITIVE_INFINITY }) => commit > index;

/** What of an entry a judgement picks. */
function part(entry: Entry | undefined, which: Judgement): Entry | undefined {
  return entry === undefined ? undefined : without(entry, (one) => !which(one));
}

function joinedOrNot(entry: Entry | undefined, more: Entry | undefined): Entry | undefined {
  return more === undefined ? entry : joined(entry, more);
}

/** Keeps what is set apart of an entry, less what is purged of it. */
async function keepApart(rows: RowsWriting, catalog: string, id: string, apart: Entry | undefined, purges: readonly Purge[] = []): Promise<void> {
  const left = uncovered(apart, purges);
  if (left === undefined) await rows.remove("taken-out", catalog, id);
  else await rows.put("taken-out", catalog, id, left);
}

/** An entry with its own purges, and without the writes that any of some purges covers: those may be erased here. */
function uncovered(entry: Entry | undefined, covering: readonly Purge[]): Entry | undefined {
  if (entry === undefined) return undefined;
  const { id, purges } = entry;
  const fields = settled({ id, fields: entry.fields, purges: covering })?.fields ?? {};
  return Object.keys(fields).length === 0 && purges === undefined ? undefined : { id, fields, ...(purges === undefined ? {} : { purges }) };
}

/** Whether all that a part of an entry says is in the whole. */
function isWithin(some: Entry | undefined, all: Entry | undefined): boolean {
  return some === undefined || (all !== undefined && canonicalJson(joined(all, some) as unknown as Json) === canonicalJson(all as unknown as Json));
}

async function accuse(client: Client, mesh: Mesh, device: string, maker: string, catalog: string, wrong: number): Promise<never> {
  let name = maker;
  await editEntries(client, "devices", (entries) => {
    name = namesIn(entries, mesh).get(maker) ?? maker;
    const mine = ownEntry(entries, device, mesh);
    return [change(mine?.id ?? newEntryId(), mine, { accuses: { catalog, maker } })];
  });
  throw new MeshError("snapshot-false", `${name} wrote down ${wrong === 1 ? "an entry" : `${wrong} entries`} for new devices otherwise than your devices had made ${wrong === 1 ? "it" : "them"}. Here that is mended.`, `Somebody may control ${name}. If you do not know why, cut it off: mesh device disable ${JSON.stringify(name)}`);
}

function replayed(rows: RowsReading, catalog: string): EntryRows {
  return new EntryRows(rows, catalog, "replayed");
}
