import assert from "node:assert/strict";
import { test } from "node:test";

import { change } from "../catalogs/merge.ts";
import { newEntryId } from "../catalogs/entry-id.ts";
import { household, idOf, join, names, save } from "../../test/adversary/household.ts";
import { editEntries, journalOf, readEntries, readNamed } from "./catalog.ts";
import { EntryRows } from "./entry-rows.ts";
import { migrateHome } from "./migrate-home.ts";
import { sync } from "./sync.ts";

test("a home of format 1 is brought to format 2 with all it held, sent and unsent, and done twice it stays so", async () => {
  const alice = await household();
  const { client } = alice.desktop;
  for (const name of ["github", "bank"]) await save(alice.desktop, name);
  await editEntries(client, "passwords", () => [change(newEntryId(), undefined, { name: "unsent" }), change(newEntryId(), undefined, { name: "unsent too" })]);
  const sorted = async () => (await readEntries(client, "passwords")).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const before = await sorted();
  for (const type of ["passwords", "devices", "administration"] as const) {
    const catalog = await idOf(alice.desktop, type);
    await client.rows.transact(async (rows) => {
      const pages = new EntryRows(rows, catalog);
      const entries = await pages.all();
      await pages.clear(rows);
      for (const entry of entries) await rows.put("entries", catalog, entry.id, entry);
      const journal = await journalOf(rows, catalog);
      for (const { sequence } of journal) await rows.remove("journal", catalog, sequence);
      let sequence = 1;
      for (const one of journal.flatMap((row) => row.changes)) await rows.put("journal", catalog, sequence, { change: one, sequence: sequence++ });
      await rows.put("journal-counter", catalog, "", { next: sequence });
    });
  }
  for (let times = 0; times < 2; times++) {
    await migrateHome(client.rows);
    assert.deepEqual(await sorted(), before);
    for (const name of ["GitHub", "unsent"]) assert.equal((await readNamed(client, "passwords", [name])).length, 1, name);
  }
  await sync(client);
  const tablet = await join(alice, "tablet");
  assert.deepEqual(await names(tablet), ["bank", "github", "unsent", "unsent too"]);
});
