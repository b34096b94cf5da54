import type { Chain } from "../catalogs/chain.ts";
import type { Digest } from "../envelope/fields.ts";
import type { Jws } from "../envelope/signed.ts";
import { applicationEntry, deviceEntry } from "../profiles/personal.ts";
import { CONTEST_MS } from "../profiles/types.ts";
import { isBelieved, type Suspended } from "../profiles/suspension.ts";
import { release } from "../protocol/releases.ts";
import type { Reading, Writing } from "../store/store.ts";
import { getObject, parseRow, putRow, row, shelf } from "./records.ts";
import type { View } from "./view.ts";

/** Commits up to an index that may be forgotten, and since when. */
export type Due = { readonly index: number; readonly arrived: number };

/**
 * The last release of a catalog by one device, under master/catalog/device, with the trail at its snapshot's index.
 *
 * `due` has what its releases let go so far: a newer one does not begin the waiting of an older one anew.
 */
export type ReleaseRow = { readonly digest: Digest; readonly arrived: number; readonly trail: { readonly digest: Digest; readonly index: number }; readonly due: readonly Due[] };

/** So many releases are shown at once. */
const MAX_SHOWN = 16;

/** How long a portal waits after a release before it forgets anything by it: as long as a thief may go unnoticed (decision 4.6). */
export const WAITING_MS = CONTEST_MS;

/** What is due without those of which a later one waited long enough, too; at most `most`. */
export function dueOf(due: readonly Due[], now: number, most: number): readonly Due[] {
  const ripe = due.findLastIndex((one) => isRipe(one, now));
  return due.slice(Math.max(0, ripe)).slice(0, most);
}

/** Whether a release waited long enough. */
export function isRipe({ arrived }: Due, now: number): boolean {
  return now - arrived >= WAITING_MS;
}

/** The chain at the last commit that was forgotten: those after it are kept. */
export async function startOf(reading: Reading, master: string, catalog: string): Promise<Chain | undefined> {
  return row<Chain>(reading, shelf.starts, `${master}/${catalog}`);
}

/** The same of all catalogs of a mesh of which anything was forgotten. */
export async function startsOf(reading: Reading, master: string): Promise<readonly Chain[]> {
  return (await reading.list(shelf.starts, `${master}/`)).map(({ value }) => parseRow<Chain>(value));
}

/** The releases of a catalog by devices that administer it now and are not suspended, but by themselves as when they leave. */
export async function releasesOf(reading: Reading, view: View, suspended: Suspended, catalog: string): Promise<readonly ReleaseRow[]> {
  const { payload } = view.personal.profile;
  const administrators: readonly string[] = applicationEntry(payload, catalog)?.administrators ?? [];
  const prefix = `${view.id}/${catalog}/`;
  return (await reading.list(shelf.releases, prefix)).flatMap(({ key, value }) => {
    const device = key.slice(prefix.length);
    const speaks = administrators.includes(device) && deviceEntry(payload, device)?.status === "active" && isBelieved(suspended, device, view.roster);
    return speaks ? [parseRow<ReleaseRow>(value)] : [];
  });
}

/** All releases of a catalog as they were signed, the newest first: what a device is shown that asks for a commit that was forgotten. Who may be believed of them it judges itself. */
export async function releasesShown(reading: Reading, master: string, catalog: string): Promise<Jws[]> {
  const rows = (await reading.list(shelf.releases, `${master}/${catalog}/`)).map(({ value }) => parseRow<ReleaseRow>(value)).toSorted((a, b) => b.arrived - a.arrived);
  return Promise.all(rows.slice(0, MAX_SHOWN).map(async ({ digest }) => (await getObject(reading, digest, release)).jws));
}

/** For how many others besides the first something is kept, under its digest. */
export type SharedRow = { readonly others: number };

/** Notes that something is about to be kept once more, for another mesh or another commit: then it is not taken away with the first. */
export async function noteShared(writing: Writing, of: string, digest: Digest): Promise<void> {
  if ((await writing.get(of, digest)) === undefined) return;
  const others = (await row<SharedRow>(writing, shelf.shared, digest))?.others ?? 0;
  await putRow(writing, shelf.shared, digest, { others: others + 1 } satisfies SharedRow);
}

/** Takes something away that one of those does not need any more for whom it is kept, if that is the last. */
export async function dropShared(writing: Writing, of: string, digest: Digest): Promise<void> {
  const others = (await row<SharedRow>(writing, shelf.shared, digest))?.others ?? 0;
  if (others > 1) await putRow(writing, shelf.shared, digest, { others: others - 1 } satisfies SharedRow);
  else await writing.remove(others === 1 ? shelf.shared : of, digest);
}
