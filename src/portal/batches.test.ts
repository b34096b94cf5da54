import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../bytes/base64url.ts";
import { commit } from "../catalogs/commits.ts";
import { sealChanges } from "../catalogs/entries.ts";
import { newEntryId } from "../catalogs/entry-id.ts";
import { beginEpoch, type Place } from "../catalogs/epoch-keys.ts";
import { change } from "../catalogs/merge.ts";
import { type CatalogType, editEntries } from "../client/catalog.ts";
import { signerOf } from "../client/client.ts";
import { loadCatalog } from "../client/known.ts";
import { createMesh } from "../client/operations/create.ts";
import { sync } from "../client/sync.ts";
import { signObject } from "../envelope/signed.ts";
import { pinNotice } from "../profiles/connection.ts";
import { personalOf } from "../profiles/mesh.ts";
import { personalProfile } from "../profiles/personal.ts";
import { catalogAppend, catalogRead } from "../protocol/catalogs.ts";
import type { Part } from "../protocol/parts.ts";
import { publish, status } from "../protocol/profiles.ts";
import { newDevice, type TestDevice } from "../../test/support/world.ts";
import { deviceOf, household, type Household, idOf, join, meshOf, names, save, whoIs } from "../../test/adversary/household.ts";
import { shelf } from "./records.ts";
import { openAs } from "./test-asking.ts";

/** The next entries of a catalog by a device, as a part; `at` moves it from its place. */
async function entries(device: TestDevice, type: CatalogType, name: string, at: Partial<Place> = {}): Promise<Part & { kind: "commit" }> {
  const id = await idOf(device, type);
  const row = await device.client.rows.read((rows) => loadCatalog(rows, id));
  assert.ok(row !== undefined);
  const { g, n } = personalOf(await meshOf(device)).payload;
  const place: Place = { catalog: id as Place["catalog"], epoch: row.chain.epoch, g, index: row.chain.index + 1, n, previous: row.chain.digest, ...at };
  const key = Buffer.from(row.epochs[row.chain.epoch]?.key ?? "", "base64url");
  const { payload, body } = sealChanges(place, key, [change(newEntryId(), undefined, { name })]);
  return { kind: "commit", body: toBase64url(body), object: (await signObject(commit, payload, signerOf(device.keyring, (await whoIs(device)).device))).jws };
}

async function pin(device: TestDevice, name: string): Promise<Part> {
  const self = await whoIs(device);
  return { kind: "pin", object: (await signObject(pinNotice, { expires: device.portal.clock.now + 1000, master: self.master, pin: name, status: "open", v: 1 }, signerOf(device.keyring, self.administrationKey))).jws };
}

/** All that the portal holds, but for sessions. */
async function state({ portal }: Household): Promise<unknown> {
  const shelves = Object.values(shelf).filter((name) => !["sessions", "openings", "answers"].includes(name));
  return portal.store.read((r) => Promise.all(shelves.map((name) => r.list(name, ""))));
}

suite("batches", () => {
  test("a batch with one part that does not hold changes nothing, wherever in it the part stands", async () => {
    const alice = await household();
    const asking = await openAs(alice.desktop);
    await asking.ask(status, {});
    const good = [await entries(alice.desktop, "passwords", "a"), await entries(alice.desktop, "devices", "b"), await pin(alice.desktop, "AAAAA")];
    const bad = await entries(alice.desktop, "administration", "c", { index: 99 });
    const before = await state(alice);
    for (const place of [0, 1, 2, 3]) {
      assert.equal((await asking.ask(publish, { parts: good.toSpliced(place, 0, bad) })).code, "commit-out-of-order");
      assert.deepEqual(await state(alice), before);
    }
    assert.equal((await asking.ask(publish, { parts: good })).code, "ok");
    assert.notDeepEqual(await state(alice), before);
  });

  test("the same batch again, under another counter or in another session, changes nothing more", async () => {
    const alice = await household();
    const asking = await openAs(alice.desktop);
    const parts = [await entries(alice.desktop, "passwords", "a"), await entries(alice.desktop, "devices", "b")];
    assert.equal((await asking.ask(publish, { parts })).code, "ok");
    const before = await state(alice);
    assert.equal((await asking.ask(publish, { parts })).code, "ok");
    assert.equal((await (await openAs(alice.desktop)).ask(publish, { parts })).code, "ok");
    assert.deepEqual(await state(alice), before);
    await sync(alice.desktop.client);
    assert.deepEqual(await names(alice.desktop), ["a"]);
  });

  test("200 appends to one place at once: one is taken, the others are told that they came too late, none is lost or doubled", async () => {
    const alice = await household();
    const asking = await openAs(alice.desktop);
    const made = await Promise.all(Array.from({ length: 200 }, (_, at) => entries(alice.desktop, "passwords", `${at}`)));
    const codes = await Promise.all(made.map(({ object, body }) => asking.ask(catalogAppend, { commits: [{ commit: object, ...(body === undefined ? {} : { body }) }] })));
    const counts = Map.groupBy(codes, (one) => one.code);
    assert.deepEqual([counts.get("ok")?.length, counts.get("commit-out-of-order")?.length], [1, 199]);
    await sync(alice.desktop.client);
    assert.equal((await names(alice.desktop)).length, 1);
  });

  test("200 changes of four devices at once are all there in the end", async () => {
    const others = Object.fromEntries(Array.from({ length: 3 }, (_, at) => [`device ${at}`, "member" as const]));
    const alice = await household(others);
    const devices = [alice.desktop, ...Object.values(alice.devices)];
    await Promise.all(devices.map(async (device, which) => {
      for (let count = 0; count < 50; count++) await editEntries(device.client, "passwords", () => [change(newEntryId(), undefined, { name: `${which}/${count}` })]);
      for (let tries = 0; tries < 10; tries++) {
        const done = await sync(device.client).then(() => true, (error: { code: string }) => {
          assert.match(error.code, /commit-out-of-order|account-changed/);
          return false;
        });
        if (done) break;
      }
    }));
    for (const device of devices) {
      await sync(device.client);
      assert.equal((await names(device)).length, 200);
    }
  });

  test("a version signed for one place by two administration devices: the second is late; by one device twice: evidence", async () => {
    const alice = await household({ tower: "admin" });
    const tower = deviceOf(alice, "tower");
    const [desktops, towers] = [await openAs(alice.desktop), await openAs(tower)];
    const last = personalOf(await meshOf(tower));
    const next = async (device: TestDevice, heads: typeof last.payload.heads): Promise<Part> => {
      const payload = { ...last.payload, heads, n: last.payload.n + 1, previous: last.digest };
      return { kind: "personal", object: (await signObject(personalProfile, payload, signerOf(device.keyring, (await whoIs(device)).administrationKey))).jws };
    };
    assert.equal((await desktops.ask(publish, { parts: [await next(alice.desktop, [])] })).code, "ok");
    assert.equal((await towers.ask(publish, { parts: [await next(tower, last.payload.heads.slice(0, 1))] })).code, "profile-out-of-order");
    assert.equal((await desktops.ask(publish, { parts: [await next(alice.desktop, last.payload.heads.slice(0, 1))] })).code, "profile-two-versions");
  });

  test("an empty batch, and parts of no known kind are malformed", async () => {
    const alice = await household();
    const asking = await openAs(alice.desktop);
    const part = await pin(alice.desktop, "AAAAA");
    for (const parts of [[], [{ ...part, kind: "wish" }], [{ ...part, more: 1 }]]) assert.equal((await asking.ask(publish, { parts } as never)).code, "request-malformed");
  });

  test("a mesh that lists another's device and catalog as its own neither reads nor writes it, nor takes the device over", async () => {
    const alice = await household({ laptop: "member" });
    await save(alice.desktop, "alice's");
    const mallory = newDevice(alice.portal, { holdsMaster: true });
    await createMesh(mallory.client, mallory.master, { address: "mallory@example.com", portal: alice.at, deviceName: "mallory" });
    const self = await whoIs(mallory);
    const passwords = (await idOf(alice.desktop, "passwords")) as Place["catalog"];
    const last = personalOf(await meshOf(mallory));
    const stolen = [...(await meshOf(alice.desktop)).devices.values()];
    const everybody = [self.device, ...stolen.map((one) => one.payload.id)];
    const payload = {
      ...last.payload,
      applications: [...last.payload.applications, { administrators: [self.device], editors: everybody, id: passwords, readers: everybody }],
      devices: [...last.payload.devices, ...stolen.map((one) => ({ digest: one.digest, id: one.payload.id, role: "member" as const, status: "active" as const }))],
      n: last.payload.n + 1,
      previous: last.digest,
    };
    const personal = await signObject(personalProfile, payload, signerOf(mallory.keyring, self.administrationKey));
    const asking = await openAs(mallory);
    assert.equal((await asking.ask(publish, { parts: [...stolen.map((one) => ({ kind: "device" as const, object: one.jws })), { kind: "personal", object: personal.jws }] })).code, "ok");
    const read = await asking.ask(catalogRead, { after: 0, catalog: passwords });
    assert.match(Buffer.from(read.body).toString(), /"commits":\[\]/);
    const epoch = await beginEpoch({ catalog: passwords, epoch: 1, g: 1, index: 1, n: payload.n }, [...(await meshOf(mallory)).devices.values(), ...stolen].map((one) => one.payload), [], undefined);
    assert.equal((await asking.ask(catalogAppend, { commits: [{ commit: (await signObject(commit, epoch.payload, signerOf(mallory.keyring, self.device))).jws }] })).code, "ok", "a catalog of her own under the same name");
    for (const device of [alice.desktop, deviceOf(alice, "laptop")]) {
      await save(device, `after ${(await whoIs(device)).name}`);
      assert.equal((await openAs(device).then((one) => one.ask(status, {}))).code, "ok");
    }
    await join(alice, "phone");
    await sync(alice.desktop.client);
    assert.deepEqual(await names(alice.desktop), ["after desktop", "after laptop", "alice's"]);
  });
});

