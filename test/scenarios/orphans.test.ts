import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { change, current } from "../../src/catalogs/merge.ts";
import { stageBlob } from "../../src/client/blobs.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import { listAll } from "../../src/client/collect-blobs.ts";
import { meetPortal } from "../../src/client/portal-link.ts";
import { readBlobs } from "../../src/client/read-blobs.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { type ReplayRow, snapshotOf, type Vouched } from "../../src/client/snapshot-rows.ts";
import { sync } from "../../src/client/sync.ts";
import { randomBytes } from "../../src/crypto/random.ts";
import type { Digest } from "../../src/envelope/fields.ts";
import { dropBlobs, listBlobs } from "../../src/protocol/blobs.ts";
import { decodeRequest, decodeResponse, encodeResponse } from "../../src/protocol/wire.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import { authentic } from "../adversary/cheating.ts";
import { agreed, deviceOf, household, type Household, idOf, join, names, save, whoIs } from "../adversary/household.ts";
import type { TestDevice } from "../support/world.ts";

const DAY = 86_400_000;

async function linkOf(device: TestDevice) {
  const self = await whoIs(device);
  return { link: await meetPortal(device.client, self.portal.url, self.portal.id), requester: self };
}

/** Puts octets and dies before anything names them. */
async function orphan(device: TestDevice): Promise<Digest> {
  const { link, requester } = await linkOf(device);
  return link.putBlob(requester, randomBytes(1000));
}

/** Octets kept with a password, named by a commit. */
async function attach(device: TestDevice, name: string): Promise<Digest> {
  const blob = await stageBlob(device.client, "passwords", randomBytes(2000));
  await editEntries(device.client, "passwords", () => [change(newEntryId(), undefined, { name, "attachment:0:x": { blobs: [blob] } })]);
  await sync(device.client);
  return blob;
}

async function listed(device: TestDevice): Promise<ReadonlySet<string>> {
  const { link, requester } = await linkOf(device);
  return new Set((await listAll(link, requester)).map((one) => one.digest));
}

async function later(alice: Household, days: number, ...devices: readonly TestDevice[]): Promise<void> {
  alice.portal.clock.now += days * DAY;
  for (const device of devices) await sync(device.client);
}

async function fill(device: TestDevice, prefix: string): Promise<void> {
  await editEntries(device.client, "passwords", () => Array.from({ length: 140 }, (_, n) => change(newEntryId(), undefined, { name: `${prefix} ${n}`, notes: "x".repeat(8000) })));
  await sync(device.client);
}

suite("blobs that nothing names", () => {
  test("a device drops what it put and never named, not before three days, and nothing that anything names", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const [lost, attached, others] = [await orphan(laptop), await attach(laptop, "scan"), await orphan(alice.desktop)];
    // Detached: still in the history.
    await editEntries(laptop.client, "passwords", (entries) => entries.filter((one) => current(one, "name") === "scan").map((one) => change(one.id, one, { "attachment:0:x": null })));
    await later(alice, 8);
    const young = await orphan(laptop);
    await sync(laptop.client);
    const left = await listed(laptop);
    assert.deepEqual([lost, attached, others, young].map((one) => left.has(one)), [false, true, true, true]);
    await later(alice, 8, laptop, alice.desktop);
    const now = await listed(laptop);
    assert.deepEqual([attached, others, young].map((one) => now.has(one)), [true, false, false]);
  });

  test("what a change names that is not sent yet stays, and so does what was put again meanwhile", async () => {
    const alice = await household();
    const blob = await stageBlob(alice.desktop.client, "passwords", randomBytes(2000));
    await editEntries(alice.desktop.client, "passwords", () => [change(newEntryId(), undefined, { name: "scan", "attachment:0:x": { blobs: [blob] } })]);
    // The portal took the blob, and the device died before the commit; then it was off for weeks.
    alice.portal.meddler.request = (request) => {
      if (decodeRequest(request.body).command.name === "CatalogAppend") throw new MeshError("service-unreachable", "cut off");
      return request;
    };
    await assert.rejects(sync(alice.desktop.client));
    delete alice.portal.meddler.request;
    assert.ok((await listed(alice.desktop)).has(blob));
    const again = randomBytes(1000);
    const { link, requester } = await linkOf(alice.desktop);
    const twice = await link.putBlob(requester, again);
    alice.portal.clock.now += 8 * DAY;
    // Between the look and the word, another process puts it again.
    alice.portal.meddler.request = async (request) => {
      if (decodeRequest(request.body).command.name === dropBlobs.name) {
        delete alice.portal.meddler.request;
        await link.putBlob(requester, again);
      }
      return request;
    };
    await sync(alice.desktop.client);
    const left = await listed(alice.desktop);
    assert.ok(left.has(blob) && left.has(twice));
    const scan = (await readEntries(alice.desktop.client, "passwords"))[0] ?? assert.fail();
    for await (const octets of readBlobs(alice.desktop.client, "passwords", scan.id, [{ digest: blob, size: 2000 }])) assert.equal(octets.length, 2000);
  });

  test("snapshots and lost blobs of a device cut off go three days later, by an administration device; what its entries name stays", async () => {
    const alice = await household({ tower: "admin", laptop: "member" });
    const [tower, laptop] = [deviceOf(alice, "tower"), deviceOf(alice, "laptop")];
    await fill(tower, "one");
    const [lost, attached] = [await orphan(tower), await attach(tower, "scan")];
    const catalog = await idOf(tower, "passwords");
    const snapshot = (await tower.client.rows.read((rows) => snapshotOf(rows, catalog)))?.digest ?? assert.fail();
    assert.ok((await listed(laptop)).has(snapshot));
    await disableDevice(alice.desktop.client, "tower", agreed);
    await sync(alice.desktop.client);
    await later(alice, 8, laptop);
    assert.ok((await listed(laptop)).has(snapshot), "a member judges its own alone");
    await later(alice, 0, alice.desktop);
    const left = await listed(alice.desktop);
    assert.deepEqual([lost, attached, snapshot].map((one) => left.has(one)), [false, true, false]);
    const tablet = await join(alice, "tablet");
    assert.equal((await names(tablet)).length, 141);
  });

  test("while it has only another device's word for what commits name, a device drops nothing", async () => {
    const alice = await household();
    await save(alice.desktop, "first");
    const lost = await orphan(alice.desktop);
    const catalog = await idOf(alice.desktop, "passwords");
    await alice.desktop.client.rows.transact((rows) => rows.put("replays", catalog, "", { digest: lost, index: 1, maker: "" } satisfies ReplayRow));
    await later(alice, 8, alice.desktop);
    assert.ok((await listed(alice.desktop)).has(lost));
    await alice.desktop.client.rows.transact((rows) => rows.remove("replays", catalog, ""));
    // Nor where it took it for good from a device that was cut off since; one in good standing is believed.
    const word = (maker: string) => alice.desktop.client.rows.transact((rows) => rows.put("vouched", catalog, "", { all: [{ from: 0, maker, to: 1 } satisfies Vouched] }));
    await word("somebody who is in it no more");
    await later(alice, 8, alice.desktop);
    assert.ok((await listed(alice.desktop)).has(lost));
    await word((await whoIs(alice.desktop)).device);
    await later(alice, 8, alice.desktop);
    assert.ok(!(await listed(alice.desktop)).has(lost));
  });

  test("cut off while it collects it goes on the next time; a snapshot of which a part is gone is made anew", async () => {
    const alice = await household();
    await fill(alice.desktop, "one");
    const lost = [await orphan(alice.desktop), await orphan(alice.desktop)];
    const catalog = await idOf(alice.desktop, "passwords");
    const snapshot = (await alice.desktop.client.rows.read((rows) => snapshotOf(rows, catalog)))?.digest ?? assert.fail();
    const { link, requester } = await linkOf(alice.desktop);
    await link.dropBlobs(requester, [snapshot]);
    alice.portal.clock.now += 8 * DAY;
    alice.portal.meddler.answer = (request, answer) => {
      if (decodeRequest(request.body).command.name === dropBlobs.name) throw new MeshError("service-unreachable", "cut off");
      return answer;
    };
    await assert.rejects(sync(alice.desktop.client), { code: "service-unreachable" });
    delete alice.portal.meddler.answer;
    await sync(alice.desktop.client);
    const left = await listed(alice.desktop);
    assert.ok(lost.every((one) => !left.has(one)));
    await save(alice.desktop, "more");
    const next = (await alice.desktop.client.rows.read((rows) => snapshotOf(rows, catalog)))?.digest ?? assert.fail();
    assert.notEqual(next, snapshot);
    assert.ok((await listed(alice.desktop)).has(next));
  });

  test("a portal that lists the same blobs for ever is found out", async () => {
    const alice = await household();
    await orphan(alice.desktop);
    alice.portal.meddler.answer = (request, answer) => {
      if (decodeRequest(request.body).command.name !== listBlobs.name) return answer;
      const { blobs } = decodeResponse(listBlobs, answer.body);
      return authentic(alice.portal, request, encodeResponse(listBlobs, { blobs: [...blobs, ...blobs], more: true }));
    };
    alice.portal.clock.now += 8 * DAY;
    await assert.rejects(sync(alice.desktop.client), { code: "portal-false-data" });
  });
});
