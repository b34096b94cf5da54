import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { fromBase64url, toBase64url } from "../../src/bytes/base64url.ts";
import { canonicalBytes, type Json } from "../../src/bytes/canonical-json.ts";
import { commit } from "../../src/catalogs/commits.ts";
import { type Change, changesBytes, pad } from "../../src/catalogs/entries.ts";
import { beginEpoch, type Place } from "../../src/catalogs/epoch-keys.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { change, current, purge } from "../../src/catalogs/merge.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import { signerOf } from "../../src/client/client.ts";
import { listDevices, renameDevice } from "../../src/client/devices.ts";
import { loadCatalog } from "../../src/client/known.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { nextPersonal } from "../../src/client/operations/versions.ts";
import { statusOf } from "../../src/client/status.ts";
import { pull, push, sync } from "../../src/client/sync.ts";
import { openMemoryKeyring } from "../../src/keyring/memory.ts";
import { makeDeviceKeys } from "../../src/client/keys.ts";
import { randomBytes } from "../../src/crypto/random.ts";
import { encryptUnder, keyedUnder } from "../../src/envelope/keyed.ts";
import { digestOf, signObject } from "../../src/envelope/signed.ts";
import type { PortalAnswer } from "../../src/portal/portal.ts";
import { loadWhole } from "../../src/portal/whole.ts";
import { applicationProfile, applicationPurpose } from "../../src/profiles/application.ts";
import { type Mesh, personalOf, withPersonal } from "../../src/profiles/mesh.ts";
import { type Head, personalProfile } from "../../src/profiles/personal.ts";
import { suspension } from "../../src/profiles/suspension.ts";
import type { Part } from "../../src/protocol/parts.ts";
import { publish } from "../../src/protocol/profiles.ts";
import { startPortal, type TestDevice } from "../support/world.ts";
import { deviceOf, household, idOf, join, meshOf, names, save, whoIs } from "./household.ts";

async function send(device: TestDevice, ...parts: readonly Part[]): Promise<void> {
  const synced = await pull(device.client);
  try {
    await synced.link.call(synced.requester, publish, { parts: [...parts] });
  } finally {
    synced.link.close();
  }
}

/** Appends entries as they are, whatever honest software says of them. */
async function append(device: TestDevice, type: "devices" | "passwords", changes: readonly Change[]): Promise<void> {
  const { id, chain, epochs } = await chainOf(device, type);
  const [self, { g, n }] = [await whoIs(device), personalOf(await meshOf(device)).payload];
  const { salt, ciphertext } = encryptUnder(fromBase64url(epochs[chain.epoch]?.key ?? assert.fail()), `mesh/entries/v1/${id}/${chain.epoch}`, pad(changesBytes(changes)));
  const payload = { catalog: id, digest: digestOf(ciphertext), epoch: chain.epoch, g, index: chain.index + 1, kind: "entries" as const, n, previous: chain.digest, salt: toBase64url(salt), size: ciphertext.length, v: 1 as const };
  await send(device, { body: toBase64url(ciphertext), kind: "commit", object: (await signObject(commit, payload, signerOf(device.keyring, self.device))).jws });
}

/** The Application Profile after the last, with this inside. */
async function applicationAfter(device: TestDevice, type: "passwords", plaintext: Uint8Array) {
  const self = await whoIs(device);
  const { id, chain, epochs } = await chainOf(device, type);
  const last = (await device.portal.store.read((r) => loadWhole(r, self.master)))?.applications.get(id) ?? assert.fail();
  const version = last.payload.version + 1;
  const { g, n } = personalOf(await meshOf(device)).payload;
  const sealed = keyedUnder(fromBase64url(epochs[chain.epoch]?.key ?? ""), applicationPurpose(id, version, chain.epoch), plaintext);
  return signObject(applicationProfile, { epoch: chain.epoch, g, id: id as never, n, previous: last.digest, sealed, v: 1, version }, signerOf(device.keyring, self.device));
}

async function chainOf(device: TestDevice, type: "devices" | "passwords") {
  const id = await idOf(device, type);
  const row = await device.client.rows.read((rows) => loadCatalog(rows, id));
  assert.ok(row !== undefined);
  return { id: id as Head["catalog"], ...row };
}

suite("a stolen administration device, before anybody knows", () => {
  /** The version after the last that names heads which no chain has. */
  async function versionWith(tower: TestDevice, heads: readonly Head[]): Promise<Part> {
    const [self, last] = [await whoIs(tower), personalOf(await meshOf(tower))];
    const payload = { ...last.payload, heads: [...heads], n: last.payload.n + 1, previous: last.digest };
    return { kind: "personal", object: (await signObject(personalProfile, payload, signerOf(tower.keyring, self.administrationKey))).jws };
  }

  test("cannot make the portal look like a liar by naming heads that no catalog has", async () => {
    const alice = await household({ tower: "admin" });
    const tower = deviceOf(alice, "tower");
    const { id, chain } = await chainOf(tower, "passwords");
    const digest = toBase64url(randomBytes(64)) as Head["digest"];
    const { profile } = await chainOf(tower, "passwords");
    assert.ok(profile !== undefined);
    const real = { catalog: id, digest: chain.digest, index: chain.index };
    const unreal = [{ ...real, index: 999 }, { ...real, digest }, { ...real, index: 1 }, { ...real, profile: { digest: profile.digest, version: 9 } }, { ...real, profile: { digest, version: profile.version } }];
    for (const head of unreal) await assert.rejects(send(tower, await versionWith(tower, [head])), { code: "profile-out-of-order" });
    await send(tower, await versionWith(tower, [{ ...real, profile: { digest: profile.digest, version: profile.version } }]));
    await sync(alice.desktop.client);
    await disableDevice(alice.desktop.client, "tower");
  });

  test("cannot stop the others by an Application Profile that is garbage inside, or makes one catalog into another", async () => {
    const alice = await household({ tower: "admin", laptop: "member" });
    const [tower, laptop] = [deviceOf(alice, "tower"), deviceOf(alice, "laptop")];
    const { sealed: _, ...payload } = (await applicationAfter(tower, "passwords", randomBytes(9))).payload;
    await assert.rejects(signObject(applicationProfile, { ...payload, sealed: { ciphertext: "%", salt: toBase64url(randomBytes(32)) } }, signerOf(tower.keyring, (await whoIs(tower)).device)), { code: "signed-malformed" });
    const inside = [randomBytes(9), canonicalBytes({ v: 1 }), canonicalBytes({ type: "devices", v: 1 }), canonicalBytes({ type: "bookmarks", v: 1 })];
    for (const [at, plaintext] of inside.entries()) {
      await send(tower, { kind: "application", object: (await applicationAfter(tower, "passwords", plaintext)).jws });
      await save(alice.desktop, `password ${at}`);
      await sync(laptop.client);
      assert.equal((await names(laptop)).length, at + 1);
    }
    await disableDevice(alice.desktop.client, "tower");
  });

  test("cannot keep from new devices what a catalog is for: another administration device says it again", async () => {
    const alice = await household({ tower: "admin" });
    const tower = deviceOf(alice, "tower");
    await save(alice.desktop, "github");
    for (const [at, plaintext] of [randomBytes(9), canonicalBytes({ type: "bookmarks", v: 1 })].entries()) {
      await sync(tower.client);
      await send(tower, { kind: "application", object: (await applicationAfter(tower, "passwords", plaintext)).jws });
      assert.deepEqual(await names(await join(alice, `phone ${at}`)), ["github"]);
      const { profile } = await chainOf(alice.desktop, "passwords");
      await sync(alice.desktop.client);
      await sync(alice.desktop.client);
      const { profile: settled } = await chainOf(alice.desktop, "passwords");
      assert.deepEqual([settled?.wrong, settled?.version], [undefined, 3 + 2 * at], `once, and no more: ${profile?.version}`);
    }
  });

  test("cannot begin a catalog anew by dropping its application for a while, even if the portal restarts meanwhile", async () => {
    const alice = await household({ tower: "admin" });
    const tower = deviceOf(alice, "tower");
    await save(alice.desktop, "github");
    await sync(tower.client);
    const [{ id }, self, listed] = [await chainOf(tower, "passwords"), await whoIs(tower), personalOf(await meshOf(tower)).payload];
    const next = async (applications: typeof listed.applications): Promise<Part> => ({ kind: "personal", object: (await nextPersonal(tower.client, self, await meshOf(tower), { ...listed, applications })).jws });
    await send(tower, await next(listed.applications.filter((one) => one.id !== id)));
    await sync(tower.client);
    const restarted = await startPortal("example.com", alice.portal.store, { clock: alice.portal.clock, keys: alice.portal.keys });
    for (const device of [tower, alice.desktop]) device.portal = restarted;
    await send(tower, await next(listed.applications));
    await sync(tower.client);
    const mesh = await meshOf(tower);
    const { g, n } = personalOf(mesh).payload;
    const { payload } = await beginEpoch({ catalog: id, epoch: 1, g, index: 1, n }, [...mesh.devices.values()].map((one) => one.payload), [], undefined);
    const first: Part = { kind: "commit", object: (await signObject(commit, payload, signerOf(tower.keyring, self.device))).jws };
    await assert.rejects(send(tower, first), { code: "commit-out-of-order" });
    await save(alice.desktop, "gitlab");
    assert.deepEqual(await names(alice.desktop), ["github", "gitlab"]);
  });

  test("is cut off by one below it, without the fall of that one, where the Master key is", async () => {
    const alice = await household({ tower: "admin" });
    const tower = deviceOf(alice, "tower");
    const accomplice = await join({ ...alice, desktop: tower }, "accomplice");
    // The Master key was carried over to the lower of the two.
    const keeper = { ...tower.client, masterKeyring: async () => alice.desktop.master };
    await assert.rejects(disableDevice(tower.client, "desktop"), { code: "input-needed" });
    await disableDevice(keeper, "desktop");
    await assert.rejects(sync(alice.desktop.client), { code: "device-disabled" });
    await sync(tower.client);
    await sync(accomplice.client);
  });

  test("cannot keep new devices out by an epoch that does not lead to the one before", async () => {
    const alice = await household({ tower: "admin" });
    const tower = deviceOf(alice, "tower");
    await save(alice.desktop, "github");
    const self = await whoIs(tower);
    await sync(tower.client);
    const { id, chain } = await chainOf(tower, "passwords");
    const mesh: Mesh = await meshOf(tower);
    const { g, n } = personalOf(mesh).payload;
    const place: Place = { catalog: id, epoch: chain.epoch + 1, g, index: chain.index + 1, n, previous: chain.digest };
    const { payload } = await beginEpoch(place, [...mesh.devices.values()].map((one) => one.payload), [], randomBytes(32));
    await send(tower, { kind: "commit", object: (await signObject(commit, payload, signerOf(tower.keyring, self.device))).jws });
    await save(alice.desktop, "gitlab");
    const phone = await join(alice, "phone");
    await sync(phone.client);
    assert.equal((await readEntries(phone.client, "devices")).length, 3);
  });
});

suite("a stolen member device, before anybody knows", () => {
  test("cannot bring in a device that shows another's encryption key, to which no epoch could be sealed any more", async () => {
    const alice = await household();
    const { profile } = await makeDeviceKeys(openMemoryKeyring());
    const keys = await makeDeviceKeys(openMemoryKeyring());
    const mesh = await meshOf(alice.desktop);
    const copied = [...mesh.devices.values()][0]?.payload.encryptionKey;
    assert.ok(copied !== undefined);
    for (const [encryptionKey, code] of [[copied, "profile-malformed"], [profile.payload.encryptionKey, undefined]] as const) {
      const device = { ...keys.profile, payload: { ...keys.profile.payload, encryptionKey } };
      const last = personalOf(mesh);
      const devices = [...last.payload.devices, { digest: device.digest, id: keys.device, role: "member" as const, status: "active" as const }];
      const next = await nextPersonal(alice.desktop.client, await whoIs(alice.desktop), mesh, { ...last.payload, devices });
      const grown = withPersonal(mesh, next, new Map([[keys.device as string, device as never]]), alice.portal.clock.now);
      if (code === undefined) await grown;
      else await assert.rejects(grown, { code });
    }
  });

  test("cannot say in the name of another what that one has seen, nor stop anybody by what it says", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    const desktop = await whoIs(alice.desktop);
    const last = personalOf(await meshOf(laptop));
    const seen = { at: alice.portal.clock.now, heads: [], master: { digest: toBase64url(randomBytes(64)), version: 1 }, personal: { digest: last.digest, g: 1, n: last.payload.n } };
    await editEntries(laptop.client, "devices", (entries) => {
      const theirs = entries.find((entry) => current(entry, "device") === desktop.device);
      const odd: Json = { toString: 1 };
      return [change(theirs?.id ?? "", theirs, { seen }), change(newEntryId(), undefined, { device: desktop.device, seen }), change(newEntryId(), undefined, { device: odd, seen: odd, name: odd })];
    });
    await editEntries(laptop.client, "passwords", () => [change(newEntryId(), undefined, { name: { toString: 1 }, password: "x" })]);
    await sync(laptop.client).catch(() => undefined);
    const synced = await pull(laptop.client);
    await push(laptop.client, synced);
    // What it says itself is for people to judge: they are told who says it.
    for (const device of [tablet, alice.desktop]) await assert.rejects(sync(device.client), { code: "profile-two-versions", message: /^laptop says/ });
    await disableDevice(alice.desktop.client, "laptop");
    for (const device of [tablet, alice.desktop]) await sync(device.client);
  });

  test("cannot give another its own name, so that the person cuts off the wrong one", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    const [thief, victim] = [await whoIs(laptop), await whoIs(tablet)];
    await editEntries(laptop.client, "devices", (entries) => {
      const of = (device: string) => entries.find((entry) => current(entry, "device") === device) ?? assert.fail();
      const [mine, theirs] = [of(thief.device), of(victim.device)];
      return [change(mine.id, mine, { device: victim.device, name: "other" }), change(theirs.id, theirs, { device: thief.device, name: "laptop" }), change(newEntryId(), undefined, { device: victim.device, name: "laptop" })];
    });
    await sync(laptop.client);
    await sync(alice.desktop.client);
    const named = async () => new Map((await listDevices(alice.desktop.client)).map((one) => [one.fingerprint, one.name]));
    assert.equal((await named()).get(victim.device), "tablet");
    // Nor take it away.
    await editEntries(laptop.client, "devices", (entries) => entries.map((entry) => purge(entry, () => true)));
    await sync(laptop.client);
    for (const _ of [1, 2]) {
      await sync(alice.desktop.client);
      assert.equal((await named()).get(victim.device), "tablet");
      alice.portal.clock.now += 73 * 3_600_000;
    }
    await assert.rejects(renameDevice(laptop.client, victim.device, "laptop"), { code: "device-not-administrator" });
    // It may call itself what it likes: by its fingerprint it is itself, and two of one name are not chosen between.
    await renameDevice(laptop.client, thief.device, "tablet");
    await sync(laptop.client);
    await assert.rejects(disableDevice(alice.desktop.client, "tablet"), { code: "device-ambiguous" });
    await disableDevice(alice.desktop.client, thief.device);
    await sync(tablet.client);
  });

  test("cannot end a field by driving its counter to the end", async () => {
    const alice = await household({ laptop: "member", tablet: "member", phone: "member" });
    const laptop = deviceOf(alice, "laptop");
    await save(alice.desktop, "github", "before");
    await sync(laptop.client);
    const [entry] = await readEntries(laptop.client, "passwords");
    assert.ok(entry !== undefined);
    await append(laptop, "passwords", [{ entry: entry.id, fields: { password: [Number.MAX_SAFE_INTEGER, "theirs"] } }]);
    for (const [number, device] of [alice.desktop, deviceOf(alice, "tablet"), deviceOf(alice, "phone")].entries()) {
      await sync(device.client);
      assert.equal(current((await readEntries(device.client, "passwords"))[0] ?? assert.fail(), "password"), number === 0 ? "before" : `changed ${number - 1}`);
      await editEntries(device.client, "passwords", ([known]) => [change(entry.id, known, { password: `changed ${number}` })]);
      await sync(device.client);
      assert.equal(current((await readEntries(device.client, "passwords"))[0] ?? assert.fail(), "password"), `changed ${number}`);
    }
  });

  test("that suspends the one administration device takes nothing from it but 72 hours", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    await save(alice.desktop, "github");
    alice.portal.clock.now += 73 * 3_600_000;
    await sync(laptop.client);
    const [self, desktop] = [await whoIs(laptop), await whoIs(alice.desktop)];
    const { g, n } = personalOf(await meshOf(laptop)).payload;
    await send(laptop, { kind: "suspension", object: (await signObject(suspension, { action: "suspend", g, heads: [], master: self.master, n, target: desktop.device as never, v: 1 }, signerOf(laptop.keyring, self.device))).jws });
    await save(tablet, "gitlab");
    await assert.rejects(sync(alice.desktop.client), { code: "device-disabled" });
    alice.portal.clock.now += 73 * 3_600_000;
    // The tablet's new epoch is not for the desktop: what it writes meanwhile waits.
    assert.equal((await sync(alice.desktop.client)).keyless, 2);
    await save(alice.desktop, "kept back");
    assert.equal((await statusOf(alice.desktop.client)).keyless, 2);
    await sync(tablet.client);
    await sync(alice.desktop.client);
    assert.deepEqual(await names(alice.desktop), ["github", "gitlab", "kept back"]);
    assert.deepEqual([(await statusOf(alice.desktop.client)).keyless, (await statusOf(alice.desktop.client)).unsent], [0, 0]);
    await save(alice.desktop, "codeberg");
    await sync(tablet.client);
    assert.deepEqual(await names(tablet), ["codeberg", "github", "gitlab", "kept back"]);
    await disableDevice(alice.desktop.client, "laptop");
  });
});

test("two commands that change the mesh on one device at once sign no version twice", async () => {
  const { desktop } = await household();
  const [self, mesh] = [await whoIs(desktop), await meshOf(desktop)];
  const versions = await Promise.all([1, 2, 3].map(() => nextPersonal(desktop.client, self, mesh, personalOf(mesh).payload)));
  assert.deepEqual(versions.map((one) => one.payload.n).sort(), [2, 3, 4]);
});

test("an Application Profile published while a device asks for the one before is taken, and nobody is blamed", async () => {
  const alice = await household({ tower: "admin", laptop: "member" });
  const [tower, laptop] = [deviceOf(alice, "tower"), deviceOf(alice, "laptop")];
  const publishNext = async () => send(tower, { kind: "application", object: (await applicationAfter(tower, "passwords", canonicalBytes({ type: "passwords", v: 1 }))).jws });
  await publishNext();
  let pending = true;
  const meddler = {
    answer: async (_: unknown, answer: PortalAnswer) => {
      const status = Buffer.from(answer.body).toString().startsWith('{"StatusResponse"');
      if (status && pending) {
        pending = false;
        await publishNext();
      }
      return answer;
    },
  };
  laptop.portal = { ...alice.portal, meddler };
  await sync(laptop.client);
  assert.equal(pending, false);
  assert.equal((await chainOf(laptop, "passwords")).profile?.version, 3);
});
