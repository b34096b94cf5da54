import assert from "node:assert/strict";
import { test } from "node:test";

import { change, current } from "../../src/catalogs/merge.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import { acceptConnection } from "../../src/client/operations/accept.ts";
import { createMesh } from "../../src/client/operations/create.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { confirmJoin, joinMesh } from "../../src/client/operations/join.ts";
import { answerPins, makePin } from "../../src/client/operations/pin.ts";
import { pendingLines } from "../../src/client/operations/requests.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { newDevice, startPortal, type TestDevice } from "../support/world.ts";

const address = "alice@example.com";

async function names(device: TestDevice): Promise<string[]> {
  return (await readEntries(device.client, "passwords")).map((entry) => String(current(entry, "name"))).sort();
}

test("draft §3.1: a mesh is made, joined by words and by PIN, shares passwords, and cuts off a stolen device", async () => {
  const portal = await startPortal();
  const [desktop, laptop, tablet] = [newDevice(portal, { holdsMaster: true }), newDevice(portal), newDevice(portal)];
  const at = { url: portal.url, pin: portal.pin };
  await createMesh(desktop.client, desktop.master, { address, portal: at, deviceName: "desktop" });
  await editEntries(desktop.client, "passwords", () => [change(newEntryId(), undefined, { name: "github", password: "one" })]);
  await sync(desktop.client);

  const asked = await joinMesh(laptop.client, { address, portal: at, deviceName: "laptop" });
  assert.equal(asked.status, "pending");
  const synced = await pull(desktop.client);
  const lines = await pendingLines(desktop.client, synced);
  synced.link.close();
  assert.deepEqual(lines.map((line) => line.words), [asked.words]);
  const accepted = await acceptConnection(desktop.client, asked.words, "member");
  assert.equal((await joinMesh(laptop.client, { address, portal: at, deviceName: "laptop" })).status, "pending");
  await confirmJoin(laptop.client, accepted.answer.split(" "));
  assert.equal((await joinMesh(laptop.client, { address, portal: at, deviceName: "laptop" })).status, "connected");
  assert.deepEqual(await names(laptop), ["github"]);

  const { pin } = await makePin(desktop.client, 3_600_000);
  assert.equal((await joinMesh(tablet.client, { address, portal: at, deviceName: "tablet", pinCode: pin })).status, "pending");
  const again = await pull(desktop.client);
  assert.deepEqual(await answerPins(desktop.client, again), ["tablet"]);
  again.link.close();
  assert.equal((await joinMesh(tablet.client, { address, portal: at, deviceName: "tablet", pinCode: pin })).status, "connected");

  await editEntries(tablet.client, "passwords", () => [change(newEntryId(), undefined, { name: "mail", password: "two" })]);
  await sync(tablet.client);
  await sync(laptop.client);
  assert.deepEqual(await names(laptop), ["github", "mail"]);

  const receipt = await disableDevice(desktop.client, "laptop");
  assert.ok(receipt.done.length >= 2, JSON.stringify(receipt));
  await assert.rejects(sync(laptop.client), { code: "device-disabled" });
  await sync(tablet.client);
  await editEntries(tablet.client, "passwords", () => [change(newEntryId(), undefined, { name: "bank", password: "three" })]);
  await sync(tablet.client);
  await sync(desktop.client);
  assert.deepEqual(await names(desktop), ["bank", "github", "mail"]);
});
