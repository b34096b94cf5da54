import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Change } from "../../src/catalogs/entries.ts";
import { planPurge } from "../../src/applications/passwords/purge.ts";
import { change, current, type Entry, settled, writes } from "../../src/catalogs/merge.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import { EntryRows } from "../../src/client/entry-rows.ts";
import { finishPurges } from "../../src/client/purging.ts";
import { CONTEST_MS } from "../../src/profiles/types.ts";
import { headsOf } from "../../src/client/operations/versions.ts";
import { unsuspendDevice } from "../../src/client/operations/unsuspend.ts";
import { snapshotOf, unchecked } from "../../src/client/snapshot-rows.ts";
import { statusOf } from "../../src/client/status.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { decodeRequest, encodeResponse } from "../../src/protocol/wire.ts";
import { personalOf } from "../../src/profiles/mesh.ts";
import { publish } from "../../src/protocol/profiles.ts";
import { openAs } from "../../src/portal/test-asking.ts";
import { dropBlobs, getBlob } from "../../src/protocol/blobs.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import { replayed, sorted } from "../support/reread.ts";
import type { TestDevice } from "../support/world.ts";
import { authentic } from "../adversary/cheating.ts";
import { deviceOf, household, type Household, idOf, join, meshOf, names, save, suspending } from "../adversary/household.ts";

/** New passwords of about 8 KiB each: 200 of them are reason enough for a snapshot. */
function many(count: number, prefix = "site"): readonly Change[] {
  return Array.from({ length: count }, (_, n) => change(newEntryId(), undefined, { name: `${prefix} ${n}`, notes: "x".repeat(8000) }));
}

/** Adds many passwords in one edit, and sends them. */
async function fill(device: TestDevice, count: number, prefix?: string): Promise<void> {
  await editEntries(device.client, "passwords", () => many(count, prefix));
  await sync(device.client);
}

/** What is asked of the portal while something happens: each command, and the octets of its request. */
async function asked(home: Household, work: () => Promise<unknown>): Promise<readonly { readonly command: string; readonly octets: number }[]> {
  const commands: { command: string; octets: number }[] = [];
  home.portal.meddler.request = (request) => {
    commands.push({ command: decodeRequest(request.body).command.name, octets: request.body.length });
    return request;
  };
  try {
    await work();
  } finally {
    delete home.portal.meddler.request;
  }
  return commands;
}

const count = (all: readonly { readonly command: string }[], command: string): number => all.filter((one) => one.command === command).length;

async function leftToCheck(device: TestDevice): Promise<number> {
  const catalog = await idOf(device, "passwords");
  return device.client.rows.read((rows) => unchecked(rows, [catalog]));
}

suite("snapshots (decision 6.4)", () => {
  test("a device that joins takes the state that the answer names, and what came after; then reads all of it itself, and finds the same", async () => {
    const alice = await household({ laptop: "member" });
    await fill(alice.desktop, 200);
    await fill(alice.desktop, 10, "late");
    const said = await asked(alice, () => join(alice, "tablet").then((device) => ((alice.devices as Record<string, TestDevice>)["tablet"] = device)));
    const tablet = deviceOf(alice, "tablet");
    assert.ok(count(said, "GetBlob") > 3, "it read a snapshot");
    assert.equal((await names(tablet)).length, 210);
    assert.ok((await leftToCheck(tablet)) > 0);
    assert.ok((await statusOf(tablet.client)).unchecked > 0);
    assert.equal(await replayed(tablet), 0);
    assert.equal(await leftToCheck(tablet), 0);
    assert.deepEqual(await sorted(tablet), await sorted(alice.desktop));
    await fill(tablet, 1, "from tablet");
    await sync(deviceOf(alice, "laptop").client);
    assert.equal((await names(deviceOf(alice, "laptop"))).length, 211);
  });

  test("the next one sends only what changed; what is superseded goes a day later", async () => {
    const alice = await household();
    await fill(alice.desktop, 400);
    const first = await asked(alice, () => fill(alice.desktop, 150, "more"));
    assert.ok(count(first, "PutBlob") >= 4, "pieces, list and signed name");
    const octets = first.filter((one) => one.command === "PutBlob").reduce((sum, one) => sum + one.octets, 0);
    assert.ok(octets < 1_600_000, `only what changed: ${octets} octets`);
    alice.portal.clock.now += 25 * 60 * 60 * 1000;
    const later = await asked(alice, () => sync(alice.desktop.client));
    assert.equal(count(later, dropBlobs.name), 1);
    const tablet = await join(alice, "tablet");
    assert.equal((await names(tablet)).length, 550);
    assert.equal(await replayed(tablet), 0);
  });

  test("without the portal's blobs a device reads the catalog from its beginning, silently", async () => {
    const alice = await household();
    await fill(alice.desktop, 200);
    const synced = await pull(alice.desktop.client);
    const passwords = await idOf(alice.desktop, "passwords");
    const name = await alice.desktop.client.rows.read((rows) => snapshotOf(rows, passwords));
    assert.ok(name !== undefined);
    await synced.link.dropBlobs(synced.requester, [name.digest]);
    const tablet = await join(alice, "tablet");
    assert.equal((await names(tablet)).length, 200);
    assert.equal(await leftToCheck(tablet), 0);
  });

  test("a portal that gives other octets for a blob is a portal that cheats", async () => {
    const alice = await household();
    await fill(alice.desktop, 200);
    alice.portal.meddler.answer = (request, answer) => {
      const { command } = decodeRequest(request.body);
      return command.name === "GetBlob" ? authentic(alice.portal, request, encodeResponse(getBlob, {}, new Uint8Array(4096))) : answer;
    };
    await assert.rejects(join(alice, "tablet"), (error: MeshError) => error.code === "portal-false-data" && error.exit === 6);
  });

  test("cut off between blobs and the note of them, it is made anew, and nothing is named that is not there", async () => {
    const alice = await household();
    let left = 4;
    alice.portal.meddler.request = (request) => {
      if (decodeRequest(request.body).command.name === "PutBlob" && left-- <= 0) throw new MeshError("service-unreachable", "cut off");
      return request;
    };
    await assert.rejects(fill(alice.desktop, 200));
    delete alice.portal.meddler.request;
    const before = await join(alice, "tablet");
    assert.equal((await names(before)).length, 200);
    await sync(alice.desktop.client);
    const after = await join(alice, "phone");
    assert.ok((await leftToCheck(after)) > 0);
    assert.equal(await replayed(after), 0);
  });

  test("a device that writes down another state than the commits give is found out, named to the others, and what it said is mended", async () => {
    const alice = await household({ laptop: "member" });
    const catalog = await idOf(alice.desktop, "passwords");
    // The desktop was turned: what it writes down differs in one password, lacks one entry and has one more.
    await editEntries(alice.desktop.client, "passwords", () => many(200));
    alice.portal.meddler.request = async (request) => {
      if (decodeRequest(request.body).command.name === "CatalogAppend") await tamper(alice.desktop, catalog);
      return request;
    };
    await sync(alice.desktop.client);
    delete alice.portal.meddler.request;
    await tamper(alice.desktop, catalog);
    await alice.desktop.client.rows.transact((rows) => rows.remove("snapshots", catalog, ""));
    await fill(alice.desktop, 200, "more");
    const tablet = await join(alice, "tablet");
    await sync(deviceOf(alice, "laptop").client);
    assert.notDeepEqual(await sorted(tablet), await sorted(deviceOf(alice, "laptop")));
    await assert.rejects(replayed(tablet), (error: MeshError) => error.code === "snapshot-false" && error.exit === 6 && error.message.startsWith("desktop "));
    assert.deepEqual(await sorted(tablet), await sorted(deviceOf(alice, "laptop")));
    assert.equal(await replayed(tablet), 0);
    await sync(tablet.client);
    await sync(deviceOf(alice, "laptop").client);
    assert.deepEqual((await statusOf(deviceOf(alice, "laptop").client)).accused, [{ by: "tablet", maker: "desktop" }]);
  });

  for (const ended of [false, true])
    test(`a device reads all itself while a suspension ${ended ? "ends" : "begins"}: nobody is accused, and what counts is the same everywhere`, async () => {
      const alice = await household({ phone: "member" });
      const { desktop, portal } = alice;
      const heads = await headsOf(desktop.client, personalOf(await meshOf(desktop)).payload);
      const suspend = async () => assert.equal((await (await openAs(desktop)).ask(publish, { parts: [{ kind: "suspension", object: await suspending(alice, "phone", heads) }] })).code, "ok");
      await save(deviceOf(alice, "phone"), "late");
      if (ended) await suspend();
      await sync(desktop.client);
      for (let at = 0; at < 8; at++) await editEntries(desktop.client, "passwords", () => [change(newEntryId(), undefined, { name: `own commit ${at}`, notes: "x".repeat(270_000) })]);
      await sync(desktop.client);
      const tablet = await join(alice, "tablet");
      assert.ok((await leftToCheck(tablet)) > 0, "it read a snapshot");
      const passwords = await idOf(tablet, "passwords");
      let read = 0;
      portal.meddler.request = (request) => {
        const { command, request: asked } = decodeRequest(request.body);
        if (command.name === "CatalogRead" && (asked as { catalog: string }).catalog === passwords && read++ > 0) throw new MeshError("service-unreachable", "cut off");
        return request;
      };
      await assert.rejects(replayed(tablet), { code: "service-unreachable" });
      delete portal.meddler.request;
      if (ended) await unsuspendDevice(desktop.client, "phone");
      else await suspend();
      assert.equal(await replayed(tablet), 0);
      await sync(desktop.client);
      assert.equal((await names(tablet)).includes("late"), ended);
      assert.deepEqual(await sorted(tablet), await sorted(desktop));
    });

  test("what is invented of what does not count is found out as well, and comes back with no suspension that ends", async () => {
    const alice = await household({ phone: "member", laptop: "member" });
    const { desktop } = alice;
    const catalog = await idOf(desktop, "passwords");
    const word = await suspending(alice, "phone");
    await save(deviceOf(alice, "phone"), "late");
    await sync(desktop.client);
    assert.equal((await (await openAs(desktop)).ask(publish, { parts: [{ kind: "suspension", object: word }] })).code, "ok");
    await sync(desktop.client);
    await desktop.client.rows.transact(async (rows) => {
      const entry = (await rows.list<Entry>("taken-out", catalog))[0]?.row ?? assert.fail("nothing is set apart");
      await rows.put("taken-out", catalog, entry.id, { ...entry, fields: { ...entry.fields, name: (entry.fields["name"] ?? []).map((one) => ({ ...one, value: "invented" })) } });
    });
    await fill(desktop, 200);
    const tablet = await join(alice, "tablet");
    await assert.rejects(replayed(tablet), (error: MeshError) => error.code === "snapshot-false" && error.exit === 6);
    await unsuspendDevice(desktop.client, "phone");
    await sync(tablet.client);
    await sync(deviceOf(alice, "laptop").client);
    assert.ok((await names(tablet)).includes("late") && !(await names(tablet)).includes("invented"));
    assert.deepEqual(await sorted(tablet), await sorted(deviceOf(alice, "laptop")));
  });

  test("what was purged is in no snapshot, and whoever erased it meanwhile accuses nobody", async () => {
    const alice = await household();
    await editEntries(alice.desktop.client, "passwords", () => [change(newEntryId(), undefined, { name: "bank", password: "purged-one" })]);
    await sync(alice.desktop.client);
    const bank = async (device: TestDevice) => (await readEntries(device.client, "passwords")).find((one) => current(one, "name") === "bank") ?? assert.fail();
    const edit = (work: (entry: Entry) => readonly Change[]) => editEntries(alice.desktop.client, "passwords", (entries) => work(entries.find((one) => current(one, "name") === "bank") ?? assert.fail()));
    await edit((entry) => [change(entry.id, entry, { password: "two" })]);
    await edit((entry) => planPurge(entry).changes);
    await fill(alice.desktop, 200);
    const early = await join(alice, "early");
    const passwords = await idOf(early, "passwords");
    const there = JSON.stringify(await early.client.rows.read((rows) => new EntryRows(rows, passwords).all()));
    assert.ok(there.includes('"two"') && !there.includes("purged-one"));
    // A second purge, of which the snapshot knows nothing, is erased before the chain behind it is read.
    await edit((entry) => [change(entry.id, entry, { password: "three" })]);
    await edit((entry) => planPurge(entry).changes);
    await sync(alice.desktop.client);
    const late = await join(alice, "late");
    assert.ok((await leftToCheck(late)) > 0);
    await pullAndFinish(late);
    alice.portal.clock.now += CONTEST_MS;
    await pullAndFinish(late);
    for (const device of [early, late]) {
      assert.equal(await replayed(device), 0);
      assert.deepEqual(writes(await bank(device), "password").map((one) => one.value), ["three"]);
      assert.deepEqual(settled(await bank(device)), settled(await bank(alice.desktop)));
    }
    // Once it is erased the state is written down anew, whole, and the pieces that hold it are dropped a day later.
    const first = await alice.desktop.client.rows.read((rows) => snapshotOf(rows, passwords));
    await sync(alice.desktop.client);
    const second = await alice.desktop.client.rows.read((rows) => snapshotOf(rows, passwords));
    assert.ok(first !== undefined && second !== undefined && second.digest !== first.digest);
  });
});

/** A sync without its last part: what is purged is finished, and the chain behind a snapshot is not read yet. */
async function pullAndFinish(device: TestDevice): Promise<void> {
  const synced = await pull(device.client);
  try {
    await finishPurges(device.client, synced);
  } finally {
    synced.link.close();
  }
}

async function tamper(device: TestDevice, catalog: string): Promise<void> {
  await device.client.rows.transact(async (rows) => {
    const entries = new EntryRows(rows, catalog);
    const [first, second] = (await entries.all()).toSorted((a, b) => (String(current(a, "name")) < String(current(b, "name")) ? -1 : 1));
    if (first === undefined || second === undefined) return;
    const fields = Object.fromEntries(Object.entries(first.fields).map(([name, writes]) => [name, name === "notes" ? writes.map((write) => ({ ...write, value: "stolen" })) : writes]));
    await entries.put({ ...first, fields });
    await entries.remove(second.id);
    await entries.put({ ...second, id: newEntryId() });
    await entries.flush(rows);
  });
}
