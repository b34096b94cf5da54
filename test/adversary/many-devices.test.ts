import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { acceptConnection, rejectConnection } from "../../src/client/operations/accept.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { joinMesh } from "../../src/client/operations/join.ts";
import { nextPersonal } from "../../src/client/operations/versions.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { masterOf, personalOf } from "../../src/profiles/mesh.ts";
import { shelf } from "../../src/portal/records.ts";
import { type DeviceEntry, MAX_DEVICES } from "../../src/profiles/personal.ts";
import { entryOf, makeDevice, type TestDevice as Bare } from "../../src/profiles/test-mesh.ts";
import { connectComplete } from "../../src/protocol/connections.ts";
import { publish } from "../../src/protocol/profiles.ts";
import { decodeRequest } from "../../src/protocol/wire.ts";
import { newDevice, type TestDevice } from "../support/world.ts";
import { deviceOf, type Household, household, join, meshOf, names, refused, save, whoIs } from "./household.ts";

/** Publishes a version that lists other devices, signed by an administration device. */
async function list(device: TestDevice, change: (devices: readonly DeviceEntry[]) => readonly DeviceEntry[], offered: readonly Bare[] = []): Promise<void> {
  const { link, requester, self, mesh } = await pull(device.client);
  const { applications, devices } = personalOf(mesh).payload;
  const personal = await nextPersonal(device.client, self, mesh, { applications, devices: change(devices) });
  await link.call(requester, publish, { parts: [...offered.map(({ profile }) => ({ kind: "device" as const, object: profile.jws })), { kind: "personal", object: personal.jws }] });
  link.close();
}

/** Fills the list with devices that nobody has, up to a number. */
async function fill(device: TestDevice, upTo: number): Promise<readonly Bare[]> {
  const made = await Promise.all(Array.from({ length: upTo - personalOf(await meshOf(device)).payload.devices.length }, makeDevice));
  for (let at = 0; at < made.length; at += 16) {
    const some = made.slice(at, at + 16);
    await list(device, (devices) => [...devices, ...some.map((one) => entryOf(one, "member"))], some);
  }
  return made;
}

const disabled = (ids: ReadonlySet<string>) => (devices: readonly DeviceEntry[]) => devices.map((one) => (ids.has(one.id) ? { ...one, status: "disabled" as const } : one));

async function ask(alice: Household, deviceName: string) {
  const device = newDevice(alice.portal);
  const { master } = await whoIs(alice.desktop);
  return { device, asked: await joinMesh(device.client, { address: "alice@example.com", master, portal: alice.at, deviceName }) };
}

suite("how many devices a mesh may list (docs/spec/profiles.md 4.5)", () => {
  test("more than 64 in a life: disabled ones make room, those listed longest first, and are cut off as before", async () => {
    const alice = await household({ tablet: "member", lost: "member" });
    const [tablet, lost] = [deviceOf(alice, "tablet"), deviceOf(alice, "lost")];
    await save(lost, "from the lost one");
    const old = await fill(alice.desktop, MAX_DEVICES);
    const gone = new Set<string>([(await whoIs(lost)).device, ...old.map((one) => one.id)]);
    const { applications } = personalOf(await meshOf(alice.desktop)).payload;
    assert.ok(applications.every((one) => old.every(({ id }) => !one.readers.includes(id))));
    await disableDevice(alice.desktop.client, "lost");
    await list(alice.desktop, disabled(gone));
    const phone = await join(alice, "phone");
    const listed = personalOf(await meshOf(phone)).payload.devices;
    assert.equal(listed.length, MAX_DEVICES);
    assert.ok(!listed.some((one) => one.id === [...gone][0]), "the one listed longest was left out");
    // Whoever slept through all of it: the disabling and the leaving out come at once.
    await sync(tablet.client);
    for (const device of [tablet, phone]) assert.deepEqual(await names(device), ["from the lost one"]);
    await refused(lost, () => sync(lost.client), "device-disabled");
    // Nor does it take the portal for a liar, long after its sessions ended and its request is forgotten.
    await alice.portal.store.transact(async (w) => {
      for (const from of [shelf.sessions, shelf.requesters]) for (const { key } of await w.list(from, "")) await w.remove(from, key);
    });
    await refused(lost, () => sync(lost.client), "device-disabled");
    const second = await join(alice, "second phone");
    await save(second, "later");
    await sync(tablet.client);
    assert.deepEqual(await names(tablet), ["from the lost one", "later"]);
    // What is left out stays out, whichever administration device says otherwise.
    const entry = entryOf(old[0] as Bare, "member");
    assert.ok(!personalOf(await meshOf(second)).payload.devices.some((one) => one.id === entry.id));
    await assert.rejects(list(alice.desktop, (devices) => [...devices.filter((one) => one.status === "active"), entry], [old[0] as Bare]), { code: "profile-wrong-role" });
  });

  test("64 at once: the 65th is refused before anything is signed or sent, and let in once one is disabled, as after a thief filled the list", async () => {
    const alice = await household();
    const [first] = await fill(alice.desktop, MAX_DEVICES);
    const { asked, device } = await ask(alice, "phone");
    await sync(alice.desktop.client);
    const [versions, signed] = [(await meshOf(alice.desktop)).history.length, await alice.desktop.client.rows.read((rows) => rows.get("signed", "signed", 1))];
    for (const role of ["member", "admin"] as const) {
      const error = await refused(alice.desktop, () => acceptConnection(alice.desktop.client, asked.witness, role), "device-too-many");
      assert.match(error.hint ?? "", /mesh device disable/);
    }
    assert.deepEqual(await alice.desktop.client.rows.read((rows) => rows.get("signed", "signed", 1)), signed);
    assert.equal((await pull(alice.desktop.client)).mesh.history.length, versions);
    assert.equal(masterOf(await meshOf(alice.desktop)).payload.version, 1);
    await list(alice.desktop, disabled(new Set([first?.id ?? ""])));
    await acceptConnection(alice.desktop.client, asked.witness, "member");
    const { master } = await whoIs(alice.desktop);
    assert.equal((await joinMesh(device.client, { address: "alice@example.com", master, portal: alice.at, deviceName: "phone" })).status, "connected");
  });

  test("64 at once, and the Master key signed for a device that was turned away: another administration device can be cut off all the same, and nobody is lost", async () => {
    const alice = await household({ tower: "admin" });
    const { asked } = await ask(alice, "phone");
    let rejected = false;
    alice.portal.meddler.request = async (request) => {
      if (!rejected && decodeRequest(request.body).command.name === connectComplete.name) {
        rejected = true;
        await rejectConnection(deviceOf(alice, "tower").client, asked.witness);
      }
      return request;
    };
    await assert.rejects(acceptConnection(alice.desktop.client, asked.witness, "admin"), { code: "connection-not-found" });
    delete alice.portal.meddler.request;
    await sync(alice.desktop.client);
    await fill(alice.desktop, MAX_DEVICES - 1);
    const tablet = await join(alice, "tablet");
    await save(tablet, "before");
    await disableDevice(alice.desktop.client, "tower");
    await save(alice.desktop, "after");
    await sync(tablet.client);
    assert.deepEqual(await names(tablet), ["after", "before"]);
    await save(tablet, "later");
    await sync(alice.desktop.client);
    assert.deepEqual(await names(alice.desktop), ["after", "before", "later"]);
    const mesh = await meshOf(tablet);
    const { devices } = personalOf(mesh).payload;
    assert.equal(masterOf(mesh).payload.version, 4, "what was signed for the phone is published, and taken back");
    assert.equal(devices.filter((one) => one.status === "active").length, MAX_DEVICES - 1);
    await refused(deviceOf(alice, "tower"), () => sync(deviceOf(alice, "tower").client), "device-disabled");
  });
});
