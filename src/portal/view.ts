import { ordinal } from "../bytes/ordinal.ts";
import type { KnownWords } from "../profiles/history.ts";
import { type MasterProfile, masterProfile } from "../profiles/master.ts";
import { type Roster, rosterOf } from "../profiles/roster.ts";
import type { Correct } from "../profiles/stages.ts";
import type { MasterId } from "../profiles/types.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Reading } from "../store/store.ts";
import { personalKey, wordsIn } from "./personals.ts";
import { getObject, type MasterRow, type MeshRecord, row, shelf } from "./records.ts";

/**
 * Where a mesh stands now, and nothing of its past: the row that every change rewrites, who stands where in its Master
 * Profile, and its Personal Profile.
 *
 * Almost every request is judged by this alone, so it is read in a few rows however long the mesh has lived.
 */
export type View = { readonly id: MasterId; readonly record: MeshRecord; readonly roster: Roster; readonly personal: KnownWords };

/**
 * Reads where a mesh stands; `undefined` if this portal does not hold it.
 *
 * Everything on its shelves was judged before it was written, in the transaction that wrote it, and each object is found
 * by the digest of what was judged; it is not judged again here. Clients judge everything for themselves.
 */
export async function loadView(reading: Reading, id: MasterId): Promise<View | undefined> {
  const record = await row<MeshRecord>(reading, shelf.meshes, id);
  return record === undefined ? undefined : viewOf(reading, id, record);
}

/** As `loadView`, for a row that was read already. */
export async function viewOf(reading: Reading, id: MasterId, record: MeshRecord): Promise<View | undefined> {
  if (record.purging === true) return undefined;
  const kept = await reading.get(shelf.personals, personalKey(id, record));
  const roster = await rosterAt(reading, id, record.master);
  if (kept === undefined || roster === undefined) throw new MeshError("store-damaged", "A mesh in the portal's database has lost its profiles.", "Run `mesh portal check`, or restore a backup.");
  return { id, record, roster, personal: await wordsIn(reading, kept) };
}

/** The roster of a version of the Master Profile: kept beside it, and made from it where an older version of the program kept none. */
async function rosterAt(reading: Reading, id: MasterId, version: number): Promise<Roster | undefined> {
  const kept = await row<MasterRow>(reading, shelf.masters, `${id}/${ordinal(version)}`);
  if (kept === undefined) return undefined;
  return kept.roster ?? rosterOf((await getObject(reading, kept.digest, masterProfile)) as Correct<MasterProfile>);
}

/** A mesh that gave its account up is nobody's from then on (decision 4.6). */
export function openAt(view: View | undefined, now: number): View | undefined {
  return view?.record.closes !== undefined && now >= view.record.closes ? undefined : view;
}
