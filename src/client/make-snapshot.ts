import { fromBase64url } from "../bytes/base64url.ts";
import { type Entry, type Purge, settled, without } from "../catalogs/merge.ts";
import { type Piece, packedSize, sealPieces, sealRoot, type Snapshot, snapshot, type SnapshotEpoch } from "../catalogs/snapshot.ts";
import { digestOf, signedBytes, signObject } from "../envelope/signed.ts";
import type { SnapshotName } from "../profiles/connection.ts";
import { personalOf } from "../profiles/mesh.ts";
import { type Client, signerOf } from "./client.ts";
import { isUnpurgeable } from "./catalog.ts";
import { EntryRows } from "./entry-rows.ts";
import { type EpochRow, loadCatalog } from "./known.ts";
import { BLOBS_AT_ONCE, blobsOf, GROWN_OCTETS, type ReleasedRow, type RetiredRow, retire, type SnapshotRow } from "./snapshot-rows.ts";
import { setApartIn } from "./quarantine.ts";
import { release } from "./release.ts";
import type { Synced } from "./synced.ts";

/** How long a blob that no snapshot names any more is kept, for a device that was just told of it, in milliseconds of portal time. */
const KEPT_MS = 24 * 60 * 60 * 1000;

/**
 * Writes down the state of each catalog that this device administers and that has grown enough (decision 6.4).
 *
 * Only entries changed since the last time are sent, as a further piece; all of them again when what is superseded takes
 * more room than what counts. Cut off at any point it is made anew the next time.
 */
export async function makeSnapshots(client: Client, synced: Synced): Promise<void> {
  for (const { id, administrators } of personalOf(synced.mesh).payload.applications) {
    if (!administrators.includes(synced.self.device)) continue;
    const { row, last } = await client.rows.read(async (rows) => ({ row: await loadCatalog(rows, id), last: await rows.get<SnapshotRow>("snapshots", id) }));
    // Where the portal forgot commits, each device that may speaks for what is left: those that did may be cut off one day.
    const forgotten = synced.answer.forgotten.find((one) => one.catalog === id)?.index;
    if ((row?.grown ?? 0) >= GROWN_OCTETS || (last === undefined && forgotten !== undefined)) await makeSnapshot(client, synced, id, forgotten);
    if (await release(client, synced, id)) await dropRetired(client, synced, id);
  }
}

async function makeSnapshot(client: Client, { link, requester, self, mesh, now }: Synced, catalog: string, forgotten: number | undefined): Promise<void> {
  const read = await client.rows.read(async (rows) => {
    const row = await loadCatalog(rows, catalog);
    const epoch = row?.epochs[row.chain.epoch];
    const waiting = await rows.list("waiting", catalog, { limit: 1 });
    // Who cannot read all of it cannot say what it is.
    if (row === undefined || epoch?.key === undefined || epoch.flawed === true || waiting.length > 0) return undefined;
    return { row, epoch, key: fromBase64url(epoch.key), all: await new EntryRows(rows, catalog).all(), apart: await setApartIn(rows, catalog, row.epochs), last: await rows.get<SnapshotRow>("snapshots", catalog), released: await rows.get<ReleasedRow>("released", catalog) };
  });
  if (read === undefined) return;
  const { row, epoch, key, all, last } = read;
  const entries = isUnpurgeable(row.type) ? all : all.flatMap((entry) => settled(entry) ?? []);
  const purgesOf = new Map(isUnpurgeable(row.type) ? [] : all.map(({ id, purges }) => [id, purges]));
  const { chain } = row;
  const on = last === undefined || isWasteful(last.pieces, entries) ? undefined : last;
  const since = on?.name.index ?? 0;
  const counting = sealPieces(catalog, chain.epoch, key, entries.filter((entry) => changedAfter(entry, since)));
  const pieces = [...(on?.pieces ?? []), ...counting.map((one) => one.named)];
  // Else whoever lacks the commits when the portal forgot them never gets what counts again once a suspension ends.
  const setApart = sealPieces(catalog, chain.epoch, key, read.apart.flatMap((entry) => apartAfter(entry, since, purgesOf.get(entry.id)) ?? []));
  const apart = [...(on?.apart ?? []), ...setApart.map((one) => one.named)];
  const epochs = Object.fromEntries(Object.entries(row.epochs).map(([number, one]) => [number, publicPart(one)]));
  const root = sealRoot(catalog, chain.epoch, key, { apart, epochs, pieces });
  const { g, n } = personalOf(mesh).payload;
  const payload: Snapshot = { catalog: chain.catalog as Snapshot["catalog"], digest: chain.digest, epoch: chain.epoch, epochAt: publicPart(epoch), epochVersion: chain.epochVersion, g, holders: [...chain.holders], index: chain.index, n, root: root.named, v: 1, version: chain.version };
  const blob = signedBytes(await signObject(snapshot, payload, signerOf(client.keyring, self.device)));
  const blobs = [...counting, ...setApart, root].map((one) => one.blob);
  for (let at = 0; at < blobs.length; at += BLOBS_AT_ONCE) await Promise.all(blobs.slice(at, at + BLOBS_AT_ONCE).map((one) => link.putBlob(requester, one)));
  await link.putBlob(requester, blob);
  const name: SnapshotName = { catalog: payload.catalog, digest: digestOf(blob), index: chain.index, size: blob.length };
  await client.rows.transact(async (rows) => {
    const current = await loadCatalog(rows, catalog);
    if (current === undefined) return;
    const stay = new Set([...pieces, ...apart].map((piece) => piece.digest));
    const gone = last === undefined ? [] : blobsOf(last).filter((digest) => !stay.has(digest));
    await retire(rows, catalog, chain.index, gone, now);
    // The commits before the last snapshot but one; where that one was made anew for what it held, those let go before.
    const before = last?.name.index ?? read.released?.index ?? forgotten;
    await rows.put("snapshots", catalog, "", { apart, name, pieces, root: root.named.digest, epoch: chain.epoch, ...(before === undefined ? {} : { before }) } satisfies SnapshotRow);
    await rows.put("catalogs", catalog, "", { ...current, grown: Math.max(0, (current.grown ?? 0) - (row.grown ?? 0)) });
  });
}

async function dropRetired(client: Client, { link, requester, now }: Synced, catalog: string): Promise<void> {
  const retired = await client.rows.read((rows) => rows.list<RetiredRow>("retired", catalog));
  for (const { row, remove } of retired.filter((one) => one.row.at + KEPT_MS < now)) {
    await link.dropBlobs(requester, row.blobs);
    await client.rows.transact(remove);
  }
}

/** Whether more room is taken by what later pieces supersede than by what counts. */
function isWasteful(pieces: readonly Piece[], entries: readonly Entry[]): boolean {
  const taken = pieces.reduce((sum, piece) => sum + piece.size, 0);
  return taken > GROWN_OCTETS / 4 + 2 * entries.reduce((sum, entry) => sum + packedSize(entry), 0);
}

function changedAfter(entry: Entry, index: number): boolean {
  return index === 0 || [...Object.values(entry.fields).flat(), ...(entry.purges ?? [])].some((one) => (one.commit ?? 0) > index);
}

/** What is set apart of an entry and came after a commit, less what purges that count cover. */
function apartAfter(entry: Entry, index: number, counting: readonly Purge[] = []): Entry | undefined {
  const { id, fields = {}, purges } = without(entry, ({ commit = 0 }) => commit <= index) ?? { id: entry.id };
  const left = settled({ id, fields, purges: counting })?.fields ?? {};
  return Object.keys(left).length === 0 && purges === undefined ? undefined : { id, fields: left, ...(purges === undefined ? {} : { purges }) };
}

function publicPart({ commitment, previousEpoch, previousKey }: EpochRow): SnapshotEpoch {
  return { commitment, ...(previousEpoch === undefined ? {} : { previousEpoch }), ...(previousKey === undefined ? {} : { previousKey }) };
}
