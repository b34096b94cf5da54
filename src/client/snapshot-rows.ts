import type { Piece } from "../catalogs/snapshot.ts";
import type { Digest } from "../envelope/fields.ts";
import type { SnapshotName } from "../profiles/connection.ts";
import { type CatalogRow, loadCatalog } from "./known.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";

/** When a chain has grown by so many octets, its state is written down anew: what a device that joins then reads besides stays small. */
export const GROWN_OCTETS = 1024 * 1024;

/** So many blobs of a snapshot are on their way at once. */
export const BLOBS_AT_ONCE = 4;

/** What a home keeps of the last snapshot that it made of a catalog; `before` is the commit up to which others may be forgotten since, `released` that the portal was told. */
export type SnapshotRow = { readonly name: SnapshotName; readonly root: Digest; readonly pieces: readonly Piece[]; readonly apart: readonly Piece[]; readonly epoch?: number; readonly before?: number; readonly released?: true };

/** Up to which commit this device last let a portal forget a catalog. */
export type ReleasedRow = { readonly index: number };

/** Blobs that no snapshot names any more. */
export type RetiredRow = { readonly blobs: readonly Digest[]; readonly at: number };

/** The last snapshot that this device made of a catalog, for it to name to a device that it lets in. */
export async function snapshotOf(rows: RowsReading, catalog: string): Promise<SnapshotName | undefined> {
  return (await rows.get<SnapshotRow>("snapshots", catalog))?.name;
}

/** Forgets the last snapshot, so that the next is made whole, at the next sync: what it holds was taken out of the entries, or came back. */
export async function forgetSnapshot(rows: RowsWriting, catalog: string, at: number): Promise<void> {
  const row = await rows.get<SnapshotRow>("snapshots", catalog);
  if (row === undefined) return;
  await retire(rows, catalog, row.name.index, blobsOf(row), at);
  await rows.remove("snapshots", catalog, "");
  const known = await loadCatalog(rows, catalog);
  if (known !== undefined) await rows.put("catalogs", catalog, "", { ...known, grown: Math.max(known.grown ?? 0, GROWN_OCTETS) } satisfies CatalogRow);
}

/** All blobs of a snapshot: the signed object, its root and its pieces, those of what is set apart among them. */
export function blobsOf({ apart, name, pieces, root }: SnapshotRow): readonly Digest[] {
  return [name.digest, root, ...[...pieces, ...apart].map((piece) => piece.digest)];
}

/** Remembers blobs to drop. */
export async function retire(rows: RowsWriting, catalog: string, index: number, blobs: readonly Digest[], at: number): Promise<void> {
  const before = await rows.get<RetiredRow>("retired", catalog, index);
  if (blobs.length > 0) await rows.put("retired", catalog, index, { at, blobs: [...(before?.blobs ?? []), ...blobs] } satisfies RetiredRow);
}

/**
 * A snapshot whose word is still to be checked: what its maker says the chain came to at `index`, and `at`, how far this device has read the chain itself.
 */
export type ReplayRow = { readonly maker: string; readonly index: number; readonly digest: Digest; readonly at?: CatalogRow };

/** How many commits of all catalogs this device took on another's word and has not read itself yet. */
export async function unchecked(rows: RowsReading, catalogs: readonly string[]): Promise<number> {
  let count = 0;
  for (const catalog of catalogs) {
    const row = await rows.get<ReplayRow>("replays", catalog);
    if (row !== undefined) count += row.index - (row.at?.chain.index ?? 0);
  }
  return count;
}

/** Commits that this device never read and never can, since the portal forgot them: from the one after `from` on, by whose word their outcome was taken. */
export type Vouched = { readonly maker: string; readonly from: number; readonly to: number };

/** Notes that the outcome of some commits is taken on a device's word for good. */
export async function vouchFor(rows: RowsWriting, catalog: string, one: Vouched): Promise<void> {
  const before = await vouchedIn(rows, catalog);
  await rows.put("vouched", catalog, "", { all: [...before, one] });
}

/** What of a catalog is taken on others' word for good. */
export async function vouchedIn(rows: RowsReading, catalog: string): Promise<readonly Vouched[]> {
  return (await rows.get<{ all: readonly Vouched[] }>("vouched", catalog))?.all ?? [];
}
