import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { addPassword } from "../../src/applications/passwords/edit.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import { disableDevice, leaveMesh } from "../../src/client/operations/disable.ts";
import { sync } from "../../src/client/sync.ts";
import type { TestDevice, TestPortal } from "../support/world.ts";
import { agreed, deviceOf, household, names, save } from "./household.ts";

const HOUR = 3_600_000;

/** Does something when a portal is asked for a command first, before it hears of it. */
function beforeThe(portal: TestPortal, command: string, work: () => Promise<unknown>): void {
  portal.meddler.request = async (request) => {
    if (!Buffer.from(request.body.subarray(0, 40)).includes(`"${command}"`)) return request;
    delete portal.meddler.request;
    await work();
    return request;
  };
}

async function entriesOf(device: TestDevice): Promise<unknown> {
  return (await readEntries(device.client, "passwords")).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

suite("a device writes while another suspends it, past the heads that the suspension names", () => {
  test("whoever took the edit before it heard of the suspension takes it out again: all hold the same", async () => {
    const alice = await household({ tower: "admin", laptop: "member", phone: "member" });
    const [tower, laptop, phone] = [deviceOf(alice, "tower"), deviceOf(alice, "laptop"), deviceOf(alice, "phone")];
    await save(laptop, "before");
    beforeThe(alice.portal, "Publish", async () => {
      await save(tower, "late");
      await sync(laptop.client);
    });
    await disableDevice(alice.desktop.client, "tower");
    assert.deepEqual(await names(laptop), ["before", "late"]);
    for (const device of [laptop, phone, alice.desktop]) await sync(device.client);
    for (const device of [laptop, phone, alice.desktop]) assert.deepEqual(await names(device), ["before"]);
    assert.deepEqual(await entriesOf(laptop), await entriesOf(phone));
  });

  test("when the suspension lapses the edit counts again, for those who took it out and for those who never took it", async () => {
    const alice = await household({ laptop: "member", phone: "member", thief: "member" });
    const [laptop, phone, thief] = [deviceOf(alice, "laptop"), deviceOf(alice, "phone"), deviceOf(alice, "thief")];
    beforeThe(alice.portal, "Publish", async () => {
      await save(laptop, "late");
      await sync(phone.client);
    });
    // Of two members neither stands above the other: both are suspended, the laptop for 72 hours.
    await disableDevice(thief.client, "laptop", agreed);
    for (const device of [phone, alice.desktop]) {
      await sync(device.client);
      assert.deepEqual(await names(device), []);
    }
    alice.portal.clock.now += 73 * HOUR;
    for (const device of [alice.desktop, laptop, phone, alice.desktop, laptop]) await sync(device.client);
    for (const device of [laptop, phone, alice.desktop]) assert.deepEqual(await names(device), ["late"]);
    assert.deepEqual(await entriesOf(laptop), await entriesOf(phone));
    assert.deepEqual(await entriesOf(alice.desktop), await entriesOf(phone));
  });
});

test("a device that leaves while another writes sends what it still had, and is out", async () => {
  const alice = await household({ laptop: "member" });
  const laptop = deviceOf(alice, "laptop");
  await editEntries(laptop.client, "passwords", () => [addPassword([], { name: "mine" })]);
  beforeThe(alice.portal, "CatalogAppend", () => save(alice.desktop, "yours"));
  await leaveMesh(laptop.client);
  await sync(alice.desktop.client);
  assert.deepEqual(await names(alice.desktop), ["mine", "yours"]);
});
