import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { suite, test } from "node:test";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { utf8 } from "../bytes/text.ts";
import { signObject } from "../envelope/signed.ts";
import { applicationProfile, type Share } from "../profiles/application.ts";
import { personalOf } from "../profiles/mesh.ts";
import { publish } from "../protocol/profiles.ts";
import { openAs } from "../portal/test-asking.ts";
import { deviceOf, household, idOf, join, meshOf, whoIs } from "../../test/adversary/household.ts";
import type { TestDevice } from "../../test/support/world.ts";
import { signerOf } from "./client.ts";
import { loadCatalog } from "./known.ts";
import { disableDevice } from "./operations/disable.ts";
import { setUpApplication } from "./operations/set-up-application.ts";
import { ownKeyOf, sharesOf } from "./shares.ts";
import { sync } from "./sync.ts";
import { sealApplication } from "./tend-application.ts";

const message = utf8("a message");

async function sharesAt(device: TestDevice): Promise<readonly Share[]> {
  const id = await idOf(device, "ssh");
  return (await device.client.rows.read((rows) => sharesOf(rows, id)))?.shares ?? [];
}

/** A device signs with its key, and whoever knows the public key that the mesh has for it verifies that. */
async function signs(device: TestDevice, among: readonly Share[]): Promise<boolean> {
  const key = await ownKeyOf(device.client, "ssh");
  const { device: id } = await whoIs(device);
  const pub = among.find((share) => share.device === id)?.pub;
  const native = createPublicKey({ key: fromBase64url(pub ?? "") as Uint8Array<ArrayBuffer>, format: "raw-public", asymmetricKeyType: "ed25519" });
  return verify(null, message, native, await key.sign(message));
}

suite("keys for an application, made by device and administrator (draft §5.2, decision 5.5)", () => {
  test("an application that is set up on one device gives each a key, also one that was switched off, with what it finds at its next sync", async () => {
    const alice = await household({ laptop: "member" });
    assert.equal(await setUpApplication(alice.desktop.client, "ssh"), true);
    const laptop = deviceOf(alice, "laptop");
    await assert.rejects(ownKeyOf(laptop.client, "ssh"), { code: "catalog-missing" });
    await sync(laptop.client);
    const shares = await sharesAt(laptop);
    assert.equal(shares.length, 2);
    assert.deepEqual(await Promise.all([alice.desktop, laptop].map((device) => signs(device, shares))), [true, true]);
    assert.equal(new Set(shares.map((share) => share.pub)).size, 2);
  });

  test("a device that joins later has its key by the approval alone", async () => {
    const alice = await household();
    await setUpApplication(alice.desktop.client, "ssh");
    const phone = await join(alice, "phone");
    await sync(phone.client);
    assert.equal(await signs(phone, await sharesAt(phone)), true);
    await sync(alice.desktop.client);
    assert.equal((await sharesAt(alice.desktop)).length, 2);
  });

  test("what is right stays as it is: neither a second set-up nor any number of syncs changes a key or publishes anything", async () => {
    const alice = await household({ tower: "admin" });
    await setUpApplication(alice.desktop.client, "ssh");
    const id = await idOf(alice.desktop, "ssh");
    const version = async () => (await alice.desktop.client.rows.read((rows) => loadCatalog(rows, id)))?.profile?.version;
    const before = { shares: await sharesAt(alice.desktop), version: await version() };
    const tower = deviceOf(alice, "tower");
    for (let n = 0; n < 2; n++) for (const device of [tower, alice.desktop]) await sync(device.client);
    assert.equal(await setUpApplication(tower.client, "ssh"), false);
    assert.deepEqual({ shares: await sharesAt(alice.desktop), version: await version() }, before);
    assert.equal(before.version, 1);
  });

  test("two administration devices that set it up at once set up one", async () => {
    const alice = await household({ tower: "admin" });
    const tower = deviceOf(alice, "tower");
    const made = await Promise.all([alice.desktop, tower].map((device) => setUpApplication(device.client, "ssh")));
    assert.deepEqual(made.toSorted(), [false, true]);
    for (const device of [alice.desktop, tower]) await sync(device.client);
    assert.equal(await idOf(alice.desktop, "ssh"), await idOf(tower, "ssh"));
    assert.equal(personalOf(await meshOf(tower)).payload.applications.length, 4);
  });

  test("a member cannot set one up", async () => {
    const alice = await household({ laptop: "member" });
    await assert.rejects(setUpApplication(deviceOf(alice, "laptop").client, "ssh"), { code: "device-not-administrator" });
  });

  test("a disabled device loses its share, and the others keep theirs", async () => {
    const alice = await household({ laptop: "member" });
    await setUpApplication(alice.desktop.client, "ssh");
    const laptop = (await whoIs(deviceOf(alice, "laptop"))).device;
    const before = await sharesAt(alice.desktop);
    await disableDevice(alice.desktop.client, laptop);
    for (let n = 0; n < 2; n++) await sync(alice.desktop.client);
    assert.deepEqual(await sharesAt(alice.desktop), before.filter((share) => share.device !== laptop));
  });

  test("a device refuses a share that does not hold, and an administrator that finds one makes another", async () => {
    const alice = await household({ laptop: "member" });
    await setUpApplication(alice.desktop.client, "ssh");
    const laptop = deviceOf(alice, "laptop");
    const { device } = await whoIs(laptop);
    const id = await idOf(alice.desktop, "ssh");
    const row = await alice.desktop.client.rows.read((rows) => loadCatalog(rows, id));
    const shares = await sharesAt(alice.desktop);
    const other = shares.find((share) => share.device !== device)?.contribution ?? "";
    const { g, n } = personalOf(await meshOf(alice.desktop)).payload;
    const place = { epoch: 1, id: id as never, version: 2 };
    const sealed = sealApplication({ shares: shares.map((share) => (share.device === device ? { ...share, contribution: other } : share)), type: "ssh", v: 1 }, fromBase64url(row?.epochs[1]?.key ?? ""), place);
    const { jws } = await signObject(applicationProfile, { ...place, g, n, previous: row?.profile?.digest as never, sealed, v: 1 }, signerOf(alice.desktop.keyring, (await whoIs(alice.desktop)).device));
    const asking = await openAs(alice.desktop);
    await asking.ask(publish, { parts: [{ kind: "application", object: jws }] });
    await sync(laptop.client);
    await assert.rejects((await ownKeyOf(laptop.client, "ssh")).sign(message), { code: "key-malformed" });
    for (const one of [alice.desktop, laptop]) await sync(one.client);
    const mended = await sharesAt(laptop);
    assert.equal(await signs(laptop, mended), true);
    assert.deepEqual(mended.find((share) => share.device !== device), shares.find((share) => share.device !== device));
    assert.notEqual(toBase64url(fromBase64url(mended.find((share) => share.device === device)?.contribution ?? "")), other);
  });
});
