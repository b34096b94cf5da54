import type { Change } from "../catalogs/entries.ts";
import type { Entry } from "../catalogs/merge.ts";
import { latest } from "../profiles/history.ts";
import type { Self } from "./client.ts";
import { EntryRows } from "./entry-rows.ts";
import { loadMesh } from "./known.ts";
import type { JournalRow, OutboxRow } from "./outbox.ts";
import type { Rows, RowsWriting } from "./rows.ts";

/** A change of the journal, and an entry, as format 1 kept them: a row each. */
type OldJournalRow = { readonly sequence: number; readonly change: Change };

/**
 * Brings the rows of a home of format 1 to format 2, in one transaction: entries into pages, the journal into packs, the
 * outbox into numbered rows. Done again it changes nothing.
 */
export async function migrateHome(rows: Rows): Promise<void> {
  await rows.transact(async (writing) => {
    const self = await writing.get<Self>("self", "self");
    const last = self === undefined ? undefined : latest((await loadMesh(writing, self.master)).history);
    for (const { id } of last?.payload.applications ?? []) {
      await migrateEntries(writing, id);
      await migrateJournal(writing, id);
      await migrateOutbox(writing, id);
    }
  });
}

async function migrateEntries(rows: RowsWriting, catalog: string): Promise<void> {
  const old = (await rows.list<Entry | object>("entries", catalog)).filter((one): one is typeof one & { row: Entry } => "id" in one.row);
  for (const { remove } of old) await remove(rows);
  const entries = new EntryRows(rows, catalog);
  for (const { row } of old) await entries.put(row);
  await entries.flush(rows);
}

async function migrateJournal(rows: RowsWriting, catalog: string): Promise<void> {
  const entries = new EntryRows(rows, catalog);
  for (const { row } of await rows.list<OldJournalRow | JournalRow>("journal", catalog)) {
    if (!("change" in row)) continue;
    await rows.put("journal", catalog, row.sequence, { changes: [row.change], sequence: row.sequence } satisfies JournalRow);
    const name = row.change.fields["name"]?.[1];
    if (typeof name === "string") await entries.remember(name, row.change.entry);
  }
  await entries.flush(rows);
}

async function migrateOutbox(rows: RowsWriting, catalog: string): Promise<void> {
  const row = await rows.get<OutboxRow>("outbox", catalog);
  if (row === undefined) return;
  await rows.remove("outbox", catalog, "");
  await rows.put("outbox", catalog, row.index, row);
}
