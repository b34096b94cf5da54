import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { fromBase64url, toBase64url } from "../../src/bytes/base64url.ts";
import { canonicalBytes } from "../../src/bytes/canonical-json.ts";
import { signerOf } from "../../src/client/client.ts";
import { loadCatalog } from "../../src/client/known.ts";
import { disableDevice, leaveMesh, removeSuspended } from "../../src/client/operations/disable.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { keyedUnder } from "../../src/envelope/keyed.ts";
import { digestOf, readSigned, signObject } from "../../src/envelope/signed.ts";
import { applicationProfile, applicationPurpose } from "../../src/profiles/application.ts";
import { personalOf } from "../../src/profiles/mesh.ts";
import type { ApplicationId } from "../../src/profiles/types.ts";
import type { ResponseOf } from "../../src/protocol/command.ts";
import { catalogRead } from "../../src/protocol/catalogs.ts";
import { getProfiles, publish, status } from "../../src/protocol/profiles.ts";
import type { TestDevice } from "../support/world.ts";
import { lie, twinOf } from "./cheating.ts";
import type { MeshError } from "../../src/refusals/mesh-error.ts";
import { deviceOf, household, idOf, join, meshOf, names, refused, save, whoIs } from "./household.ts";

/** Publishes the next version of the Application Profile of a catalog, as another kind of thing if told so. */
async function nextApplication(device: TestDevice, type: string, as = type): Promise<void> {
  const synced = await pull(device.client);
  const id = (await idOf(device, type as "passwords")) as ApplicationId;
  const row = await device.client.rows.read((rows) => loadCatalog(rows, id));
  assert.ok(row !== undefined);
  const { applications } = await synced.link.call(synced.requester, getProfiles, { applications: [id], devices: [], mastersAfter: 1, personalsAfter: { g: 9, n: 0 }, suspensionsAfter: 0 });
  const last = readSigned(applications[0] ?? {}, applicationProfile);
  const version = last.payload.version + 1;
  const { g, n } = personalOf(synced.mesh).payload;
  const { epoch } = row.chain;
  const sealed = keyedUnder(fromBase64url(row.epochs[epoch]?.key ?? ""), applicationPurpose(id, version, epoch), canonicalBytes({ type: as, v: 1 }));
  const next = await signObject(applicationProfile, { epoch, g, id, n, previous: last.digest, sealed, v: 1, version }, signerOf(device.keyring, (await whoIs(device)).device));
  await synced.link.call(synced.requester, publish, { parts: [{ kind: "application", object: next.jws }] });
  synced.link.close();
}

suite("a portal goes back to what it was", () => {
  test("to an older Personal Profile: every device that saw the newer one refuses, writes nothing, and goes on once it is shown again", async () => {
    const alice = await household({ laptop: "member" });
    const backup = await twinOf(alice.portal);
    const tablet = await join(alice, "tablet");
    const laptop = deviceOf(alice, "laptop");
    await sync(laptop.client);
    for (const device of [laptop, alice.desktop]) {
      device.portal = backup;
      await refused(device, () => sync(device.client), "portal-older-profile");
      device.portal = alice.portal;
      await sync(device.client);
    }
    await save(tablet, "mail");
    await sync(laptop.client);
    assert.deepEqual(await names(laptop), ["mail"]);
  });

  test("to an older catalog: a write that it acknowledged is missed by the device that made it and by one that read it", async () => {
    const alice = await household({ laptop: "member" });
    const backup = await twinOf(alice.portal);
    const laptop = deviceOf(alice, "laptop");
    await save(alice.desktop, "github");
    await sync(laptop.client);
    for (const device of [laptop, alice.desktop]) {
      device.portal = backup;
      await refused(device, () => sync(device.client), "portal-older-catalog");
      device.portal = alice.portal;
      await sync(device.client);
    }
  });

  test("in Status alone: an older version, another version, a lower head or another head are refused", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    await save(alice.desktop, "github");
    await sync(laptop.client);
    const cases: readonly [string, (answer: ResponseOf<typeof status>) => ResponseOf<typeof status>][] = [
      ["portal-older-profile", (answer) => ({ ...answer, personal: { ...answer.personal, n: answer.personal.n - 1 } })],
      ["profile-two-versions", (answer) => ({ ...answer, personal: { ...answer.personal, digest: answer.master.digest } })],
      ["portal-older-catalog", (answer) => ({ ...answer, heads: answer.heads.map((head) => ({ ...head, index: head.index - 1 })) })],
      ["portal-older-catalog", (answer) => ({ ...answer, heads: [] })],
      ["portal-forked-catalog", (answer) => ({ ...answer, heads: answer.heads.map((head) => ({ ...head, digest: answer.master.digest })) })],
      ["portal-missing-profile", (answer) => ({ ...answer, personal: { ...answer.personal, n: answer.personal.n + 1 } })],
      ["portal-older-catalog", (answer) => ({ ...answer, heads: answer.heads.map((head) => ({ ...head, index: head.index + 1 })) })],
    ];
    for (const [code, trick] of cases) {
      const stop = lie(alice.portal, status, trick);
      await refused(laptop, () => sync(laptop.client), code);
      stop();
    }
    await sync(laptop.client);
    assert.deepEqual(await names(laptop), ["github"]);
  });

  test("to a Master Profile without the version that brings it into force", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const last = personalOf(await meshOf(laptop));
    await join(alice, "tower", "admin");
    const stops = [
      lie(alice.portal, status, (answer) => ({ ...answer, personal: { digest: last.digest, g: last.payload.g, n: last.payload.n } })),
      lie(alice.portal, getProfiles, (answer) => ({ ...answer, personals: [] })),
    ];
    await refused(laptop, () => sync(laptop.client), "portal-missing-profile");
    for (const stop of stops) stop();
    await sync(laptop.client);
  });

  test("to an older Application Profile, or to one that makes a catalog into another", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const passwords = await idOf(laptop, "passwords");
    await nextApplication(alice.desktop, "passwords");
    await sync(laptop.client);
    const stop = lie(alice.portal, status, (answer) => ({ ...answer, applications: answer.applications.map((one) => (one.id === passwords ? { ...one, version: 1 } : one)) }));
    await refused(laptop, () => sync(laptop.client), "portal-older-profile");
    stop();
    await sync(laptop.client);
    const before = await Promise.all([laptop, alice.desktop].map((device) => idOf(device, "passwords")));
    await nextApplication(alice.desktop, "passwords", "administration");
    // No portal can read what a profile says inside: none is blamed for it, and it changes nothing.
    for (const device of [laptop, alice.desktop]) await sync(device.client);
    assert.deepEqual(await Promise.all([laptop, alice.desktop].map((device) => idOf(device, "passwords"))), before);
    assert.notEqual(await idOf(alice.desktop, "administration"), passwords);
  });

  test("an Application Profile that a former administration device signs afterwards, under a version in which it was one, convinces nobody, a device that joins included", async () => {
    const alice = await household({ laptop: "member", tower: "admin" });
    const [laptop, tower] = [deviceOf(alice, "laptop"), deviceOf(alice, "tower")];
    const id = (await idOf(tower, "passwords")) as ApplicationId;
    const { g, n } = personalOf(await meshOf(tower)).payload;
    await disableDevice(alice.desktop.client, "tower");
    for (const device of [laptop, alice.desktop]) await sync(device.client);
    const sealed = keyedUnder(new Uint8Array(32), "anything", new Uint8Array(32));
    const { device } = await whoIs(tower);
    for (const [version, previous] of [[1, undefined], [2, "real"], [9, "none"]] as const) {
      await sync(laptop.client);
      const real = (await laptop.client.rows.read((rows) => loadCatalog(rows, id)))?.profile?.digest;
      const forged = await signObject(applicationProfile, { epoch: 1, g, id, n, ...(previous === undefined ? {} : { previous: previous === "real" ? (real as never) : digestOf(new Uint8Array(1)) }), sealed, v: 1, version }, signerOf(tower.keyring, device));
      const stops = [
        lie(alice.portal, status, (answer) => ({ ...answer, applications: answer.applications.map((one) => (one.id === id ? { ...one, version } : one)) })),
        lie(alice.portal, getProfiles, (answer) => ({ ...answer, applications: answer.applications.map((one) => (readSigned(one, applicationProfile).payload.id === id ? forged.jws : one)) })),
      ];
      if (version > 1) await refused(laptop, () => sync(laptop.client), "portal-older-profile");
      await assert.rejects(join(alice, `guest-${version}`), (error: MeshError) => error.code === "portal-older-profile");
      for (const stop of stops.toReversed()) stop();
    }
    await sync(laptop.client);
  });

  test("commits that are left out, exchanged or repeated are not the chain whose head it names", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    for (const name of ["one", "two", "three"]) await save(alice.desktop, name);
    const tricks: readonly ((answer: ResponseOf<typeof catalogRead>) => ResponseOf<typeof catalogRead>)[] = [
      (answer) => ({ ...answer, commits: answer.commits.slice(1) }),
      (answer) => ({ ...answer, commits: answer.commits.toReversed() }),
      (answer) => ({ ...answer, commits: [...answer.commits.slice(0, 1), ...answer.commits] }),
      (answer) => ({ ...answer, commits: answer.commits.map(({ commit }) => ({ commit })) }),
      (answer) => ({ ...answer, commits: answer.commits.map((one) => ({ ...one, body: toBase64url(new Uint8Array(512)) })) }),
      (answer) => ({ ...answer, commits: [] }),
    ];
    for (const trick of tricks) {
      const stop = lie(alice.portal, catalogRead, trick);
      await refused(laptop, () => sync(laptop.client), "portal-false-data", "portal-older-catalog");
      stop();
    }
    await sync(laptop.client);
    assert.deepEqual(await names(laptop), ["one", "three", "two"]);
  });

  test("a suspension that it withholds is missed as soon as a version that names it arrives, and a version cannot go without it", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    await leaveMesh(tablet.client);
    await sync(laptop.client);
    const synced = await pull(alice.desktop.client);
    assert.equal(await removeSuspended(alice.desktop.client, synced), 1);
    synced.link.close();
    const late = await join(alice, "phone");
    const hides = [lie(alice.portal, status, (answer) => ({ ...answer, suspensions: 0 })), lie(alice.portal, getProfiles, (answer) => ({ ...answer, suspensions: [] }))];
    await refused(laptop, () => sync(laptop.client), "portal-older-profile");
    await refused(late, () => sync(late.client), "portal-older-profile");
    for (const stop of hides.toReversed()) stop();
    await sync(late.client);
    await sync(laptop.client);
  });

  test("as many suspensions, but others than it showed, are noticed before any version names them", async () => {
    const alice = await household({ laptop: "member", phone: "member", tablet: "member" });
    const [laptop, phone, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "phone"), deviceOf(alice, "tablet")];
    const twin = await twinOf(alice.portal);
    await leaveMesh(tablet.client);
    await sync(laptop.client);
    phone.portal = twin;
    await leaveMesh(phone.client);
    laptop.portal = twin;
    await refused(laptop, () => sync(laptop.client), "portal-older-profile");
    laptop.portal = alice.portal;
    await sync(laptop.client);
  });

  test("a suspension hidden from a device that never saw it is missed with the next version", async () => {
    const alice = await household({ laptop: "member", phone: "member", tablet: "member" });
    const [laptop, phone] = [deviceOf(alice, "laptop"), deviceOf(alice, "phone")];
    await disableDevice(laptop.client, "tablet", async () => {});
    await disableDevice(alice.desktop.client, "tablet");
    const again = [lie(alice.portal, status, (answer) => ({ ...answer, suspensions: 0 })), lie(alice.portal, getProfiles, (answer) => ({ ...answer, suspensions: [] }))];
    await refused(phone, () => sync(phone.client), "portal-missing-profile");
    for (const stop of again.toReversed()) stop();
    await sync(phone.client);
  });

  test("honest twin: profiles, catalogs, Application Profiles and suspensions all move on, and every device syncs silently", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    await save(laptop, "github");
    await nextApplication(alice.desktop, "passwords");
    await leaveMesh(tablet.client);
    await disableDevice(alice.desktop.client, "tablet");
    const phone = await join(alice, "phone");
    for (const device of [laptop, phone, alice.desktop]) await sync(device.client);
    for (const device of [laptop, phone, alice.desktop]) assert.deepEqual(await names(device), ["github"]);
  });
});
