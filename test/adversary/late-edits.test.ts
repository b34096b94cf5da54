import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { addPassword } from "../../src/applications/passwords/edit.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import { signerOf } from "../../src/client/client.ts";
import { disableDevice, leaveMesh } from "../../src/client/operations/disable.ts";
import { headsOf, withoutReader } from "../../src/client/operations/versions.ts";
import { statusOf } from "../../src/client/status.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { signObject } from "../../src/envelope/signed.ts";
import { masterProfile } from "../../src/profiles/master.ts";
import { masterOf, personalOf } from "../../src/profiles/mesh.ts";
import { type PersonalProfile, personalProfile } from "../../src/profiles/personal.ts";
import { publish } from "../../src/protocol/profiles.ts";
import type { TestDevice, TestPortal } from "../support/world.ts";
import { agreed, deviceOf, join, meshOf, names, save, whoIs } from "./household.ts";
import { loggedHousehold } from "./log-doubles.ts";

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
    const alice = await loggedHousehold({ tower: "admin", laptop: "member", phone: "member" });
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
    const alice = await loggedHousehold({ laptop: "member", phone: "member", thief: "member" });
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
  const alice = await loggedHousehold({ laptop: "member" });
  const laptop = deviceOf(alice, "laptop");
  await editEntries(laptop.client, "passwords", () => [addPassword([], { name: "mine" })]);
  beforeThe(alice.portal, "CatalogAppend", () => save(alice.desktop, "yours"));
  await leaveMesh(laptop.client);
  await sync(alice.desktop.client);
  assert.deepEqual(await names(alice.desktop), ["mine", "yours"]);
});

suite("a device is back from a suspension that lapsed", () => {
  const back = async () => {
    const alice = await loggedHousehold({ tower: "admin", laptop: "member", phone: "member", thief: "member" });
    // Of two members neither stands above the other: the laptop is back after 72 hours.
    await disableDevice(deviceOf(alice, "thief").client, "laptop", agreed);
    await sync(alice.desktop.client);
    alice.portal.clock.now += 73 * HOUR;
    return alice;
  };

  test("what it writes waits, and it says so; the next sync of any administration device gives it the keys", async () => {
    const alice = await back();
    const [laptop, phone] = [deviceOf(alice, "laptop"), deviceOf(alice, "phone")];
    await editEntries(laptop.client, "passwords", () => [addPassword([], { name: "from the laptop" })]);
    assert.equal((await sync(laptop.client)).keyless, 2);
    await sync(phone.client);
    assert.deepEqual([(await statusOf(laptop.client)).keyless, (await statusOf(laptop.client)).unsent > 0, await names(phone)], [2, true, []]);
    await sync(deviceOf(alice, "tower").client);
    assert.equal((await sync(laptop.client)).keyless, 0);
    await sync(phone.client);
    assert.deepEqual([(await statusOf(laptop.client)).unsent, await names(phone)], [0, ["from the laptop"]]);
  });

  test("what waited there for its key and was cut off meanwhile is not merged when the key comes", async () => {
    const alice = await back();
    const [laptop, phone, tower] = [deviceOf(alice, "laptop"), deviceOf(alice, "phone"), deviceOf(alice, "tower")];
    await save(phone, "before");
    beforeThe(alice.portal, "Publish", async () => {
      await save(phone, "late");
      await sync(laptop.client);
    });
    await disableDevice(alice.desktop.client, "phone");
    for (const device of [laptop, alice.desktop, laptop, tower]) await sync(device.client);
    for (const device of [laptop, alice.desktop, tower]) assert.deepEqual(await names(device), ["before"]);
    assert.deepEqual(await entriesOf(laptop), await entriesOf(tower));
  });
});

suite("an override makes void the versions that let a device in (decision 4.6)", () => {
  test("whoever merged what that device wrote takes it out again, though the override's signer knew of it: all hold the same", async () => {
    const alice = await loggedHousehold({ tower: "admin", phone: "member" });
    const [tower, phone] = [deviceOf(alice, "tower"), deviceOf(alice, "phone")];
    await save(phone, "before");
    await sync(alice.desktop.client);
    const base = personalOf(await meshOf(alice.desktop));
    // The tower is the thief's: it lets in a device of his.
    const guest = await join({ ...alice, desktop: tower }, "guest");
    await save(guest, "planted");
    await save(phone, "mine, meanwhile");
    for (const device of [phone, alice.desktop]) {
      await sync(device.client);
      assert.deepEqual(await names(device), ["before", "mine, meanwhile", "planted"]);
    }
    const { link, mesh, requester, self } = await pull(alice.desktop.client);
    const before = masterOf(mesh);
    const thief = (await whoIs(tower)).device;
    const master = await signObject(masterProfile, { ...before.payload, administrationKeys: before.payload.administrationKeys.filter((key) => key.device !== thief), previous: before.digest, version: before.payload.version + 1 }, signerOf(alice.desktop.master, self.master));
    const payload: PersonalProfile = {
      ...base.payload,
      applications: [...withoutReader(base.payload.applications, thief)],
      devices: base.payload.devices.map((one) => (one.id === thief ? { ...one, status: "disabled" } : one)),
      g: master.payload.version,
      heads: await headsOf(alice.desktop.client, base.payload),
      master: master.digest,
      n: 1,
      previous: base.digest,
    };
    const personal = await signObject(personalProfile, payload, signerOf(alice.desktop.keyring, self.administrationKey));
    await link.call(requester, publish, { parts: [{ kind: "master", object: master.jws }, { kind: "personal", object: personal.jws }] });
    for (const device of [alice.desktop, phone]) await sync(device.client);
    const later = await join(alice, "later");
    for (const device of [phone, alice.desktop, later]) {
      await sync(device.client);
      assert.deepEqual(await names(device), ["before", "mine, meanwhile"]);
    }
    assert.deepEqual(await entriesOf(phone), await entriesOf(later));
    assert.deepEqual(await entriesOf(alice.desktop), await entriesOf(later));
  });
});
