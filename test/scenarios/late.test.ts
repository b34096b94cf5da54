import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptConnection } from "../../src/client/operations/accept.ts";
import { listDevices } from "../../src/client/devices.ts";
import { createMesh } from "../../src/client/operations/create.ts";
import { confirmJoin, joinMesh } from "../../src/client/operations/join.ts";
import { makePin } from "../../src/client/operations/pin.ts";
import { sync } from "../../src/client/sync.ts";
import { defaultPolicy } from "../../src/portal/limits.ts";
import { purge } from "../../src/portal/upkeep/purge.ts";
import { newDevice, startPortal } from "../support/world.ts";

const address = "alice@example.com";
const HOUR = 3_600_000;

async function meshOfOne() {
  // The limits of a real portal: what a person does must not meet them.
  const portal = await startPortal("example.com", undefined, { policy: { beginningsPerMinute: defaultPolicy.beginningsPerMinute, anonymousPerMinute: defaultPolicy.anonymousPerMinute } });
  const desktop = newDevice(portal, { holdsMaster: true });
  const at = { url: portal.url, pin: portal.pin };
  await createMesh(desktop.client, desktop.master, { address, portal: at, deviceName: "desktop" });
  const device = newDevice(portal).client;
  const join = (pinCode?: string) => joinMesh(device, { address, portal: at, deviceName: "laptop", ...(pinCode === undefined ? {} : { pinCode }) });
  const pass = (ms: number): void => {
    portal.clock.now += ms;
  };
  return { at, desktop: desktop.client, device, join, pass, portal };
}

test("a PIN that has expired lets nobody in; the same device then joins by words", async () => {
  const { desktop, join, pass } = await meshOfOne();
  const { pin } = await makePin(desktop, HOUR);
  pass(HOUR + 1);
  await assert.rejects(join(pin), { code: "connection-pin-unknown" });
  assert.equal((await join()).status, "pending");
});

test("a request that waited for a day is gone for those who accept, and asked again by running `join` again, with the same words", async () => {
  const { desktop, join, pass } = await meshOfOne();
  const { words } = await join();
  pass(25 * HOUR);
  await assert.rejects(acceptConnection(desktop, words, "member"), { code: "connection-not-found" });
  assert.equal((await join()).words, words);
  await acceptConnection(desktop, words, "member");
});

test("three words typed days after they were shown still join", async () => {
  const { desktop, device, join, pass } = await meshOfOne();
  const { words } = await join();
  const { answer } = await acceptConnection(desktop, words, "member");
  pass(5 * 24 * HOUR);
  await sync(desktop);
  await confirmJoin(device, answer.split(" "));
  assert.equal((await join()).status, "connected");
});

test("who was accepted and comes after the answer is kept no more asks again, is accepted again, and is in once", async () => {
  const { desktop, device, join, pass, portal } = await meshOfOne();
  const { words } = await join();
  await acceptConnection(desktop, words, "member");
  pass(400 * 24 * HOUR);
  await purge(portal.store, portal.clock.now);
  assert.equal((await join()).words, words);
  const { answer } = await acceptConnection(desktop, words, "member");
  await confirmJoin(device, answer.split(" "));
  assert.equal((await join()).status, "connected");
  assert.deepEqual((await listDevices(desktop)).map((one) => one.status), ["active", "active"]);
});

test("who waits to be accepted may ask once a second for as long as it takes, beside others that wait at the same address", async () => {
  const { desktop, join, pass, portal, at } = await meshOfOne();
  const others = [newDevice(portal), newDevice(portal)].map(({ client }, place) => () => joinMesh(client, { address, portal: at, deviceName: `other${place}` }));
  const { words } = await join();
  for (let second = 0; second < 150; second++) {
    for (const one of [join, ...others]) assert.equal((await one()).status, "pending");
    pass(1000);
  }
  await acceptConnection(desktop, words, "member");
  assert.equal((await join()).answered, true);
});
