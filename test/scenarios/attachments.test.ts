import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { addAttachment, removeAttachment } from "../../src/applications/passwords/attach.ts";
import { attachmentsOf, findAttachment } from "../../src/applications/passwords/attachment.ts";
import { historyOf } from "../../src/applications/passwords/history.ts";
import { planPurge, restorePurged } from "../../src/applications/passwords/purge.ts";
import { concatBytes } from "../../src/bytes/equal.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { change, type Entry } from "../../src/catalogs/merge.ts";
import { stageBlob } from "../../src/client/blobs.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import type { Client } from "../../src/client/client.ts";
import { EntryRows } from "../../src/client/entry-rows.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { createMesh } from "../../src/client/operations/create.ts";
import { readBlobs } from "../../src/client/read-blobs.ts";
import { sync } from "../../src/client/sync.ts";
import { randomBytes } from "../../src/crypto/random.ts";
import { chunksOf, openChunk, sealChunk, sealedLength } from "../../src/envelope/chunks.ts";
import type { Digest } from "../../src/envelope/fields.ts";
import { shelf } from "../../src/portal/records.ts";
import { CONTEST_MS } from "../../src/profiles/types.ts";
import { getBlob } from "../../src/protocol/blobs.ts";
import { encodeResponse } from "../../src/protocol/wire.ts";
import { authentic } from "../adversary/cheating.ts";
import { address, deviceOf, household, idOf, refused, save } from "../adversary/household.ts";
import { type Fuse, killedAtEveryStep, type Life, newFiles } from "../support/mortal.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { startPortal, type TestDevice, type TestPortal } from "../support/world.ts";

async function only(client: Client): Promise<Entry> {
  return (await readEntries(client, "passwords"))[0] ?? assert.fail("no entry");
}

/** Attaches octets to the one login, as the command does; whoever dies in between does it again. */
async function attach(client: Client, name: string, octets: Uint8Array): Promise<void> {
  if (attachmentsOf(await only(client)).some((one) => one.name === name)) return;
  const key = randomBytes(32);
  const chunks = chunksOf(octets.length);
  const blobs: Digest[] = [];
  for (const [index, length] of chunks.entries()) {
    const chunk = new Uint8Array(length);
    const from = chunks.slice(0, index).reduce((sum, one) => sum + one, 0);
    chunk.set(octets.subarray(from, from + length));
    blobs.push(await stageBlob(client, "passwords", sealChunk(key, index, chunks.length, chunk)));
  }
  await editEntries(client, "passwords", ([entry]) => [addAttachment(entry ?? assert.fail(), { blobs, key, name, size: octets.length, type: undefined })]);
}

async function read(client: Client, name: string): Promise<Uint8Array> {
  const entry = await only(client);
  const { blobs, key, size } = findAttachment(entry, name);
  const chunks = chunksOf(size);
  const parts: Uint8Array[] = [];
  for await (const sealed of readBlobs(client, "passwords", entry.id, blobs.map((digest, index) => ({ digest, size: sealedLength(chunks[index] ?? 0) })))) parts.push(openChunk(key, parts.length, chunks.length, sealed) ?? assert.fail());
  return concatBytes(...parts).subarray(0, size);
}

const kept = async (portal: TestPortal): Promise<number> => (await portal.store.read((r) => r.list(shelf.blobs, ""))).length;

async function purge(device: TestDevice): Promise<void> {
  await editEntries(device.client, "passwords", ([entry]) => planPurge(entry ?? assert.fail()).changes);
  await sync(device.client);
}

/** How many values a home holds of the password, those that no longer count among them. */
async function heldAtHome(device: TestDevice): Promise<number> {
  const catalog = await idOf(device, "passwords");
  const [entry] = await device.client.rows.read((rows) => new EntryRows(rows, catalog).all());
  return entry?.fields["password"]?.length ?? 0;
}

suite("attachments through a portal", () => {
  test("what one device attaches another gets octet for octet, and the portal has nothing of it in the clear", async () => {
    const alice = await household({ laptop: "member" });
    await save(alice.desktop, "bank");
    const octets = new Uint8Array(1_200_000).fill(0x41);
    await attach(alice.desktop.client, "scan", octets);
    const up = alice.portal.counters.up;
    await sync(alice.desktop.client);
    assert.ok(alice.portal.counters.up - up < octets.length * 1.13 + 60_000, "raw octets, filled up by an eighth at most");
    assert.equal(await kept(alice.portal), chunksOf(octets.length).length);
    for (const { value } of await alice.portal.store.read((r) => r.list(shelf.blobs, ""))) assert.ok(!Buffer.from(value).includes("AAAAAAAAAAAAAAAA"));
    const laptop = deviceOf(alice, "laptop");
    await sync(laptop.client);
    assert.deepEqual(await read(laptop.client, "scan"), octets);
  });

  test("a portal that gives other octets, fewer, or says that it has none is found out, exit 6", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    await save(alice.desktop, "bank");
    await attach(alice.desktop.client, "scan", randomBytes(700));
    await sync(alice.desktop.client);
    await sync(laptop.client);
    for (const octets of [randomBytes(sealedLength(chunksOf(700)[0] ?? 0)), new Uint8Array(0)]) {
      alice.portal.meddler.answer = (request, given) => (Buffer.from(request.body).includes("GetBlob") ? authentic(alice.portal, request, encodeResponse(getBlob, {}, octets)) : given);
      await refused(laptop, () => read(laptop.client, "scan"), "portal-false-data");
    }
    delete alice.portal.meddler.answer;
    const [blob] = await alice.portal.store.read((r) => r.list(shelf.blobs, ""));
    await alice.portal.store.transact((w) => w.remove(shelf.blobs, blob?.key ?? ""));
    await refused(laptop, () => read(laptop.client, "scan"), "portal-missing-blob");
  });

  test("an attachment for which the portal has no room holds back what comes after it, until it is detached and purged", async () => {
    const alice = await household({ laptop: "member" }, await startPortal("example.com", openMemoryStore(), { policy: { octetsPerAccount: 700_000 } }));
    await save(alice.desktop, "bank");
    await attach(alice.desktop.client, "scan", randomBytes(900_000));
    await assert.rejects(sync(alice.desktop.client), { code: "account-quota" });
    await editEntries(alice.desktop.client, "passwords", ([entry]) => [change(entry?.id ?? "", entry, { password: "after" })]);
    await assert.rejects(sync(alice.desktop.client), { code: "account-quota" });
    await editEntries(alice.desktop.client, "passwords", ([entry]) => [removeAttachment(entry ?? assert.fail(), findAttachment(entry ?? assert.fail(), "scan"))]);
    await purge(alice.desktop);
    const laptop = deviceOf(alice, "laptop");
    await sync(laptop.client);
    assert.deepEqual(historyOf(await only(laptop.client)).filter((one) => one.field === "password").map((one) => one.value), ["after"]);
    const catalog = await idOf(alice.desktop, "passwords");
    assert.equal((await alice.desktop.client.rows.read((rows) => rows.list("staged", catalog))).length, 0);
  });

  test("a device that attached and dies, again and again, loses nothing, and the portal gets each blob once", { timeout: 120_000 }, async (t) => {
    const files = await newFiles();
    const octets = randomBytes(600_000);
    const life = await files.open();
    const { client, master } = await life.device("desktop");
    await createMesh(client, master, { address, portal: { url: life.url, pin: life.pin }, deviceName: "desktop" });
    await editEntries(client, "passwords", () => [change(newEntryId(), undefined, { name: "bank" })]);
    await sync(client);
    await life.close();
    const work = async (next: Life, fuse?: Fuse): Promise<void> => {
      const device = (await next.device("desktop", fuse)).client;
      await attach(device, "scan", octets);
      await sync(device);
    };
    const hits = await killedAtEveryStep(files, "attach", work, async (next, steps) => {
      const device = (await next.device("desktop")).client;
      // What was acknowledged at home is sent by the next sync alone.
      const acknowledged = attachmentsOf(await only(device)).length === 1;
      if (!acknowledged) await attach(device, "scan", octets);
      await sync(device);
      assert.deepEqual(await read(device, "scan"), octets, `after ${steps} steps`);
      const staged = await device.rows.read(async (rows) => (await rows.list("staged", (await rows.get<{ id: string }>("types", "passwords"))?.id ?? "")).length);
      assert.ok(staged === 0 || !acknowledged, "nothing that was sent is kept at home");
      // An odd stride strikes before and after in turn.
    }, 3);
    t.diagnostic(`${hits} hits`);
    assert.ok(hits >= 10, String(hits));
    files.remove();
  });
});

suite("purging", () => {
  test("what is purged is hidden at once and everywhere, erased after 72 hours, and its blobs are dropped; what holds stays", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    await save(alice.desktop, "bank", "old");
    await attach(alice.desktop.client, "scan", randomBytes(700));
    await attach(alice.desktop.client, "stays", randomBytes(700));
    await editEntries(alice.desktop.client, "passwords", ([entry]) => [change(entry?.id ?? "", entry, { password: "new", [findAttachment(entry ?? assert.fail(), "scan").field]: null })]);
    await sync(alice.desktop.client);
    await sync(laptop.client);
    await purge(laptop);
    await sync(alice.desktop.client);
    for (const device of [alice.desktop, laptop]) {
      assert.deepEqual(historyOf(await only(device.client)).filter((one) => one.field === "password").map((one) => one.value), ["new"]);
      assert.equal(await heldAtHome(device), 2, "until it is sure that nobody stole the device");
    }
    assert.equal(await kept(alice.portal), 2);
    alice.portal.clock.now += CONTEST_MS;
    for (const device of [alice.desktop, laptop]) {
      await sync(device.client);
      assert.equal(await heldAtHome(device), 1);
    }
    assert.equal(await kept(alice.portal), 1);
    assert.equal((await read(alice.desktop.client, "stays")).length, 700);
  });

  test("a device that was offline brings back what it wrote meanwhile and nothing else; a blob that is gone is no fault of the portal's", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    await save(alice.desktop, "bank", "old");
    await attach(alice.desktop.client, "scan", randomBytes(700));
    await sync(alice.desktop.client);
    await sync(laptop.client);
    // Both take it away; the laptop, offline from here on, brings it back and writes a password.
    await editEntries(alice.desktop.client, "passwords", ([entry]) => [change(entry?.id ?? "", entry, { removed: true })]);
    await purge(alice.desktop);
    await editEntries(laptop.client, "passwords", ([entry]) => {
      const attachment = findAttachment(entry ?? assert.fail(), "scan");
      return [change(entry?.id ?? "", entry, { password: "offline", [attachment.field]: entry?.fields[attachment.field]?.[0]?.value ?? null })];
    });
    alice.portal.clock.now += CONTEST_MS;
    await sync(alice.desktop.client);
    assert.equal(await kept(alice.portal), 0);
    await sync(laptop.client);
    await sync(alice.desktop.client);
    for (const device of [alice.desktop, laptop]) {
      const shown = historyOf(await only(device.client)).map((one) => [one.field, one.value]);
      assert.deepEqual(shown, [["password", "offline"], ["attachment", "scan"], ["removed", "yes"]]);
      await assert.rejects(read(device.client, "scan"), { code: "attachment-purged" });
    }
  });

  test("what a thief purged is written anew by any device that heard of it less than 72 hours ago", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    const passwords = async (device: TestDevice) => historyOf(await only(device.client)).filter((one) => one.field === "password").map((one) => one.value);
    await save(alice.desktop, "bank", "old");
    await editEntries(alice.desktop.client, "passwords", ([entry]) => [change(entry?.id ?? "", entry, { password: "new" })]);
    for (const device of [alice.desktop, laptop]) await sync(device.client);
    await purge(laptop);
    await disableDevice(alice.desktop.client, "laptop");
    await sync(tablet.client);
    alice.portal.clock.now += CONTEST_MS - 1;
    await sync(tablet.client);
    assert.deepEqual(await passwords(tablet), ["new"]);
    await editEntries(tablet.client, "passwords", ([entry]) => restorePurged(entry ?? assert.fail()));
    await sync(tablet.client);
    alice.portal.clock.now += CONTEST_MS;
    for (const device of [alice.desktop, tablet]) {
      await sync(device.client);
      assert.deepEqual(await passwords(device), ["new", "old", "new"]);
    }
  });
});
