import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { fromUtf8, utf8 } from "../../bytes/text.ts";
import { logShelf } from "../../notary/keeping/rows.ts";
import { shelf } from "../../portal/records.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { DepotLabel } from "../../store/directory-depot.ts";
import type { Reading, Store } from "../../store/store.ts";
import type { PortalData } from "./data.ts";

/** The shelves whose values a depot keeps: what is large, is never changed, and is seldom read with other things. */
export const OUTSIDE: ReadonlySet<string> = new Set([shelf.blobs, logShelf.tiles]);

/** The row that says which depot has what the rows name. */
export const DEPOT = { shelf: "depot", key: "id" } as const;

/** What may be done to a depot besides reading and writing by way of the store: count, or take away, what nobody names any more. */
export type PortalDepot = { loose(now: number): Promise<number>; sweep(now: number): Promise<number> };

/** What a portal keeps, opened; `depot` is missing where all is in the database. */
export type PortalStore = Store & { readonly depot?: PortalDepot };

/** For a process that serves, for one that changes something, to look where nothing can be written, or to judge what is not whole as well. */
type Purpose = "serving" | "changing" | "looking" | "judging";

/** Opens what a portal keeps, wherever that is. */
export async function openPortalStore(data: PortalData, purpose: Purpose): Promise<PortalStore> {
  const rows = await openRows(data, purpose);
  try {
    return await withItsDepot(rows, data, purpose);
  } catch (error) {
    await rows.close();
    throw error;
  }
}

async function openRows({ settings, identity, database }: PortalData, purpose: Purpose): Promise<Store> {
  if (settings.database !== undefined) {
    const { openPostgresStore } = await import("../../store/postgres.ts");
    return openPostgresStore(settings.database, { owner: identity.profile.payload.id, announced: shelf.meshes });
  }
  const { openServingStore, openSqliteStore } = await import("../../store/sqlite.ts");
  return purpose === "serving" ? openServingStore(database) : openSqliteStore(database, purpose === "changing" ? {} : { orReading: true });
}

async function withItsDepot(rows: Store, data: PortalData, purpose: Purpose): Promise<PortalStore> {
  const directory = data.settings.depot;
  const named = await rows.read((r) => r.get(DEPOT.shelf, DEPOT.key));
  if (directory === undefined) {
    demand(named === undefined, "data-damaged", "What is large of this portal's records is in a depot, and portal.json does not say where.", "Restore portal.json from a backup, or start the portal with --depot DIR.");
    return rows;
  }
  const [{ depotIn, openDirectoryDepot }, { looseIn, sweepDepot, withDepot }] = await Promise.all([import("../../store/directory-depot.ts"), import("../../store/with-depot.ts")]);
  const id = named === undefined ? await beginDepot(rows, directory, data.identity.profile.payload.id) : fromUtf8(named);
  const there = depotIn(directory);
  demand(there !== undefined, "store-unreachable", `There is no depot in ${directory}.`, "See whether its disk is mounted.");
  demand(there.id === id, "store-wrong-portal", `The depot in ${directory} is another one than this portal's.`, "Say where its own is: mesh portal serve --depot DIR");
  const depot = openDirectoryDepot(directory, { changing: purpose === "serving" || purpose === "changing" });
  const store = withDepot(rows, depot, OUTSIDE, purpose === "judging" ? "show" : "refuse");
  return { ...store, depot: { loose: async (now) => (await looseIn(rows, depot, OUTSIDE, now)).size, sweep: (now) => sweepDepot(rows, depot, OUTSIDE, now) } };
}

/** Makes a depot for a portal that has kept nothing yet that would be in it; processes that do so at once agree on one. */
async function beginDepot(rows: Store, directory: string, owner: string): Promise<string> {
  // Nothing is made in a directory for a portal that will have no depot.
  const named = await rows.read(idUnlessUnserved);
  if (named !== undefined) return named;
  const { id } = await labelAt(directory, owner);
  return rows.transact(async (w) => {
    const meanwhile = await idUnlessUnserved(w);
    if (meanwhile !== undefined) return meanwhile;
    await w.put(DEPOT.shelf, DEPOT.key, utf8(id));
    return id;
  });
}

/** Which depot a portal has, in one snapshot with what it kept: one without, which was served, may be going on so, and is refused. */
async function idUnlessUnserved(reading: Reading): Promise<string | undefined> {
  const named = await reading.get(DEPOT.shelf, DEPOT.key);
  if (named !== undefined) return fromUtf8(named);
  const kept = await Promise.all([logShelf.log, ...OUTSIDE].map((one) => reading.list(one, "", { limit: 1 })));
  demand(kept.every((entries) => entries.length === 0), "data-exists", "This portal keeps its blobs and tiles in the database.", "Move them, while it is stopped: mesh portal migrate --depot DIR");
  return undefined;
}

/** The label of a portal's depot in a directory, which is made one if it is empty. */
export async function labelAt(directory: string, owner: string): Promise<DepotLabel> {
  const { depotIn, makeDirectoryDepot } = await import("../../store/directory-depot.ts");
  const label = depotIn(directory) ?? (demandOurs(directory), await makeDirectoryDepot(directory, owner));
  demand(label.owner === owner, "store-wrong-portal", `The depot in ${directory} is another portal's.`, "Give each portal a directory of its own.");
  return label;
}

/** A directory with anything but folders that a depot has, made by whoever was cut off, is somebody's. */
function demandOurs(directory: string): void {
  const others = filesIn(directory).filter((name) => name.length > 1 && !name.startsWith("depot.json."));
  demand(others.length === 0, "data-exists", `There is something else in ${directory}.`, "Choose a directory that is empty or not there.");
}

function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new MeshError("data-damaged", `${directory} cannot be read (${(error as NodeJS.ErrnoException).code ?? "?"}).`);
  }
}

/** A portal whose depot is where an option says; where that says nothing, where it was before. */
export function withDepotAt<D extends PortalData>(data: D, directory: string | undefined): D {
  return directory === undefined ? data : { ...data, settings: { ...data.settings, depot: resolve(directory) } };
}

/** Refuses what is done with a file where the portal has none. */
export function demandFile({ settings }: PortalData, instead: string): void {
  demand(settings.database === undefined, "store-not-a-file", "This portal keeps its records in PostgreSQL, not in a file.", instead);
}
