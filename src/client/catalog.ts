import type { Change } from "../catalogs/entries.ts";
import { type Entry, merge } from "../catalogs/merge.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { type Client, memberSelf } from "./client.ts";
import type { JournalRow } from "./outbox.ts";
import type { RowsReading } from "./rows.ts";

/** The kinds of catalog that every mesh has. */
export type CatalogType = "devices" | "administration" | "passwords";

/** The catalog of a kind, as this home knows it. */
export async function catalogOf(rows: RowsReading, type: CatalogType): Promise<string> {
  const row = await rows.get<{ id: string }>("types", type);
  if (row === undefined) throw new MeshError("catalog-missing", `This device does not have the catalog of ${type} yet.`, "Run `mesh sync`.");
  return row.id;
}

/** The entries of a catalog with the changes that were not sent yet; removed ones among them. Needs no portal. */
export async function readEntries(client: Client, type: CatalogType): Promise<readonly Entry[]> {
  const self = await memberSelf(client);
  return client.rows.read(async (rows) => entriesIn(rows, await catalogOf(rows, type), self.device));
}

/**
 * Changes entries of a catalog: `work` sees them as they are and says what changes; durable at home when this returns.
 *
 * The changes go to the portal with the next sync. `work` may run again and must have no other effects.
 */
export async function editEntries(client: Client, type: CatalogType, work: (entries: readonly Entry[]) => readonly Change[]): Promise<void> {
  const self = await memberSelf(client);
  await client.rows.transact(async (rows) => {
    const catalog = await catalogOf(rows, type);
    const changes = work(await entriesIn(rows, catalog, self.device));
    const counter = await rows.get<{ next: number }>("journal-counter", catalog);
    let sequence = counter?.next ?? 1;
    for (const change of changes) await rows.put("journal", catalog, sequence, { change, sequence: sequence++ } satisfies JournalRow);
    await rows.put("journal-counter", catalog, "", { next: sequence });
  });
}

/** The changes of a catalog that no commit holds yet, oldest first. */
export async function journalOf(rows: RowsReading, catalog: string): Promise<readonly { readonly sequence: number; readonly change: Change }[]> {
  return (await rows.list<{ sequence: number; change: Change }>("journal", catalog)).map((one) => one.row);
}

async function entriesIn(rows: RowsReading, catalog: string, device: string): Promise<readonly Entry[]> {
  const entries = new Map((await rows.list<Entry>("entries", catalog)).map(({ row }) => [row.id, row]));
  for (const { change } of await journalOf(rows, catalog)) entries.set(change.entry, merge(entries.get(change.entry), change, device));
  return [...entries.values()];
}
