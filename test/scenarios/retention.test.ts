import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { canonicalBytes, type Json } from "../../src/bytes/canonical-json.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { commit } from "../../src/catalogs/commits.ts";
import { change, current } from "../../src/catalogs/merge.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { unsuspendDevice } from "../../src/client/operations/unsuspend.ts";
import { statusOf } from "../../src/client/status.ts";
import { sync } from "../../src/client/sync.ts";
import { getObject, parseRow, shelf, type Stamped } from "../../src/portal/records.ts";
import { check } from "../../src/portal/upkeep/check.ts";
import type { Finding } from "../../src/portal/upkeep/finding.ts";
import { forget } from "../../src/portal/upkeep/forget.ts";
import { catalogAppend } from "../../src/protocol/catalogs.ts";
import { decodeRequest } from "../../src/protocol/wire.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import type { Store } from "../../src/store/store.ts";
import { agreed, deviceOf, household, idOf, join, names, save, suspending, whoIs } from "../adversary/household.ts";
import { type Jws, readSigned } from "../../src/envelope/signed.ts";
import { dropShared, noteShared } from "../../src/portal/releases.ts";
import { openAs } from "../../src/portal/test-asking.ts";
import { publish } from "../../src/protocol/profiles.ts";
import { release, releaseCommits } from "../../src/protocol/releases.ts";
import { replayed, sorted } from "../support/reread.ts";
import { afterYears, DAY, fill, roomOf, sound } from "./years.ts";

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
});
