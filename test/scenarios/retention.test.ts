import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { canonicalBytes, type Json } from "../../src/bytes/canonical-json.ts";
import type { Change } from "../../src/catalogs/entries.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { authorityOf } from "../../src/catalogs/chain.ts";
import { commit } from "../../src/catalogs/commits.ts";
import { change, current } from "../../src/catalogs/merge.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import { releasesAfter } from "../../src/client/forgotten.ts";
import { disableDevice, leaveMesh } from "../../src/client/operations/disable.ts";
import { unsuspendDevice } from "../../src/client/operations/unsuspend.ts";
import { statusOf } from "../../src/client/status.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { getObject, type MeshRecord, parseRow, row, shelf, type Stamped } from "../../src/portal/records.ts";
import { check } from "../../src/portal/upkeep/check.ts";
import type { Finding } from "../../src/portal/upkeep/finding.ts";
import { forget } from "../../src/portal/upkeep/forget.ts";
import { catalogAppend, catalogRead } from "../../src/protocol/catalogs.ts";
import { decodeRequest, decodeResponse, encodeResponse } from "../../src/protocol/wire.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import type { Store } from "../../src/store/store.ts";
import { authentic } from "../adversary/cheating.ts";
import { agreed, deviceOf, household, type Household, idOf, join, names, save, suspending, whoIs } from "../adversary/household.ts";
import { signerOf } from "../../src/client/client.ts";
import { type Jws, readSigned, signObject } from "../../src/envelope/signed.ts";
import { dropShared, noteShared, type ReleaseRow } from "../../src/portal/releases.ts";
import { openAs } from "../../src/portal/test-asking.ts";
import { personalOf } from "../../src/profiles/mesh.ts";
import { publish } from "../../src/protocol/profiles.ts";
import { type Release, release, releaseCommits } from "../../src/protocol/releases.ts";
import { replayed, sorted } from "../support/reread.ts";
import type { TestDevice } from "../support/world.ts";

const DAY = 86_400_000;

function many(count: number, prefix: string): readonly Change[] {
  return Array.from({ length: count }, (_, n) => change(newEntryId(), undefined, { name: `${prefix} ${n}`, notes: "x".repeat(8000) }));
}

/** Passwords enough for a snapshot, sent. */
async function fill(device: TestDevice, prefix: string, count = 140): Promise<void> {
  await editEntries(device.client, "passwords", () => many(count, prefix));
  await sync(device.client);
}

async function roomOf({ portal, desktop }: Household): Promise<number> {
  const { master } = await whoIs(desktop);
  return (await portal.store.read((r) => row<MeshRecord>(r, shelf.meshes, master)))?.octets ?? 0;
}

/** The portal as `mesh portal check` sees it: nothing wrong, and room used is what is there. */
async function sound({ portal }: Household) {
  const findings: Finding[] = [];
  const checked = await portal.store.read((r) => check(r, portal.clock.now, (finding) => findings.push(finding)));
  assert.deepEqual(findings, []);
  return checked;
}

/** A mesh two years on: the laptop was away while three snapshots were made, and the portal forgot what came before the second newest. */
async function afterYears(others: Parameters<typeof household>[0] = { laptop: "member" }, before?: (alice: Household) => Promise<unknown>, writer = "desktop") {
  const alice = await household(others);
  await save(alice.desktop, "first");
  for (const device of Object.values(alice.devices)) await sync(device.client);
  await before?.(alice);
  for (const prefix of ["one", "two", "three"]) {
    await fill(writer === "desktop" ? alice.desktop : deviceOf(alice, writer), prefix);
    alice.portal.clock.now += 100 * DAY;
  }
  const gone = await forget(alice.portal.store, alice.portal.clock.now);
  return { alice, gone };
}

suite("retention (decision 6.4)", () => {
  test("what is old and released is forgotten, its room is free again, and all that is kept still holds", async () => {
    const alice = await household();
    for (const prefix of ["one", "two"]) await fill(alice.desktop, prefix);
    assert.equal(await forget(alice.portal.store, alice.portal.clock.now + 71 * 3_600_000), 0, "just released");
    assert.equal(await forget(alice.portal.store, alice.portal.clock.now + 89 * DAY), 0, "not old enough");
    const [room, { objects }] = [await roomOf(alice), await sound(alice)];
    alice.portal.clock.now += 90 * DAY;
    const gone = await forget(alice.portal.store, alice.portal.clock.now);
    assert.ok(gone > 4, String(gone));
    assert.ok((await roomOf(alice)) < room - 1_000_000);
    assert.equal((await sound(alice)).unused.length, 0);
    assert.ok((await sound(alice)).objects < objects - gone);
    assert.equal(await forget(alice.portal.store, alice.portal.clock.now), 0);
    await fill(alice.desktop, "three", 3);
    await sound(alice);
    // What is said of forgotten commits is held to the release; what a row says of it besides is made anew.
    const { store, clock } = alice.portal;
    const prefix = `${(await whoIs(alice.desktop)).master}/${await idOf(alice.desktop, "passwords")}/`;
    const changed = async (on: string, at: number, change: (row: object) => object): Promise<readonly Finding[]> => {
      const { key, value } = (await store.read((r) => r.list(on, on === shelf.commits ? prefix : "")))[at] ?? assert.fail();
      await store.transact((w) => w.put(on, key, canonicalBytes(change(parseRow<object>(value)) as Json)));
      const findings: Finding[] = [];
      await store.read((r) => check(r, clock.now, (finding) => findings.push(finding)));
      await store.transact((w) => w.put(on, key, value));
      return findings;
    };
    const trail = await changed(shelf.releases, 0, (row) => ({ ...row, trail: { digest: "x", index: 1 } }));
    assert.deepEqual(trail.map(({ what, repairs }) => [what, repairs.length]), [["copy-wrong", 1]]);
    const digest = await changed(shelf.commits, 0, (row) => ({ ...row, digest: "x" }));
    assert.deepEqual(digest.map(({ what }) => what), ["rows-missing"]);
  });

  test("cut off at any transaction it leaves nothing half done, and the next run goes on; what somebody else keeps too stays", async () => {
    const alice = await household();
    for (let at = 0; at < 50; at++) await editEntries(alice.desktop.client, "passwords", () => [change(newEntryId(), undefined, { name: `own commit ${at}`, notes: "x".repeat(270_000) })]);
    await sync(alice.desktop.client);
    await fill(alice.desktop, "two");
    alice.portal.clock.now += 100 * DAY;
    const { store } = alice.portal;
    const { master } = await whoIs(alice.desktop);
    const prefix = `${master}/${await idOf(alice.desktop, "passwords")}/`;
    const second = await store.read(async (r) => getObject(r, parseRow<Stamped>((await r.list(shelf.commits, prefix))[1]?.value ?? assert.fail()).digest, commit));
    const body = second.payload.kind === "entries" ? second.payload.digest : assert.fail();
    await store.transact((w) => noteShared(w, shelf.bodies, body));
    let [gone, runs] = [0, 0];
    for (;;) {
      let done = 0;
      // Each run dies after its first transaction.
      const mortal: Store = { ...store, read: (work) => store.read(work), transact: (work) => (done++ > 0 ? Promise.reject(new MeshError("store-failed", "killed")) : store.transact(work)), close: () => store.close() };
      const before = await roomOf(alice);
      const went = await forget(mortal, alice.portal.clock.now).catch((error: MeshError) => error.code);
      runs += 1;
      const { unused } = await sound(alice);
      assert.ok(unused.length <= 1, "what is kept for somebody else alone");
      if (went === 0) break;
      assert.ok((await roomOf(alice)) < before);
      gone += 1;
    }
    assert.ok(gone > 1 && runs > 2, `${gone} ${runs}`);
    const left = () => store.read(async (r) => [await r.get(shelf.bodies, body), await r.get(shelf.shared, body)].map((one) => one !== undefined));
    assert.deepEqual(await left(), [true, false], "it is the other's alone");
    await store.transact((w) => dropShared(w, shelf.bodies, body));
    assert.deepEqual(await left(), [false, false]);
  });

  test("a device that was away takes the snapshot that the release names, gets the key of an epoch whose beginning is forgotten, and says what it will never read", async () => {
    // An epoch begins while it is away, so that the key stands in a commit that is forgotten.
    const { alice, gone } = await afterYears({ laptop: "member", tablet: "member" }, ({ desktop }) => disableDevice(desktop.client, "tablet", agreed));
    assert.ok(gone > 4);
    const laptop = deviceOf(alice, "laptop");
    await sync(laptop.client);
    assert.deepEqual(await sorted(laptop), await sorted(alice.desktop));
    const { onTrust } = await statusOf(laptop.client);
    assert.equal(onTrust[0]?.by, "desktop");
    assert.ok((onTrust[0]?.changes ?? 0) > 4);
    assert.deepEqual((await statusOf(alice.desktop.client)).onTrust, []);
    await save(laptop, "back again");
    await sync(alice.desktop.client);
    assert.deepEqual(await sorted(laptop), await sorted(alice.desktop));
    await sound(alice);
  });

  test("edits made away are sent, and one that the portal took unheard is there once", async () => {
    const { alice } = await afterYears(undefined, async (home) => {
      const laptop = deviceOf(home, "laptop");
      await editEntries(laptop.client, "passwords", () => [change(newEntryId(), undefined, { name: "taken unheard", password: "a" })]);
      home.portal.meddler.answer = (request, answer) => {
        if (decodeRequest(request.body).command.name === catalogAppend.name) throw new MeshError("service-unreachable", "cut off");
        return answer;
      };
      await assert.rejects(sync(laptop.client), { code: "service-unreachable" });
      delete home.portal.meddler.answer;
      const first = (await readEntries(laptop.client, "passwords")).find((one) => current(one, "name") === "first") ?? assert.fail();
      await editEntries(laptop.client, "passwords", () => [change(first.id, first, { password: "away" }), change(newEntryId(), undefined, { name: "never sent" })]);
    });
    const laptop = deviceOf(alice, "laptop");
    await sync(laptop.client);
    await sync(alice.desktop.client);
    assert.deepEqual(await sorted(laptop), await sorted(alice.desktop));
    const all = await names(alice.desktop);
    assert.equal(all.length, 420 + 3);
    for (const name of ["taken unheard", "never sent", "first"]) assert.equal(all.filter((one) => one === name).length, 1, name);
    assert.equal((await statusOf(laptop.client)).unsent, 0);
  });

  test("a device that joins by a snapshot never reads what is forgotten before it came to it, and says so; nobody is accused", async () => {
    const alice = await household();
    for (const prefix of ["one", "two", "three"]) await fill(alice.desktop, prefix);
    const tablet = await join(alice, "tablet", "admin");
    alice.portal.clock.now += 100 * DAY;
    assert.ok((await forget(alice.portal.store, alice.portal.clock.now)) > 0);
    assert.equal(await replayed(tablet), 0);
    assert.ok(((await statusOf(tablet.client)).onTrust[0]?.changes ?? 0) > 0);
    assert.equal((await statusOf(tablet.client)).unchecked, 0);
    assert.deepEqual(await sorted(tablet), await sorted(alice.desktop));
    const later = await join(alice, "later");
    assert.deepEqual(await sorted(later), await sorted(alice.desktop));
    // It speaks for what is left itself: it knows the digests of what it never read.
    await sync(tablet.client);
    await fill(tablet, "from tablet");
    const prefix = `${(await whoIs(tablet)).master}/${await idOf(tablet, "passwords")}/`;
    assert.equal((await alice.portal.store.read((r) => r.list(shelf.releases, prefix))).length, 2);
    await sound(alice);
  });

  test("a portal that keeps commits back without anybody's word, or by a word that does not cover them, is caught; nothing is taken", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    for (const prefix of ["one", "two", "three"]) await fill(alice.desktop, prefix);
    const passwords = await idOf(laptop, "passwords");
    const released = await alice.portal.store.read(async (r) => (await r.list(shelf.releases, "")).length);
    assert.equal(released, 1);
    alice.portal.meddler.answer = (request, answer) => {
      const { command, request: asked } = decodeRequest(request.body);
      if (command.name !== catalogRead.name || (asked as { catalog: string }).catalog !== passwords) return answer;
      const { head } = decodeResponse(catalogRead, answer.body);
      return authentic(alice.portal, request, encodeResponse(catalogRead, { commits: [], more: false, releases: [], ...(head === undefined ? {} : { head }) }));
    };
    await assert.rejects(sync(laptop.client), (error: MeshError) => error.code === "portal-older-catalog" && error.exit === 6);
    assert.deepEqual(await names(laptop), []);
    delete alice.portal.meddler.answer;
    await sync(laptop.client);
    assert.deepEqual(await sorted(laptop), await sorted(alice.desktop));
  });

  test("a portal that shows what it forgot and hides what came after the snapshot, by nobody's word, is caught too", async () => {
    const { alice } = await afterYears();
    const laptop = deviceOf(alice, "laptop");
    await save(alice.desktop, "after");
    alice.portal.meddler.answer = (request, answer) => {
      if (decodeRequest(request.body).command.name !== catalogRead.name) return answer;
      const { commits, head } = decodeResponse(catalogRead, answer.body);
      return commits.length === 0 ? answer : authentic(alice.portal, request, encodeResponse(catalogRead, { commits: [], more: false, releases: [], ...(head === undefined ? {} : { head }) }));
    };
    await assert.rejects(sync(laptop.client), (error: MeshError) => error.code === "portal-older-catalog" && error.exit === 6);
    assert.deepEqual(await names(laptop), ["first"]);
    delete alice.portal.meddler.answer;
    await sync(laptop.client);
    assert.deepEqual(await sorted(laptop), await sorted(alice.desktop));
  });

  test("a device whose own history is not on the chain of the release is shown a fork", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const passwords = await idOf(laptop, "passwords");
    await save(alice.desktop, "first");
    await sync(laptop.client);
    for (const prefix of ["one", "two", "three"]) {
      await fill(alice.desktop, prefix);
      alice.portal.clock.now += 100 * DAY;
    }
    await forget(alice.portal.store, alice.portal.clock.now);
    // As if the portal had shown the laptop another commit in the place of its last.
    await laptop.client.rows.transact(async (rows) => {
      const known = (await rows.get<{ chain: { digest: string; index: number } }>("catalogs", passwords)) ?? assert.fail();
      await rows.put("catalogs", passwords, "", { ...known, chain: { ...known.chain, digest: `${"B".repeat(85)}A` } });
    });
    await assert.rejects(sync(laptop.client), (error: MeshError) => error.code === "portal-forked-catalog" && error.exit === 6);
    assert.deepEqual(await names(laptop), ["first"]);
  });

  test("the word of a device cut off since is nobody's to go on from, and no alarm either; another administration device speaks in its place", async () => {
    const { alice } = await afterYears({ tower: "admin", laptop: "member" }, undefined, "tower");
    const laptop = deviceOf(alice, "laptop");
    await disableDevice(alice.desktop.client, "tower", agreed);
    await assert.rejects(sync(laptop.client), (error: MeshError) => error.code === "catalog-not-kept" && error.exit === 1 && error.hint?.includes("administration device") === true);
    await sync(alice.desktop.client);
    await sync(laptop.client);
    assert.deepEqual(await sorted(laptop), await sorted(alice.desktop));
    assert.equal((await names(laptop)).length, 421);
    await sound(alice);
  });

  test("what an administration device released before it left stands: whoever was away goes on from it; not once somebody says that it was stolen", async () => {
    const { alice } = await afterYears({ tower: "admin", laptop: "member", late: "member" }, undefined, "tower");
    const [tower, laptop] = [deviceOf(alice, "tower"), deviceOf(alice, "laptop")];
    await leaveMesh(tower.client);
    await sync(laptop.client);
    assert.equal((await names(laptop)).length, 421);
    assert.equal((await statusOf(laptop.client)).onTrust[0]?.by, "tower");
    // Nobody knows from this device's word any more what it was before a thief had it.
    assert.equal((await (await openAs(alice.desktop)).ask(publish, { parts: [{ kind: "suspension", object: await suspending(alice, "tower") }] })).code, "ok");
    await assert.rejects(sync(deviceOf(alice, "late").client), { code: "catalog-not-kept" });
  });

  test("an administration device that was away when the last other one left goes on from what that released, and speaks in its place", async () => {
    const { alice } = await afterYears({ tower: "admin", laptop: "member" }, undefined, "tower");
    await leaveMesh(deviceOf(alice, "tower").client);
    await sync(alice.desktop.client);
    assert.equal((await names(alice.desktop)).length, 421);
    const without = { ...alice.desktop.client, masterKeyring: async () => undefined };
    const { done, pending } = await disableDevice(without, "tower", agreed);
    assert.ok(done.some((line) => line.includes("tower is suspended")) && pending.some((line) => line.includes("Master key")), [...done, ...pending].join("; "));
    await sync(alice.desktop.client);
    await sync(deviceOf(alice, "laptop").client);
    assert.equal((await statusOf(deviceOf(alice, "laptop").client)).onTrust[0]?.by, "desktop");
    assert.deepEqual(await sorted(deviceOf(alice, "laptop")), await sorted(alice.desktop));
    await sound(alice);
  });

  test("a release of a device that left names no commit that it did not know when it did; one that goes beyond its snapshot, or was made after, is nobody's excuse", async () => {
    const { alice } = await afterYears({ tower: "admin" }, undefined, "tower");
    const tower = deviceOf(alice, "tower");
    const { master, device } = await whoIs(tower);
    const passwords = await idOf(tower, "passwords");
    const good = await alice.portal.store.read(async (r) => getObject(r, (await row<ReleaseRow>(r, shelf.releases, `${master}/${passwords}/${device}`))?.digest ?? "", release));
    const { g, n, snapshot } = good.payload;
    // Before its keys are erased.
    const signed = async (changed: Partial<Release>) => (await signObject(release, { ...good.payload, ...changed }, signerOf(tower.client.keyring, device))).jws;
    const beyond = { index: 900, snapshot: { ...snapshot, index: 1000 } };
    const words = { known: await signed({}), beyond: await signed(beyond), backwards: await signed({ index: snapshot.index + 1 }), after: await signed({ n: n + 1 }) };
    await leaveMesh(tower.client);
    await sync(alice.desktop.client);
    const { mesh, now, link } = await pull(alice.desktop.client);
    link.close();
    const taken = async (word: Jws, to = authorityOf(mesh, now)) => (await releasesAfter([word], passwords, 1, to)).length;
    assert.deepEqual([await taken(words.known), await taken(words.beyond)], [1, 0]);
    await assert.rejects(taken(words.backwards), { code: "portal-older-catalog" });
    const later = { ...mesh, history: [...mesh.history, { arrived: now, profile: { ...personalOf(mesh), payload: { ...personalOf(mesh).payload, g, n: n + 1 } } as never }] };
    await assert.rejects(taken(words.after, authorityOf(later, now)), { code: "portal-older-catalog" });
  });

  test("a snapshot of which somebody took a part away before it was released is made anew, and stops no sync", async () => {
    const alice = await household();
    await fill(alice.desktop, "one");
    alice.portal.meddler.request = async (request) => {
      const { command, request: asked } = decodeRequest(request.body);
      if (command.name !== releaseCommits.name) return request;
      const { snapshot } = readSigned((asked as { release: Jws }).release, release).payload;
      const { master } = await whoIs(alice.desktop);
      await alice.portal.store.transact((w) => w.remove(shelf.blobs, `${master}/${snapshot.digest}`));
      return request;
    };
    await fill(alice.desktop, "two");
    delete alice.portal.meddler.request;
    assert.equal((await alice.portal.store.read((r) => r.list(shelf.releases, ""))).length, 0);
    await sync(alice.desktop.client);
    await fill(alice.desktop, "three");
    assert.equal((await alice.portal.store.read((r) => r.list(shelf.releases, ""))).length, 1);
  });

  test("what a device wrote after it was cut off counts nowhere, though it stands in the snapshot that a release names", async () => {
    let suspended: Jws | undefined;
    const { alice } = await afterYears({ laptop: "member", thief: "member" }, async (home) => {
      suspended = await suspending(home, "thief");
      await save(deviceOf(home, "thief"), "late");
    });
    const laptop = deviceOf(alice, "laptop");
    // Signed before, sent now: as from a device that was shown nothing since.
    assert.equal((await (await openAs(alice.desktop)).ask(publish, { parts: [{ kind: "suspension", object: suspended ?? assert.fail() }] })).code, "ok");
    await sync(laptop.client);
    assert.ok(!(await names(laptop)).includes("late"));
    await sync(alice.desktop.client);
    assert.deepEqual(await sorted(laptop), await sorted(alice.desktop));
    assert.equal((await names(laptop)).length, 421);
  });

  test("what was set apart when a device was suspended stands in the snapshot that a release names: once that ends, whoever was away has it too, and whoever joined meanwhile", async () => {
    const { alice } = await afterYears({ laptop: "member", phone: "member" }, async (home) => {
      const phone = deviceOf(home, "phone");
      const word = await suspending(home, "phone");
      // The one was merged already, the other comes with the suspension.
      await save(phone, "taken out");
      await sync(home.desktop.client);
      await save(phone, "never merged");
      assert.equal((await (await openAs(home.desktop)).ask(publish, { parts: [{ kind: "suspension", object: word }] })).code, "ok");
      await sync(home.desktop.client);
      assert.deepEqual(await names(home.desktop), ["first"]);
    });
    const tablet = await join(alice, "tablet");
    assert.equal((await names(tablet)).length, 421);
    await unsuspendDevice(alice.desktop.client, "phone");
    await sync(alice.desktop.client);
    for (const device of [alice.desktop, deviceOf(alice, "laptop"), tablet]) {
      await sync(device.client);
      const all = await names(device);
      assert.ok(all.includes("taken out") && all.includes("never merged") && all.length === 423, String(all.length));
      assert.deepEqual(await sorted(device), await sorted(alice.desktop));
    }
    assert.equal(await replayed(tablet), 0);
    await sound(alice);
  });

  test("a release that names what is not here, another chain, or is by nobody who may, is refused", async () => {
    const alice = await household({ laptop: "member" });
    const [desktop, laptop] = [await openAs(alice.desktop), await openAs(deviceOf(alice, "laptop"))];
    for (const prefix of ["one", "two"]) await fill(alice.desktop, prefix);
    const { master, device } = await whoIs(alice.desktop);
    const other = await whoIs(deviceOf(alice, "laptop"));
    const passwords = await idOf(alice.desktop, "passwords");
    const good = await alice.portal.store.read(async (r) => getObject(r, (await row<ReleaseRow>(r, shelf.releases, `${master}/${passwords}/${device}`))?.digest ?? "", release));
    const signed = async (by: TestDevice, device: string, changed: Partial<Release>) => ({ release: (await signObject(release, { ...good.payload, ...changed }, signerOf(by.client.keyring, device))).jws });
    const { index, snapshot } = good.payload;
    const cases: readonly [Partial<Release>, string][] = [
      [{ index: snapshot.index + 1 }, "commit-out-of-order"],
      [{ snapshot: { ...snapshot, index: 999 } }, "commit-out-of-order"],
      [{ snapshot: { ...snapshot, index: index } }, "commit-out-of-order"],
      [{ snapshot: { ...snapshot, digest: good.payload.trail } }, "blob-unknown"],
      [{ trail: snapshot.digest }, "commit-out-of-order"],
      [{ master: good.payload.catalog as never }, "profile-wrong-id"],
      [{ g: 2 }, "commit-out-of-order"],
    ];
    for (const [changed, code] of cases) assert.equal((await desktop.ask(releaseCommits, await signed(alice.desktop, device, changed))).code, code, JSON.stringify(changed));
    assert.equal((await laptop.ask(releaseCommits, await signed(deviceOf(alice, "laptop"), other.device, {}))).code, "profile-wrong-signer");
    assert.equal((await laptop.ask(releaseCommits, { release: good.jws })).code, "profile-wrong-signer");
    assert.equal((await desktop.ask(releaseCommits, { release: good.jws })).code, "ok");
  });
});
