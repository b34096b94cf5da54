import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { authorityOf } from "../../src/catalogs/chain.ts";
import { releasesAfter } from "../../src/client/forgotten.ts";
import { disableDevice, leaveMesh } from "../../src/client/operations/disable.ts";
import { statusOf } from "../../src/client/status.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { getObject, row, shelf } from "../../src/portal/records.ts";
import { forget } from "../../src/portal/upkeep/forget.ts";
import { catalogRead } from "../../src/protocol/catalogs.ts";
import { decodeRequest, decodeResponse, encodeResponse } from "../../src/protocol/wire.ts";
import type { MeshError } from "../../src/refusals/mesh-error.ts";
import { authentic } from "../adversary/cheating.ts";
import { agreed, deviceOf, household, idOf, names, save, suspending, whoIs } from "../adversary/household.ts";
import { signerOf } from "../../src/client/client.ts";
import { type Jws, signObject } from "../../src/envelope/signed.ts";
import type { ReleaseRow } from "../../src/portal/releases.ts";
import { openAs } from "../../src/portal/test-asking.ts";
import { personalOf } from "../../src/profiles/mesh.ts";
import { publish } from "../../src/protocol/profiles.ts";
import { type Release, release, releaseCommits } from "../../src/protocol/releases.ts";
import { sorted } from "../support/reread.ts";
import type { TestDevice } from "../support/world.ts";
import { afterYears, DAY, fill, sound } from "./years.ts";

suite("whose word a device goes on from where commits are forgotten (docs/spec/catalogs.md 11)", () => {
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
