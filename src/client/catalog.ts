import { applications, type ApplicationType } from "../applications/index.ts";
import type { Change } from "../catalogs/entries.ts";
import { current, type Entry, merge, unpurged } from "../catalogs/merge.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { type Client, memberSelf } from "./client.ts";
import { EntryRows } from "./entry-rows.ts";
import { type JournalRow, packs } from "./outbox.ts";
import type { RowsReading } from "./rows.ts";
import { inOrder, MOST_REMEMBERED, type Remembered, type View } from "./view.ts";

/** The kinds of catalog that there are: the mesh's own, and one for each application. */
export type CatalogType = "devices" | "administration" | ApplicationType;

/** Whether nothing is ever purged in a catalog of this kind: whoever could take away what others say of themselves would speak for them. */
export function isUnpurgeable(type: string | undefined): boolean {
  return type === "devices" || type === "administration";
}

/** The catalog of a kind, as this home knows it. */
export async function catalogOf(rows: RowsReading, type: CatalogType): Promise<string> {
  const row = await rows.get<{ id: string }>("types", type);
  const everywhere = !applications.some((one) => one.type === type && !one.everywhere);
  if (row === undefined) throw new MeshError("catalog-missing", `This device does not have the catalog of ${type} yet.`, everywhere ? "Run `mesh sync`." : `Set it up on an administration device: mesh ${type} setup. If that is done, run mesh sync here.`);
  return row.id;
}

/** The entries of a catalog with the changes that were not sent yet; removed ones among them. Needs no portal. */
export async function readEntries(client: Client, type: CatalogType): Promise<readonly Entry[]> {
  const self = await memberSelf(client);
  return client.rows.read(async (rows) => asRead(type, await entriesIn(rows, await catalogOf(rows, type), self.device)));
}

/**
 * What a view makes of the entries of a catalog, as `readEntries` has them, in its order.
 *
 * Where the client has a memory, it is as cheap as to look whether anything was committed since, by whatever process; after a change what was
 * made of the pages that did not change is made use of.
 */
export async function readView<T extends { readonly id: string }>(client: Client, type: CatalogType, view: View<T>): Promise<readonly T[]> {
  const self = await memberSelf(client);
  return client.rows.read(async (rows) => {
    const before = client.memory?.get(view) as Remembered<T> | undefined;
    const version = rows.version();
    if (before !== undefined && before.version === version) return before.values;
    const catalog = await catalogOf(rows, type);
    const make = (entry: Entry): T | undefined => view.make(isUnpurgeable(type) ? unpurged(entry) : entry);
    const entries = new EntryRows(rows, catalog);
    const pages = await entries.made(before?.catalog === catalog ? before.pages : new Map(), make);
    const changed = new Map<string, Entry>();
    for (const { changes } of await journalOf(rows, catalog)) for (const change of changes) changed.set(change.entry, merge(changed.get(change.entry) ?? (await entries.get(change.entry)), change, self.device));
    const unchanged = [...pages.values()].flatMap((page) => page.values.filter(({ id }) => !changed.has(id)));
    const values = inOrder([...unchanged, ...[...changed.values()].flatMap((entry) => make(entry) ?? [])], before?.values ?? [], view.order);
    const size = values.reduce((sum, value) => sum + view.size(value), 0);
    if (version === undefined || size > MOST_REMEMBERED) client.memory?.delete(view);
    else client.memory?.set(view, { version, catalog, pages, values } satisfies Remembered<T>);
    return values;
  });
}

/** As `readEntries`, only those that have one of these names, whatever its case, or identifiers, and perhaps others: its cost does not grow with what there is. */
export async function readNamed(client: Client, type: CatalogType, names: readonly string[]): Promise<readonly Entry[]> {
  const self = await memberSelf(client);
  return client.rows.read(async (rows) => namedIn(rows, await catalogOf(rows, type), self.device, names));
}

/** What an edit says: which entries change, and how. It may run again and must have no other effects. */
export type Work = (entries: readonly Entry[]) => readonly Change[];

/**
 * Changes entries of a catalog: `work` sees them as they are and says what changes; durable at home when this returns.
 *
 * The changes go to the portal with the next sync.
 */
export async function editEntries(client: Client, type: CatalogType, work: Work): Promise<void> {
  await edit(client, type, async (rows, catalog, device) => asRead(type, await entriesIn(rows, catalog, device)), work);
}

/** As `editEntries`, where `work` needs to see only the entries of some names or identifiers, as `readNamed` finds them. */
export async function editNamed(client: Client, type: CatalogType, names: readonly string[], work: Work): Promise<void> {
  await edit(client, type, (rows, catalog, device) => namedIn(rows, catalog, device, names), work);
}

/** The changes of a catalog that no commit holds yet, oldest first, in packs as they were made. */
export async function journalOf(rows: RowsReading, catalog: string): Promise<readonly JournalRow[]> {
  return (await rows.list<JournalRow>("journal", catalog)).map((one) => one.row);
}

async function edit(client: Client, type: CatalogType, see: (rows: RowsReading, catalog: string, device: string) => Promise<readonly Entry[]>, work: Work): Promise<void> {
  const self = await memberSelf(client);
  await client.rows.transact(async (rows) => {
    const catalog = await catalogOf(rows, type);
    const changes = work(await see(rows, catalog, self.device));
    if (changes.length === 0) return;
    const counter = await rows.get<{ next: number }>("journal-counter", catalog);
    let sequence = counter?.next ?? 1;
    for (const pack of packs(changes)) await rows.put("journal", catalog, sequence, { changes: pack, sequence: sequence++ } satisfies JournalRow);
    await rows.put("journal-counter", catalog, "", { next: sequence });
    const entries = new EntryRows(rows, catalog);
    for (const { entry, fields } of changes) {
      const name = fields["name"]?.[1];
      if (typeof name === "string") await entries.remember(name, entry);
    }
    await entries.flush(rows);
  });
}

function asRead(type: CatalogType, entries: readonly Entry[]): readonly Entry[] {
  return isUnpurgeable(type) ? entries.map(unpurged) : entries;
}

async function entriesIn(rows: RowsReading, catalog: string, device: string): Promise<readonly Entry[]> {
  const entries = new Map((await new EntryRows(rows, catalog).all()).map((entry) => [entry.id, entry]));
  for (const { changes } of await journalOf(rows, catalog)) for (const change of changes) entries.set(change.entry, merge(entries.get(change.entry), change, device));
  return [...entries.values()];
}

async function namedIn(rows: RowsReading, catalog: string, device: string, names: readonly string[]): Promise<readonly Entry[]> {
  const kept = new EntryRows(rows, catalog);
  const journal = await journalOf(rows, catalog);
  const found = new Map<string, Entry>();
  const find = async (id: string): Promise<void> => {
    if (found.has(id)) return;
    let entry = await kept.get(id);
    for (const { changes } of journal) for (const change of changes) if (change.entry === id) entry = merge(entry, change, device);
    if (entry !== undefined) found.set(id, entry);
  };
  for (const name of names) for (const id of [name.trim(), ...(await kept.named(name.trim()))]) await find(id);
  // Whoever names one by its identifier must see, too, who shares its name.
  for (const entry of Array.from(found.values())) for (const id of await kept.named(String(current(entry, "name")))) await find(id);
  return [...found.values()];
}
