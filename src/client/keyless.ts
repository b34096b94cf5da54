import { owed } from "../catalogs/freshness.ts";
import { masterOf, type Mesh, personalOf, suspendedIn } from "../profiles/mesh.ts";
import { rosterOf } from "../profiles/roster.ts";
import { demand } from "../refusals/mesh-error.ts";
import { catalogOf, type CatalogType, journalOf } from "./catalog.ts";
import type { Client } from "./client.ts";
import { loadCatalog } from "./known.ts";
import type { RowsReading } from "./rows.ts";
import type { Synced } from "./synced.ts";

/**
 * Of how many catalogs that a device reads this home does not have the newest key, as after a suspension that is over: it was left out when the key was made.
 *
 * An administration device that has it gives it with its next sync (decision 6.2); until then what others write waits here unread, and what is changed here unsent.
 */
export async function keylessCatalogs(rows: RowsReading, mesh: Pick<Mesh, "history">, device: string): Promise<number> {
  let count = 0;
  for (const { id, readers } of personalOf(mesh).payload.applications) {
    const row = readers.some((one) => one === device) ? await loadCatalog(rows, id) : undefined;
    if (row !== undefined && row.epochs[row.chain.epoch]?.key === undefined) count += 1;
  }
  return count;
}

/** How many catalogs need a new epoch that this device cannot begin, since it was not given the key of the present one. */
export async function staleCatalogs(client: Client, { mesh, now }: Pick<Synced, "mesh" | "now">): Promise<number> {
  const [suspended, roster] = [suspendedIn(mesh, now), rosterOf(masterOf(mesh))];
  return client.rows.read(async (rows) => {
    let count = 0;
    for (const { id } of personalOf(mesh).payload.applications) {
      const row = await loadCatalog(rows, id);
      if (row !== undefined && owed(row.chain, id, mesh.history, suspended, roster).roll) count += 1;
    }
    return count;
  });
}

/** Whether all that this device changed in a catalog was sent. */
export async function isSent(client: Client, type: CatalogType): Promise<boolean> {
  return (await client.rows.read(async (rows) => journalOf(rows, await catalogOf(rows, type)))).length === 0;
}

/** Refuses with `epoch-key-missing` where, after a push, what this device changed in a catalog was not sent for want of the key. */
export async function requireSent(client: Client, type: CatalogType): Promise<void> {
  demand(await isSent(client, type), "epoch-key-missing", "This device was not given the newest keys yet, so that it cannot send what this needs.", "Run `mesh sync` on another of your administration devices, then here again.");
}
