import assert from "node:assert/strict";
import { before, suite, test } from "node:test";

import { toBase64url } from "../../src/bytes/base64url.ts";
import { Follower, lastKnown, type Outlook } from "../../src/client/follower.ts";
import { type Introduction, introduce, readIntroduction, writeIntroduction } from "../../src/client/introduction.ts";
import { disableDevice, leaveMesh } from "../../src/client/operations/disable.ts";
import { sync } from "../../src/client/sync.ts";
import { isActive, personalOf } from "../../src/profiles/mesh.ts";
import type { ResponseOf } from "../../src/protocol/command.ts";
import { follow } from "../../src/protocol/follow.ts";
import type { MeshError } from "../../src/refusals/mesh-error.ts";
import { askAs } from "../../src/portal/test-asking.ts";
import { newDevice, type TestDevice } from "../support/world.ts";
import { lie, twinOf } from "./cheating.ts";
import { agreed, deviceOf, join, meshOf, save, whoIs } from "./household.ts";
import { fillers, leavesIn, logged, type LoggedHousehold, serves } from "./log-doubles.ts";

/** A server that was introduced to a mesh: no device of it, with rows of its own. */
type Server = { readonly place: TestDevice; readonly introduction: Introduction; follower: Follower };

async function serverOf(alice: LoggedHousehold): Promise<Server> {
  const place = newDevice(alice.portal);
  const introduction = readIntroduction(writeIntroduction(await introduce(alice.desktop.client)));
  return { follower: new Follower(place.client, introduction), introduction, place };
}

/** Looks once, as after a start, and gives what was told. */
async function look(server: Server): Promise<readonly Outlook[]> {
  const told: Outlook[] = [];
  server.follower = new Follower(server.place.client, server.introduction);
  await server.follower.look(async (outlook) => void told.push(outlook));
  return told;
}

/** Looks, and demands that the portal is refused and nothing changed. */
async function refusedLook(server: Server, code: string): Promise<void> {
  const kept = await lastKnown(server.place.client, server.introduction.master);
  await assert.rejects(look(server), (error: MeshError) => assert.equal(error.code, code) ?? true);
  assert.deepEqual(await lastKnown(server.place.client, server.introduction.master), kept);
}

suite("a server follows a mesh of which it is no device", () => {
  let alice: LoggedHousehold;
  let server: Server;

  before(async () => {
    alice = await logged();
    server = await serverOf(alice);
  });

  const tablet = async (): Promise<boolean> => {
    const known = await lastKnown(server.place.client, server.introduction.master);
    return known !== undefined && isActive(known.mesh, (await whoIs(deviceOf(alice, "tablet"))).device, known.now);
  };

  test("it knows what the devices know, and what comes, also after it was off", async () => {
    const [told] = await look(server);
    assert.equal(personalOf(told?.mesh ?? assert.fail()).digest, personalOf(await meshOf(alice.desktop)).digest);
    assert.equal(await tablet(), true);
    await join(alice, "phone");
    await disableDevice(alice.desktop.client, "phone");
    await look(server);
    assert.equal(personalOf((await lastKnown(server.place.client, server.introduction.master))?.mesh ?? assert.fail()).digest, personalOf(await meshOf(alice.desktop)).digest);
  });

  test("while the log has not grown it asks for one page, and for all of it once a minute", async () => {
    const requests = async (): Promise<number> => {
      const begun = alice.portal.counters.requests;
      await server.follower.look(agreed);
      return alice.portal.counters.requests - begun;
    };
    assert.equal(await requests(), 1);
    alice.portal.clock.now += 60_000;
    assert.ok((await requests()) > 1);
    await save(alice.desktop, "mail");
    assert.ok((await requests()) > 1, "the log grew");
  });

  test("a pass is made of a version that the asker saw: without it, nothing is shown", async () => {
    const { master, pass, personal: { g, n } } = server.introduction;
    const asked = { master, mastersAfter: 0, pass, personalsAfter: { g: 0, n: 0 }, suspensionsAfter: 0, version: { g, n } };
    assert.equal((await askAs(alice.portal, follow, asked)).code, "ok");
    assert.equal((await askAs(alice.portal, follow, { ...asked, version: { g, n: n - 1 } })).code, "account-unknown");
    assert.equal((await askAs(alice.portal, follow, { ...asked, version: { g, n: n + 99 } })).code, "account-unknown");
    assert.equal((await askAs(alice.portal, follow, { ...asked, pass: toBase64url(new Uint8Array(32)) })).code, "account-unknown");
    assert.equal((await askAs(alice.portal, follow, { ...asked, master: (await whoIs(deviceOf(alice, "tablet"))).device as never })).code, "account-unknown");
  });

  test("a portal that goes back, or never shows the version of the introduction, changes nothing", async () => {
    const backup = await twinOf(alice.portal);
    await join(alice, "watch");
    await look(server);
    server.place.portal = backup;
    await refusedLook(server, "portal-older-profile");
    const late = await serverOf(alice);
    late.place.portal = backup;
    await assert.rejects(look(late), (error: MeshError) => ["account-unknown", "portal-older-profile"].includes(error.code));
    server.place.portal = alice.portal;
    await look(server);
  });

  test("a portal that changes what it shows, and one whose log is another, is refused, the latter with evidence", async () => {
    alice.portal.clock.now += 60_000;
    const mend = lie(alice.portal, follow, (answer) => ({ ...answer, standing: { ...answer.standing, personal: { ...answer.standing.personal, n: answer.standing.personal.n + 1 } } }));
    await refusedLook(server, "portal-missing-profile");
    mend();
    await serves(alice, [...(await leavesIn(alice)), ...fillers(300)].reverse());
    await assert.rejects(look(server), (error: MeshError) => error.code.startsWith("portal-"));
    assert.ok(server.place.evidence.length > 0);
    alice.portal.pages.get = alice.honest;
    await look(server);
  });

  test("one that withholds a new version only delays it", async () => {
    const pages = new Map<string, Uint8Array | undefined>();
    alice.portal.pages.get = async (path) => pages.set(path, await alice.honest(path)).get(path);
    let shown: ResponseOf<typeof follow>["standing"] | undefined;
    const hear = lie(alice.portal, follow, (answer) => ((shown = answer.standing), answer));
    await look(server);
    hear();
    await disableDevice(alice.desktop.client, "tablet");
    alice.portal.pages.get = async (path) => pages.get(path);
    const withheld = lie(alice.portal, follow, () => ({ profiles: { devices: [], masters: [], more: false, personals: [], suspensions: [] }, standing: shown ?? assert.fail() }));
    await look(server);
    assert.equal(await tablet(), true, "as far as this server knows");
    withheld();
  });

  test("what the mesh signed is taken although the portal's log does not have it", async () => {
    const told: Outlook[] = [];
    server.follower = new Follower(server.place.client, server.introduction);
    alice.portal.clock.now += 20_000;
    await assert.rejects(server.follower.look(async (outlook) => void told.push(outlook)), (error: MeshError) => error.code === "portal-missing-entry");
    assert.equal(told.length, 1);
    assert.equal(await tablet(), false);
    alice.portal.pages.get = alice.honest;
    await look(server);
  });

  test("a suspension counts like a version", async () => {
    const watch = await join(alice, "ring");
    await look(server);
    const { device } = await whoIs(watch);
    await leaveMesh(watch.client);
    const [told] = await look(server);
    assert.equal(isActive(told?.mesh ?? assert.fail(), device, told?.now ?? 0), false);
    await sync(alice.desktop.client);
  });
});
