import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { fromBase64url, toBase64url } from "../../src/bytes/base64url.ts";
import { type Commit, commit, type EpochCommit } from "../../src/catalogs/commits.ts";
import { sealChanges } from "../../src/catalogs/entries.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { beginEpoch, grantEpoch, type Place } from "../../src/catalogs/epoch-keys.ts";
import { change, current } from "../../src/catalogs/merge.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import { signerOf } from "../../src/client/client.ts";
import { loadCatalog } from "../../src/client/known.ts";
import { makeDeviceKeys } from "../../src/client/keys.ts";
import { pull, push, sync } from "../../src/client/sync.ts";
import { randomBytes } from "../../src/crypto/random.ts";
import { signObject, type Signer } from "../../src/envelope/signed.ts";
import { openMemoryKeyring } from "../../src/keyring/memory.ts";
import { personalOf } from "../../src/profiles/mesh.ts";
import { catalogAppend, catalogRead } from "../../src/protocol/catalogs.ts";
import type { SentCommit } from "../../src/protocol/parts.ts";
import { status } from "../../src/protocol/profiles.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { joinMesh } from "../../src/client/operations/join.ts";
import { acceptConnection } from "../../src/client/operations/accept.ts";
import { newDevice, type TestDevice } from "../support/world.ts";
import { lie, serveAfter, twinOf } from "./cheating.ts";
import { address, deviceOf, household, idOf, join, meshOf, names, refused, save, whoIs } from "./household.ts";

/** Where the next commit of a catalog stands, as a device knows it. */
async function nextPlace(device: TestDevice, type: "devices" | "administration" | "passwords"): Promise<Place> {
  const id = await idOf(device, type);
  const chain = (await device.client.rows.read((rows) => loadCatalog(rows, id)))?.chain;
  assert.ok(chain !== undefined);
  const { g, n } = personalOf(await meshOf(device)).payload;
  return { catalog: id as Place["catalog"], epoch: chain.epoch, g, index: chain.index + 1, n, previous: chain.digest };
}

async function signed(payload: Commit, signer: Signer): Promise<SentCommit> {
  return { commit: (await signObject(commit, payload, signer)).jws };
}

async function profilesOf(device: TestDevice) {
  return [...(await meshOf(device)).devices.values()].map((one) => one.payload);
}

suite("a portal writes into a catalog", () => {
  test("an epoch of its own, for exactly the true readers, is by nobody who may edit", async () => {
    const alice = await household({ laptop: "member" });
    const portals = openMemoryKeyring();
    const { device } = await makeDeviceKeys(portals);
    const place = await nextPlace(alice.desktop, "passwords");
    const { payload } = await beginEpoch({ ...place, epoch: place.epoch + 1 }, await profilesOf(alice.desktop), [], randomBytes(32));
    const stop = serveAfter(alice.portal, await signed(payload, signerOf(portals, device)));
    for (const one of [alice.desktop, deviceOf(alice, "laptop")]) await refused(one, () => sync(one.client), "portal-false-data");
    stop();
    await save(alice.desktop, "github");
    await sync(deviceOf(alice, "laptop").client);
    assert.deepEqual(await names(deviceOf(alice, "laptop")), ["github"]);
  });

  test("an epoch in the name of a true device has no true signature", async () => {
    const alice = await household({ laptop: "member" });
    const place = await nextPlace(alice.desktop, "passwords");
    const { payload } = await beginEpoch({ ...place, epoch: place.epoch + 1 }, await profilesOf(alice.desktop), [], randomBytes(32));
    const portals = openMemoryKeyring();
    const own = await makeDeviceKeys(portals);
    const { device } = await whoIs(alice.desktop);
    const stop = serveAfter(alice.portal, await signed(payload, { ...signerOf(portals, own.device), kid: device as never }));
    await refused(deviceOf(alice, "laptop"), () => sync(deviceOf(alice, "laptop").client), "portal-false-data");
    stop();
    await sync(deviceOf(alice, "laptop").client);
  });

  test("a reader more, or one less, in an epoch or a grant is refused even when an administration device of the mesh signs it", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const spy = await makeDeviceKeys(openMemoryKeyring());
    const readers = await profilesOf(alice.desktop);
    const place = await nextPlace(alice.desktop, "passwords");
    const next = { ...place, epoch: place.epoch + 1 };
    const more = await beginEpoch(next, [...readers, spy.profile.payload], [], randomBytes(32));
    const less = await beginEpoch(next, readers.slice(0, 1), [], randomBytes(32));
    const unfounded = await beginEpoch(next, readers.slice(0, 1), readers.slice(1).map((one) => one.id as never), randomBytes(32));
    const grant = await grantEpoch(place, randomBytes(32), [spy.profile.payload]);
    const { device } = await whoIs(alice.desktop);
    for (const payload of [more.payload, less.payload, unfounded.payload, grant]) {
      const stop = serveAfter(alice.portal, await signed(payload, signerOf(alice.desktop.keyring, device)));
      await refused(laptop, () => sync(laptop.client), "portal-false-data");
      stop();
    }
    await sync(laptop.client);
  });

  test("a commit whose wraps were exchanged after it was signed is refused", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const place = await nextPlace(alice.desktop, "passwords");
    const readers = await profilesOf(alice.desktop);
    const { device } = await whoIs(alice.desktop);
    const [one, two] = await Promise.all([1, 2].map(async () => (await beginEpoch({ ...place, epoch: place.epoch + 1 }, readers, [], randomBytes(32))).payload));
    assert.ok(one !== undefined && two !== undefined);
    const [a, b] = await Promise.all([one, two].map((payload) => signed(payload, signerOf(alice.desktop.keyring, device))));
    assert.ok(a !== undefined && b !== undefined);
    const stop = serveAfter(alice.portal, { commit: { ...a.commit, payload: b.commit.payload } });
    await refused(laptop, () => sync(laptop.client), "portal-false-data");
    stop();
    await sync(laptop.client);
  });

  test("entries under a key that their author was not given are by nobody", async () => {
    const alice = await household({ laptop: "member" });
    const place = await nextPlace(alice.desktop, "passwords");
    const portals = openMemoryKeyring();
    const { device } = await makeDeviceKeys(portals);
    const { payload, body } = sealChanges(place, randomBytes(32), [change(newEntryId(), undefined, { name: "planted" })]);
    const stop = serveAfter(alice.portal, { ...(await signed(payload, signerOf(portals, device))), body: toBase64url(body) });
    await refused(deviceOf(alice, "laptop"), () => sync(deviceOf(alice, "laptop").client), "portal-false-data");
    stop();
    await sync(deviceOf(alice, "laptop").client);
  });
});

suite("an administration device that was turned against its owner", () => {
  for (const [what, spoil] of [
    ["whose key opens for nobody", (payload: EpochCommit) => ({ ...payload, commitment: toBase64url(randomBytes(64)) })],
    ["with nonsense for the key before", (payload: EpochCommit) => ({ ...payload, previousKey: { ciphertext: toBase64url(randomBytes(48)), salt: toBase64url(randomBytes(32)) } })],
  ] as const) {
    test(`an epoch ${what} locks no one out for long: the others go on under the next, and who joins later reads what can be read`, async () => {
      const alice = await household({ laptop: "member", tower: "admin" });
      const [laptop, tower] = [deviceOf(alice, "laptop"), deviceOf(alice, "tower")];
      await save(alice.desktop, "before");
      const synced = await pull(tower.client);
      const place = await nextPlace(tower, "passwords");
      const keys = await tower.client.rows.read((rows) => loadCatalog(rows, place.catalog));
      const begun = await beginEpoch({ ...place, epoch: place.epoch + 1 }, await profilesOf(tower), [], fromBase64url(keys?.epochs[place.epoch]?.key ?? ""));
      await synced.link.call(synced.requester, catalogAppend, { commits: [await signed(spoil(begun.payload), signerOf(tower.keyring, synced.self.device))] });
      synced.link.close();
      await sync(laptop.client);
      await save(alice.desktop, "after");
      await sync(laptop.client);
      assert.deepEqual(await names(laptop), ["after", "before"]);
      const guest = await join(alice, "guest");
      await sync(guest.client);
      assert.ok((await names(guest)).includes("after"));
      await save(guest, "theirs");
      await sync(alice.desktop.client);
      assert.deepEqual(await names(alice.desktop), ["after", "before", "theirs"]);
    });
  }
});

suite("a portal splices two catalogs", () => {
  test("the commits of one do not continue the other", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const [passwords, devices] = [await idOf(laptop, "passwords"), await idOf(laptop, "devices")];
    await save(alice.desktop, "github");
    const { commits } = await commitsOf(alice.desktop, devices);
    const stop = lie(alice.portal, catalogRead, (answer, { catalog }) => (catalog === passwords ? { ...answer, commits } : answer));
    await refused(laptop, () => sync(laptop.client), "portal-false-data");
    stop();
    await sync(laptop.client);
    assert.deepEqual(await names(laptop), ["github"]);
  });

  test("a device that joins takes none of them for the other, from the first commit on", async () => {
    const alice = await household();
    await save(alice.desktop, "github");
    const [passwords, devices] = [await idOf(alice.desktop, "passwords"), await idOf(alice.desktop, "devices")];
    const laptop = newDevice(alice.portal);
    const { master } = await whoIs(alice.desktop);
    const options = { address, master, portal: alice.at, deviceName: "laptop" };
    const asked = await joinMesh(laptop.client, options);
    await acceptConnection(alice.desktop.client, asked.witness, "member");
    const of = new Map([[passwords, await commitsOf(alice.desktop, devices)], [devices, await commitsOf(alice.desktop, passwords)]]);
    const stops = [
      lie(alice.portal, status, (answer) => ({ ...answer, heads: answer.heads.flatMap((head) => of.get(head.catalog)?.head ?? []).map((head, at) => ({ ...head, catalog: answer.heads[at]?.catalog as never })) })),
      lie(alice.portal, catalogRead, (answer, { catalog }) => of.get(catalog) ?? answer),
    ];
    await assert.rejects(joinMesh(laptop.client, options), { code: "portal-forked-catalog" });
    assert.equal(await laptop.client.rows.read((rows) => loadCatalog(rows, passwords)), undefined);
    for (const stop of stops.toReversed()) stop();
    assert.equal((await joinMesh(laptop.client, options)).status, "connected");
    assert.deepEqual(await names(laptop), ["github"]);
  });

  test("a catalog left out whole is missed by a device that joins: the answer named its head", async () => {
    const alice = await household();
    await save(alice.desktop, "github");
    const passwords = await idOf(alice.desktop, "passwords");
    const laptop = newDevice(alice.portal);
    const { master } = await whoIs(alice.desktop);
    const options = { address, master, portal: alice.at, deviceName: "laptop" };
    const asked = await joinMesh(laptop.client, options);
    await acceptConnection(alice.desktop.client, asked.witness, "member");
    const stop = lie(alice.portal, status, (answer) => ({ ...answer, heads: answer.heads.filter((head) => head.catalog !== passwords) }));
    await assert.rejects(joinMesh(laptop.client, options), { code: "portal-older-catalog" });
    stop();
    assert.equal((await joinMesh(laptop.client, options)).status, "connected");
  });
});

suite("a portal shows two devices two histories", () => {
  test("each refuses the other's as soon as it is shown it, and holds what it had", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    const face = await twinOf(alice.portal);
    laptop.portal = face;
    await save(laptop, "seen on one face");
    await save(tablet, "seen on the other");
    laptop.portal = alice.portal;
    await refused(laptop, () => sync(laptop.client), "portal-forked-catalog");
    tablet.portal = face;
    await refused(tablet, () => sync(tablet.client), "portal-forked-catalog");
    assert.deepEqual([await names(laptop), await names(tablet)], [["seen on one face"], ["seen on the other"]]);
  });

  test("two administration devices that sign one version on two faces give the evidence: profile-two-versions", async () => {
    const alice = await household({ tower: "admin", laptop: "member" });
    const [tower, laptop] = [deviceOf(alice, "tower"), deviceOf(alice, "laptop")];
    const face = await twinOf(alice.portal);
    await disableDevice(alice.desktop.client, "laptop");
    tower.portal = face;
    laptop.portal = face;
    await join({ at: alice.at, desktop: tower, portal: face }, "phone");
    tower.portal = alice.portal;
    await refused(tower, () => sync(tower.client), "profile-two-versions");
    alice.desktop.portal = face;
    await refused(alice.desktop, () => sync(alice.desktop.client), "profile-two-versions");
  });

  test("a device that meets what another has seen compares it with what it was shown itself", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const { device } = await whoIs(laptop);
    const entry = (await readEntries(laptop.client, "devices")).find((one) => current(one, "device") === device);
    const seen = current(entry ?? { id: "", fields: {} }, "seen") as { heads: { catalog: string; digest: string; index: number }[] } | undefined;
    assert.ok(entry !== undefined && seen !== undefined);
    const other = seen.heads.map((head) => ({ ...head, digest: toBase64url(new Uint8Array(64)) }));
    await editEntries(laptop.client, "devices", () => [change(entry.id, entry, { seen: { ...seen, heads: other } })]);
    // The laptop says that it was shown other heads: the desktop cannot tell who lies, and says so.
    const synced = await pull(laptop.client);
    await push(laptop.client, synced);
    await assert.rejects(sync(alice.desktop.client), { code: "portal-forked-catalog" });
  });

  test("honest twin: three devices write at once and meet in one history, silently", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    await Promise.all([save(laptop, "one"), save(tablet, "two"), save(alice.desktop, "three")]);
    for (const device of [laptop, tablet, alice.desktop]) {
      await sync(device.client);
      assert.deepEqual(await names(device), ["one", "three", "two"]);
    }
  });
});

async function commitsOf(device: TestDevice, catalog: string) {
  const synced = await pull(device.client);
  const answer = await synced.link.call(synced.requester, catalogRead, { after: 0, catalog: catalog as never });
  synced.link.close();
  return answer;
}
