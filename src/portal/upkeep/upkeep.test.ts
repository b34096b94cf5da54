import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { change } from "../../catalogs/merge.ts";
import { newEntryId } from "../../catalogs/entry-id.ts";
import { editEntries } from "../../client/catalog.ts";
import { signerOf } from "../../client/client.ts";
import { createMesh } from "../../client/operations/create.ts";
import { sync } from "../../client/sync.ts";
import { signObject } from "../../envelope/signed.ts";
import { account as accountType } from "../../profiles/account.ts";
import { deleteAccount } from "../../protocol/accounts.ts";
import { deviceOf, household, join, meshOf, names, save, whoIs } from "../../../test/adversary/household.ts";
import { newDevice, type TestDevice, type TestPortal } from "../../../test/support/world.ts";
import { parseRow, putRow, shelf, type Stamped } from "../records.ts";
import { askAs, openAs } from "../test-asking.ts";
import { loadWhole } from "../whole.ts";
import { get } from "../../protocol/profiles.ts";
import { accountsOf, setQuota } from "./accounts.ts";
import { takeCensus } from "./census.ts";
import { purge } from "./purge.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Every row of a portal, by shelf. */
async function everything({ store }: TestPortal): Promise<Readonly<Record<string, number>>> {
  return store.read(async (r) => Object.fromEntries(await Promise.all(Object.values(shelf).map(async (name): Promise<[string, number]> => [name, (await r.list(name, "")).length]))));
}

async function giveUp(device: TestDevice): Promise<void> {
  const self = await whoIs(device);
  const view = await device.portal.store.read((r) => loadWhole(r, self.master));
  assert.ok(view !== undefined);
  const { payload, digest } = view.account;
  const closed = await signObject(accountType, { ...payload, previous: digest, status: "closed", version: payload.version + 1 }, signerOf(device.keyring, self.administrationKey));
  assert.equal((await (await openAs(device)).ask(deleteAccount, { account: closed.jws })).code, "ok");
}

async function bob(portal: TestPortal): Promise<TestDevice> {
  const device = newDevice(portal, { holdsMaster: true });
  await createMesh(device.client, device.master, { address: "bob@example.com", portal: { url: portal.url, pin: portal.pin }, deviceName: "desktop" });
  return device;
}

suite("the operator's list of accounts", () => {
  test("says of each its state, room, devices and when it was last seen, and is the census in small", async () => {
    const alice = await household({ laptop: "member" });
    const { portal } = alice;
    portal.clock.now += HOUR;
    const other = await bob(portal);
    portal.clock.now += DAY;
    await save(alice.desktop, "mail");
    await giveUp(other);
    const lines = async () => (await portal.store.read((r) => Array.fromAsync(accountsOf(r, portal.clock.now)))).sort((a, b) => (a.address < b.address ? -1 : 1));
    const [first, second] = await lines();
    assert.deepEqual([first?.address, first?.state, first?.devices, first?.seen, first?.quota], ["alice@example.com", "open", 2, portal.clock.now, undefined]);
    assert.deepEqual([second?.address, second?.state, second?.devices, second?.closes], ["bob@example.com", "closing", 1, portal.clock.now + 72 * HOUR]);
    assert.ok((first?.octets ?? 0) > 100_000);
    const census = await takeCensus(portal.store, portal.clock.now);
    assert.deepEqual(census.accounts, { open: 1, closing: 1, closed: 0 });
    assert.equal(census.octets, (first?.octets ?? 0) + (second?.octets ?? 0));
    portal.clock.now += 72 * HOUR;
    assert.deepEqual((await lines()).map((one) => one.state), ["open", "closed"]);
  });

  test("one account's quota counts at once and for it alone; without it everybody's does again", async () => {
    const alice = await household();
    const { portal } = alice;
    const other = await bob(portal);
    await setQuota(portal.store, "alice@example.com", 1000);
    await assert.rejects(save(alice.desktop, "mail"), { code: "account-quota" });
    await save(other, "mail");
    await setQuota(portal.store, "alice@example.com", undefined);
    await sync(alice.desktop.client);
    assert.deepEqual(await names(alice.desktop), ["mail"]);
    await assert.rejects(setQuota(portal.store, "carol@example.com", 1), { code: "account-unknown" });
  });
});

suite("what is over is taken away", () => {
  test("a closed account goes 30 days after it ended, whole, and nothing of anybody else's", async () => {
    const alice = await household({ laptop: "member" });
    const { portal } = alice;
    await save(alice.desktop, "kept");
    const before = await everything(portal);
    const other = await bob(portal);
    await editEntries(other.client, "passwords", () => Array.from({ length: 300 }, (_, at) => change(newEntryId(), undefined, { name: `login ${at}`, password: "secret" })));
    await sync(other.client);
    await join({ at: alice.at, desktop: other, portal }, "phone").catch(() => undefined);
    await giveUp(other);
    portal.clock.now += 72 * HOUR + 30 * DAY - 1;
    assert.equal((await purge(portal.store, portal.clock.now)).accounts, 0, "its owner may still come back");
    portal.clock.now += 1;
    assert.equal((await purge(portal.store, portal.clock.now)).accounts, 1);
    assert.deepEqual(await everything(portal), before);
    assert.equal((await purge(portal.store, portal.clock.now)).accounts, 0);
    for (const device of [alice.desktop, deviceOf(alice, "laptop")]) await sync(device.client);
    assert.deepEqual(await names(deviceOf(alice, "laptop")), ["kept"]);
    assert.equal((await askAs(portal, get, { address: "bob@example.com" })).code, "account-unknown");
    await bob(portal);
  });

  test("what another mesh shows as well stays", async () => {
    const alice = await household();
    const { portal } = alice;
    const other = await bob(portal);
    const [mine, theirs] = [await whoIs(alice.desktop), await whoIs(other)];
    const [, shared] = await portal.store.read(async (r) => (await r.list(shelf.commits, `${theirs.master}/`)).map(({ value }) => parseRow<Stamped>(value)));
    assert.ok(shared !== undefined);
    // As only somebody's own hand could: alice's mesh names a commit of bob's.
    await portal.store.transact((w) => putRow(w, shelf.commits, `${mine.master}/elsewhere/000000000001`, shared));
    await giveUp(other);
    portal.clock.now += 73 * HOUR + 30 * DAY;
    assert.equal((await purge(portal.store, portal.clock.now)).accounts, 1);
    assert.ok(await portal.store.read((r) => r.get(shelf.objects, shared.digest)));
  });

  test("cut off anywhere, the next run ends it", async () => {
    const alice = await household();
    const { portal } = alice;
    const before = await everything(portal);
    for (let steps = 1; ; steps += 4) {
      const other = await bob(portal);
      await giveUp(other);
      portal.clock.now += 73 * HOUR + 30 * DAY;
      let left = steps;
      const mortal: typeof portal.store = { ...portal.store, read: (work) => portal.store.read(work), close: () => portal.store.close(), transact: async (work) => {
        if (left-- === 0) throw new Error("killed");
        return portal.store.transact(work);
      } };
      const ended = await purge(mortal, portal.clock.now).then(() => true, () => false);
      await purge(portal.store, portal.clock.now);
      const { objects: _, bodies: __, ...rest } = await everything(portal);
      const { objects: ___, bodies: ____, ...were } = before;
      assert.deepEqual(rest, { ...were, sessions: rest["sessions"], openings: rest["openings"], answers: rest["answers"] });
      if (ended) return;
    }
  });

  test("a session goes when it is 90 days old, with the answers kept for it", async () => {
    const alice = await household();
    const { portal } = alice;
    assert.ok((await everything(portal))["answers"] !== 0);
    portal.clock.now += 90 * DAY;
    assert.ok((await purge(portal.store, portal.clock.now)).sessions > 0);
    const left = await everything(portal);
    assert.deepEqual([left["sessions"], left["openings"], left["answers"]], [0, 0, 0]);
    await sync(alice.desktop.client);
    assert.ok((await meshOf(alice.desktop)).history.length > 0);
  });
});
