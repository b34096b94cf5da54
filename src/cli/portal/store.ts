import { shelf } from "../../portal/records.ts";
import { demand } from "../../refusals/mesh-error.ts";
import type { Store } from "../../store/store.ts";
import type { PortalData } from "./data.ts";

/** Opens what a portal keeps, wherever that is: for a process that serves, for one that changes something, or to look where nothing can be written. */
export async function openPortalStore({ settings, identity, database }: PortalData, what: "serving" | "changing" | "looking"): Promise<Store> {
  if (settings.database !== undefined) {
    const { openPostgresStore } = await import("../../store/postgres.ts");
    return openPostgresStore(settings.database, { owner: identity.profile.payload.id, announced: shelf.meshes });
  }
  const { openServingStore, openSqliteStore } = await import("../../store/sqlite.ts");
  return what === "serving" ? openServingStore(database) : openSqliteStore(database, what === "looking" ? { orReading: true } : {});
}

/** Refuses what is done with a file where the portal has none. */
export function demandFile({ settings }: PortalData, instead: string): void {
  demand(settings.database === undefined, "store-not-a-file", "This portal keeps its records in PostgreSQL, not in a file.", instead);
}
