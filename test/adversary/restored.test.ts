import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { editEntries } from "../../src/client/catalog.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { change } from "../../src/catalogs/merge.ts";
import { bringBack } from "../../src/client/operations/bring-back.ts";
import { disableDevice, leaveMesh, removeSuspended } from "../../src/client/operations/disable.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { shelf } from "../../src/portal/records.ts";
import type { TestPortal } from "../support/world.ts";
import { twinOf } from "./cheating.ts";
import { deviceOf, household, type Household, join, meshOf, names, refused, save } from "./household.ts";

const HOUR = 3_600_000;

/** What an operator does: the portal as it was when the backup was made, saying so. */
async function restoredFrom(backup: TestPortal, made: number): Promise<TestPortal> {
  backup.clock.now += 1000;
  return twinOf(backup, { restored: { at: backup.clock.now, backup: made }, version: 1000 });
}

function turnTo({ desktop, devices }: Household, portal: TestPortal): void {
  for (const device of [desktop, ...Object.values(devices)]) device.portal = portal;
}

suite("a portal restored from a backup", () => {
  test("says so; every device that knows more stops and changes nothing; one of them gives everything back octet for octet, and all go on", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    await save(alice.desktop, "before");
    await sync(laptop.client);
    const [backup, made] = [await twinOf(alice.portal), alice.portal.clock.now];
    // Since then: commits before and after a suspension and the removal that follows it, a roll, a device that joined and wrote, and one that was cut off.
    alice.portal.clock.now += HOUR;
    await save(tablet, "tablets");
    await leaveMesh(tablet.client);
    const synced = await pull(alice.desktop.client);
    await removeSuspended(alice.desktop.client, synced);
    synced.link.close();
    const phone = await join(alice, "phone");
    await save(phone, "phones");
    await disableDevice(alice.desktop.client, "phone");
    for (const device of [laptop, alice.desktop]) await sync(device.client);
    await save(laptop, "laptops");
    await sync(alice.desktop.client);
    const before = await commitsOf(alice.portal);

    const restored = await restoredFrom(backup, made);
    turnTo(alice, restored);
    for (const device of [alice.desktop, laptop]) {
      const error = await refused(device, () => sync(device.client), "portal-restored");
      assert.match(error.message, /from a backup of 2026-06-01 12:00 UTC; it lacks \d+ things/);
    }
    await editEntries(laptop.client, "passwords", () => [change(newEntryId(), undefined, { name: "meanwhile" })]);
    assert.ok((await bringBack(laptop.client)) > 8);
    assert.deepEqual(await commitsOf(restored), before);
    for (const device of [laptop, alice.desktop]) await sync(device.client);
    assert.deepEqual(await names(alice.desktop), ["before", "laptops", "meanwhile", "phones", "tablets"]);
    assert.equal((await meshOf(alice.desktop)).history.length, (await meshOf(laptop)).history.length);
    assert.equal(await bringBack(alice.desktop.client), 0);
    await assert.rejects(sync(phone.client), { code: "device-disabled" });
    await join({ ...alice, portal: restored }, "watch");
  });

  test("who was in step since takes an old restore as no excuse, nor one that the portal did not sign", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const [backup, made] = [await twinOf(alice.portal), alice.portal.clock.now];
    const restored = await restoredFrom(backup, made);
    turnTo(alice, restored);
    await sync(laptop.client);
    await save(alice.desktop, "new");
    alice.portal.clock.now += HOUR;
    await sync(laptop.client);
    const again = await twinOf(backup, { restored: { at: made + 1000, backup: made }, version: 1000 });
    laptop.portal = again;
    await refused(laptop, () => sync(laptop.client), "portal-older-catalog");
    laptop.portal = await twinOf(backup);
    await refused(laptop, () => sync(laptop.client), "portal-older-catalog");
  });

  test("a device that knows no more than the backup goes on without a word; who knows more is told of the restore, and then that another wrote since", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const [backup, made] = [await twinOf(alice.portal), alice.portal.clock.now];
    await save(alice.desktop, "lost");
    turnTo(alice, await restoredFrom(backup, made));
    await save(laptop, "new");
    await refused(alice.desktop, () => sync(alice.desktop.client), "portal-restored");
    await refused(alice.desktop, () => bringBack(alice.desktop.client), "portal-forked-catalog");
    assert.deepEqual(await names(alice.desktop), ["lost"]);
  });
});

async function commitsOf({ store }: TestPortal): Promise<readonly string[]> {
  const rows = await store.read((r) => r.list(shelf.commits, ""));
  return rows.map(({ key, value }) => `${key} ${(JSON.parse(Buffer.from(value).toString()) as { digest: string }).digest}`);
}
