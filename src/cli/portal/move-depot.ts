import { resolve } from "node:path";
import { demand } from "../../refusals/mesh-error.ts";
import { depotIn, openDirectoryDepot } from "../../store/directory-depot.ts";
import { moveIntoDepot, moveOutOfDepot } from "../../store/sqlite-depot.ts";
import type { PortalData } from "./data.ts";
import { keepDepot } from "./settings.ts";
import { DEPOT, demandFile, labelAt, OUTSIDE } from "./store.ts";

/** In place of a directory: no depot any more. */
const NONE = "none";

/** Moves blobs and tiles of a stopped portal out of its file into a depot, or back for `none`; returns how many. Cut off, it is done again. */
export async function moveDepot(directory: string, data: PortalData, to: string): Promise<number> {
  demandFile(data, "Move its records into a file first: mesh portal migrate --to DIR");
  return to === NONE ? moveOut(directory, data) : moveIn(directory, data, resolve(to));
}

async function moveIn(directory: string, data: PortalData, to: string): Promise<number> {
  const { database, identity, settings } = data;
  demand(settings.depot === undefined, "data-exists", "This portal has a depot already.", "Its directory may be moved as it is, while the portal is stopped: then mesh portal serve --depot DIR");
  const label = await labelAt(to, identity.profile.payload.id);
  const moved = await moveIntoDepot(database, openDirectoryDepot(to), label.id, DEPOT, OUTSIDE);
  keepDepot(directory, to);
  return moved;
}

async function moveOut(directory: string, data: PortalData): Promise<number> {
  const { database, settings } = data;
  demand(settings.depot !== undefined, "data-exists", "This portal has no depot.");
  const label = depotIn(settings.depot);
  demand(label !== undefined, "store-unreachable", `There is no depot in ${settings.depot}.`, "See whether its disk is mounted.");
  const moved = await moveOutOfDepot(database, openDirectoryDepot(settings.depot), label.id, DEPOT, OUTSIDE);
  keepDepot(directory, undefined);
  return moved;
}
