import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import type { Authority, Chain } from "../catalogs/chain.ts";
import { takeKey } from "../catalogs/epoch-keys.ts";
import { type Entry, joined, settled } from "../catalogs/merge.ts";
import { correctSnapshot, openPiece, openRoot, type Piece, type Snapshot, snapshot } from "../catalogs/snapshot.ts";
import type { Digest } from "../envelope/fields.ts";
import type { Decapsulator } from "../envelope/sealed.ts";
import { readSigned } from "../envelope/signed.ts";
import type { SnapshotName } from "../profiles/connection.ts";
import type { Release } from "../protocol/releases.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { EntryRows } from "./entry-rows.ts";
import type { CatalogRow, EpochRow } from "./known.ts";
import type { PortalLink, Requester } from "./portal-link.ts";
import { type Pulled, pullCatalog, withEarlierKeys } from "./pull-catalog.ts";
import { awaitPurge } from "./purging.ts";
import { countingOf } from "./quarantine.ts";
import type { RowsWriting } from "./rows.ts";
import { BLOBS_AT_ONCE, type ReplayRow } from "./snapshot-rows.ts";

/** A catalog as a snapshot and the commits after it give it, judged and not yet written. */
export type TakenSnapshot = Pulled & { readonly entries: readonly Entry[]; readonly replay: ReplayRow };

/**
 * Takes a catalog from the snapshot that the answer to this device named, and the commits after it (decision 6.4).
 *
 * The word of whoever signed it is checked later, commit by commit (`replay.ts`). Where there is no snapshot to be had, or it
 * cannot be read, undefined: then the catalog is read from its beginning.
 */
export async function takeSnapshot(link: PortalLink, requester: Requester, name: SnapshotName, head: { readonly index: number; readonly digest: Digest } | undefined, authority: Authority, key: Decapsulator, wraps?: Release["wraps"]): Promise<TakenSnapshot | undefined> {
  try {
    const signed = await signedOf(await link.getBlob(requester, name.digest, name.size), name, authority);
    const start = rowOf(signed.payload, wraps === undefined ? undefined : await givenKey(signed.payload, wraps, key));
    const pulled = (await pullCatalog(link, requester, name.catalog, start, head, authority, key)) ?? { placed: [], row: start };
    const { catalog, epoch, root } = signed.payload;
    const rootKey = keyOf(pulled.row, epoch);
    const { apart, epochs, pieces } = openRoot(signed.payload, rootKey, await link.getBlob(requester, root.digest, root.size));
    const row: CatalogRow = { ...pulled.row, epochs: withEarlierKeys({ ...(epochs as Readonly<Record<string, EpochRow>>), ...pulled.row.epochs }, catalog, epoch, rootKey) };
    // Where two pieces hold one entry, the later one counts.
    const entries = new Map<string, Entry>();
    for await (const { blob, piece } of fetched(link, requester, pieces)) for (const entry of openPiece(signed.payload, piece, keyOf(row, piece.epoch), blob)) entries.set(entry.id, entry);
    // What its maker set apart may count by now; this device judges all of it itself.
    for await (const { blob, piece } of fetched(link, requester, apart)) for (const entry of openPiece(signed.payload, piece, keyOf(row, piece.epoch), blob)) entries.set(entry.id, joined(entries.get(entry.id), entry));
    return { entries: [...entries.values()], placed: pulled.placed, replay: { digest: signed.payload.digest, index: signed.payload.index, maker: signed.kid }, row };
  } catch (error) {
    // A portal that shows false octets is blamed for it; what is missing or wrong in a snapshot is in the chain all the same.
    if (error instanceof MeshError && UNUSABLE.has(error.code)) return undefined;
    throw error;
  }
}

const UNUSABLE: ReadonlySet<string> = new Set(["blob-unknown", "snapshot-malformed", "signed-malformed", "signature-invalid", "signature-wrong-key", "profile-wrong-signer", "signer-suspended", "entries-malformed", "epoch-key-wrong"]);

/** Writes the entries and digests of a snapshot, as far as they count now, and that its word is still to be checked. */
export async function writeSnapshot(rows: RowsWriting, catalog: string, authority: Authority, { entries, replay }: TakenSnapshot): Promise<void> {
  if ((await rows.get("catalogs", catalog)) !== undefined) return;
  const kept = new EntryRows(rows, catalog);
  const counting = await countingOf(rows, catalog, entries, authority);
  await kept.fill(counting);
  await kept.flush(rows);
  // A purge that its maker had set apart may cover what is there.
  for (const { id, purges = [] } of counting.filter((entry) => settled(entry) !== entry)) for (const { commit } of purges) if (commit !== undefined) await awaitPurge(rows, catalog, id, commit);
  await rows.put("digests", catalog, replay.index, { digest: replay.digest });
  await rows.put("replays", catalog, "", replay);
}

/** The pieces with their blobs, in their order; a few more are on their way while one is read. */
async function* fetched(link: PortalLink, requester: Requester, pieces: readonly Piece[]): AsyncGenerator<{ readonly piece: Piece; readonly blob: Uint8Array }> {
  const coming: Promise<Uint8Array>[] = [];
  const ask = (piece: Piece | undefined): void => {
    if (piece === undefined) return;
    const blob = link.getBlob(requester, piece.digest, piece.size);
    // One that fails behind another that failed is nobody's to hear.
    blob.catch(() => undefined);
    coming.push(blob);
  };
  for (const piece of pieces.slice(0, BLOBS_AT_ONCE)) ask(piece);
  for (const [at, piece] of pieces.entries()) {
    const blob = await coming.shift();
    ask(pieces[at + BLOBS_AT_ONCE]);
    if (blob !== undefined) yield { blob, piece };
  }
}

async function signedOf(blob: Uint8Array, name: SnapshotName, authority: Authority) {
  const signed = await correctSnapshot(readSigned(blob, snapshot), authority);
  demand(signed.payload.catalog === name.catalog && signed.payload.index === name.index, "snapshot-malformed", "This snapshot is not the one that was named.");
  return signed;
}

function rowOf({ catalog, digest, epoch, epochAt, epochVersion, holders, index, version }: Snapshot, key: Uint8Array | undefined): CatalogRow {
  const chain: Chain = { catalog, digest, epoch, epochVersion, holders, index, version };
  const given = key === undefined ? {} : { key: toBase64url(key) };
  return { chain, epochs: { [epoch]: { ...epochAt, ...given } } as Readonly<Record<string, EpochRow>> };
}

/** The key of a snapshot's epoch, where a release gives it to this device. */
async function givenKey({ catalog, epoch, epochAt }: Snapshot, wraps: Release["wraps"], key: Decapsulator): Promise<Uint8Array | undefined> {
  try {
    return await takeKey({ catalog, epoch, wraps }, epochAt.commitment, key);
  } catch (error) {
    // It does not hold the key of that epoch, and is given one later.
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}

function keyOf(row: CatalogRow, epoch: number): Uint8Array {
  const key = row.epochs[epoch]?.key;
  demand(key !== undefined, "epoch-key-wrong", "This device does not have the key of the epoch of a snapshot.");
  return fromBase64url(key);
}
