import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { listed } from "../applications/passwords/listed.ts";
import { passwordsOf } from "../applications/passwords/password.ts";
import { newEntryId } from "../catalogs/entry-id.ts";
import { change, isRemoved, REMOVED } from "../catalogs/merge.ts";
import { household, keep, save } from "../../test/adversary/household.ts";
import { editEntries, readEntries, readView } from "./catalog.ts";
import type { Client } from "./client.ts";
import { sync } from "./sync.ts";
import { inOrder, type Memory, type View } from "./view.ts";

suite("what is remembered of a catalog", () => {
  test("is what reading all of it gives, after every kind of change: an edit that is not sent, one that is, one of another device, a removal", async () => {
    const alice = await household({ laptop: "member" });
    const { desktop, devices: { laptop } } = alice;
    assert.ok(laptop !== undefined);
    const client: Client = { ...desktop.client, memory: new Map() };
    const same = async (): Promise<readonly string[]> => {
      const view = await readView(client, "passwords", listed);
      const all = passwordsOf(await readEntries(client, "passwords"));
      assert.deepEqual(view, all.map(({ id, kind, name, username, sites, notes, folder, tags }) => ({ id, kind, name, username, sites, notes, folder, tags })));
      assert.equal(await readView(client, "passwords", listed), view, "nothing was changed: it is remembered");
      return view.map((one) => one.name);
    };
    await same();
    for (const name of ["github", "Bank", "mail"]) await save(desktop, name);
    assert.deepEqual(await same(), ["Bank", "github", "mail"]);
    await keep(desktop, "unsent");
    assert.deepEqual(await same(), ["Bank", "github", "mail", "unsent"]);
    await save(laptop, "of the laptop");
    await sync(client);
    assert.deepEqual(await same(), ["Bank", "github", "mail", "of the laptop", "unsent"]);
    const edit = (name: string, fields: Parameters<typeof change>[2]) => editEntries(client, "passwords", (entries) => entries.filter((entry) => entry.fields["name"]?.[0]?.value === name).map((entry) => change(entry.id, entry, fields)));
    await edit("mail", { [REMOVED]: true });
    await edit("unsent", { name: "about to be sent" });
    assert.deepEqual(await same(), ["about to be sent", "Bank", "github", "of the laptop"]);
    await sync(client);
    assert.deepEqual(await same(), ["about to be sent", "Bank", "github", "of the laptop"]);
  });

  test("makes anew only what stands on a page that was written, and nothing where nothing was", async () => {
    const { desktop } = await household();
    const client: Client = { ...desktop.client, memory: new Map() };
    await editEntries(client, "passwords", () => Array.from({ length: 900 }, (_, at) => change(newEntryId(), undefined, { name: `login ${at}`, notes: "x".repeat(100) })));
    await sync(client);
    let made = 0;
    const counted: View<{ readonly id: string }> = { make: (entry) => (made++, isRemoved(entry) ? undefined : { id: entry.id }), order: (a, b) => (a.id < b.id ? -1 : 1), size: () => 1 };
    const madeBy = async (): Promise<number> => {
      made = 0;
      assert.equal((await readView(client, "passwords", counted)).length, 900);
      return made;
    };
    assert.deepEqual([await madeBy(), await madeBy()], [900, 0]);
    await editEntries(client, "passwords", ([entry]) => (entry === undefined ? [] : [change(entry.id, entry, { notes: "another" })]));
    assert.equal(await madeBy(), 1);
    await sync(client);
    const again = await madeBy();
    assert.ok(again > 0 && again < 900, String(again));
  });

  test("is nothing where there is too much of it", async () => {
    const { desktop } = await household();
    const memory: Memory = new Map();
    const client: Client = { ...desktop.client, memory };
    await keep(desktop, "github");
    await readView(client, "passwords", { ...listed, size: () => Infinity });
    assert.equal(memory.size, 0);
  });

  test("the order is that of all at once, whatever was in order before", () => {
    const order = (a: { readonly at: number }, b: { readonly at: number }): number => a.at - b.at;
    const values = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 40 });
    fc.assert(
      fc.property(values, values, (old, now) => {
        const known = new Map(Array.from({ length: 61 }, (_, at) => [at, { at }]));
        const of = (places: readonly number[]) => places.flatMap((at) => known.get(at) ?? []);
        assert.deepEqual(inOrder(of(now), of(old).toSorted(order), order), of(now).toSorted(order));
      }),
    );
  });
});
