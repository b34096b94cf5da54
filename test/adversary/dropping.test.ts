import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { canonicalBytes } from "../../src/bytes/canonical-json.ts";
import { toBase64url } from "../../src/bytes/base64url.ts";
import { change, current } from "../../src/catalogs/merge.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import { listDevices } from "../../src/client/devices.ts";
import { createMesh } from "../../src/client/operations/create.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { pull, push, sync } from "../../src/client/sync.ts";
import { status } from "../../src/protocol/profiles.ts";
import type { PortalRequest } from "../../src/portal/portal.ts";
import { newDevice, startPortal, type TestPortal } from "../support/world.ts";
import { authentic, emptyTwinOf, lie, twinOf } from "./cheating.ts";
import { address, agreed, deviceOf, household, names, refused, save, whoIs } from "./household.ts";

/** Lets a portal say yes to one command and forget it. Returns the end of it. */
function swallow(portal: TestPortal, command: string): () => void {
  const backup = twinOf(portal);
  portal.meddler.request = async (request) => (isAbout(request, command) ? { ...request, path: "/nowhere" } : request);
  portal.meddler.answer = async (request, answer) => (isAbout(request, command) ? authentic(await backup, request, canonicalBytes({ [`${command}Response`]: { arrived: portal.clock.now } })) : answer);
  return () => {
    delete portal.meddler.request;
    delete portal.meddler.answer;
  };
}

function isAbout({ body }: PortalRequest, command: string): boolean {
  return Buffer.from(body.subarray(0, 40)).includes(`"${command}"`);
}

suite("a portal acknowledges a change and drops it", () => {
  test("a disabling: the device that made it says so at once, and at every sync until the change is there", async () => {
    const alice = await household({ laptop: "member", thief: "member" });
    const stop = swallow(alice.portal, "Publish");
    await assert.rejects(disableDevice(alice.desktop.client, "thief"), { code: "portal-older-profile", exit: 6 });
    stop();
    await refused(alice.desktop, () => sync(alice.desktop.client), "portal-older-profile");
    await sync(deviceOf(alice, "laptop").client);
    assert.deepEqual((await listDevices(deviceOf(alice, "laptop").client)).map((one) => one.status), ["active", "active", "active"]);
  });

  test("a suspension: likewise, by the member's device that made it", async () => {
    const alice = await household({ laptop: "member", thief: "member" });
    const laptop = deviceOf(alice, "laptop");
    const stop = swallow(alice.portal, "Publish");
    // Of two members neither stands above the other: it is told that both are suspended, and neither is.
    await disableDevice(laptop.client, "thief", agreed);
    stop();
    await refused(laptop, () => sync(laptop.client), "portal-older-profile");
  });

  test("edits: the device that made them says so, and still has them", async () => {
    const alice = await household();
    const stop = swallow(alice.portal, "CatalogAppend");
    await save(alice.desktop, "github");
    stop();
    await refused(alice.desktop, () => sync(alice.desktop.client), "portal-older-catalog");
    assert.deepEqual(await names(alice.desktop), ["github"]);
  });

  test("a whole new mesh: the device that made it says so, keeps it, and makes it when it is asked again", async () => {
    const portal = await startPortal();
    const desktop = newDevice(portal, { holdsMaster: true });
    const options = { address, portal: { url: portal.url, pin: portal.pin }, deviceName: "desktop" };
    const stop = swallow(portal, "CreateAccount");
    await assert.rejects(createMesh(desktop.client, desktop.master, options), { code: "portal-older-profile", exit: 6 });
    const { master } = await whoIs(desktop);
    stop();
    const error = await refused(desktop, () => sync(desktop.client), "portal-older-profile");
    assert.match(error.hint ?? "", /mesh create/);
    assert.equal((await createMesh(desktop.client, desktop.master, options)).fingerprint, master);
    await save(desktop, "github");
    await assert.rejects(createMesh(desktop.client, desktop.master, options), { code: "home-exists" });
  });

  test("a mesh that it showed before, as if it had never been: each of its devices says so", async () => {
    const alice = await household({ laptop: "member" });
    alice.desktop.portal = await emptyTwinOf(alice.portal);
    await refused(alice.desktop, () => sync(alice.desktop.client), "portal-older-profile");
    alice.desktop.portal = alice.portal;
    await sync(alice.desktop.client);
  });

  test("honest twin: what was acknowledged is shown, and forgotten as a matter of its own", async () => {
    const alice = await household({ tower: "admin", thief: "member" });
    // A suspension and a version; a version alone.
    for (const name of ["tower", "thief"]) await disableDevice(alice.desktop.client, name);
    await sync(alice.desktop.client);
    assert.deepEqual(await alice.desktop.client.rows.read((rows) => rows.list("acknowledged", "acknowledged")), []);
  });
});

suite("a portal that shows two histories is found out by what another device knows", () => {
  test("named in a version: nothing of the other history is taken, so the device goes on once it is shown the true one", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    const face = await twinOf(alice.portal);
    tablet.portal = face;
    await save(tablet, "on the other face");
    await save(alice.desktop, "true");
    await disableDevice(alice.desktop.client, "tablet");
    // The laptop is shown the version of one face with the catalogs of the other.
    const tricked = { ...face, meddler: { answer: async (request: PortalRequest, answer: Awaited<ReturnType<typeof face.portal.handle>>) => (isAbout(request, "GetProfiles") ? alice.portal.portal.handle(request) : answer) } };
    const truth = { personal: undefined as unknown };
    const noted = lie(alice.portal, status, (answer) => ((truth.personal = answer.personal), answer));
    await sync(alice.desktop.client);
    noted();
    lie(tricked, status, (answer) => ({ ...answer, personal: truth.personal as typeof answer.personal }));
    laptop.portal = tricked;
    await assert.rejects(sync(laptop.client), { code: "portal-forked-catalog" });
    assert.deepEqual(await names(laptop), []);
    laptop.portal = alice.portal;
    await sync(laptop.client);
    assert.deepEqual(await names(laptop), ["true"]);
  });

  test("said by a device of what it has seen: told at every sync, which takes and gives all the same, until that device is disabled", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const { device } = await whoIs(laptop);
    const entry = (await readEntries(laptop.client, "devices")).find((one) => current(one, "device") === device);
    const seen = current(entry ?? { id: "", fields: {} }, "seen") as { heads: { digest: string }[] } | undefined;
    assert.ok(entry !== undefined && seen !== undefined);
    await editEntries(laptop.client, "devices", () => [change(entry.id, entry, { seen: { ...seen, heads: seen.heads.map((head) => ({ ...head, digest: toBase64url(new Uint8Array(64)) })) } as never })]);
    const synced = await pull(laptop.client);
    await push(laptop.client, synced);
    synced.link.close();
    for (const name of ["one", "two"]) await assert.rejects(save(alice.desktop, name), { code: "portal-forked-catalog" });
    await pull(laptop.client).then(({ link }) => link.close());
    assert.deepEqual(await names(laptop), ["one", "two"]);
    await disableDevice(alice.desktop.client, "laptop");
    await sync(alice.desktop.client);
  });
});

test("an answer cut short, or not of the form agreed on, is laid at the portal's door though it is authentic", async () => {
  const alice = await household();
  for (const make of [(body: Uint8Array) => body.subarray(0, body.length / 2), () => canonicalBytes({ StatusResponse: {} }), () => canonicalBytes([])]) {
    alice.portal.meddler.answer = async (request, answer) => authentic(alice.portal, request, make(answer.body));
    const error = await refused(alice.desktop, () => sync(alice.desktop.client), "portal-false-data");
    assert.ok(error.hint !== undefined);
  }
  delete alice.portal.meddler.answer;
  await sync(alice.desktop.client);
});
