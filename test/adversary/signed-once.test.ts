import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { listDevices } from "../../src/client/devices.ts";
import { acceptConnection, rejectConnection } from "../../src/client/operations/accept.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { joinMesh } from "../../src/client/operations/join.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { readSigned } from "../../src/envelope/signed.ts";
import { masterProfile } from "../../src/profiles/master.ts";
import { masterOf } from "../../src/profiles/mesh.ts";
import { personalProfile } from "../../src/profiles/personal.ts";
import type { Part } from "../../src/protocol/parts.ts";
import { publish } from "../../src/protocol/profiles.ts";
import { decodeRequest, encodeRefusal } from "../../src/protocol/wire.ts";
import type { Code } from "../../src/refusals/codes.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import { newDevice, type TestDevice, type TestPortal } from "../support/world.ts";
import { authentic } from "./cheating.ts";
import { deviceOf, type Household, household, join, meshOf, save, whoIs } from "./household.ts";

/** All profiles that were sent to a portal, whatever it said: by kind and number, their digests. */
function sentTo(portal: TestPortal): ReadonlyMap<string, ReadonlySet<string>> {
  const sent = new Map<string, Set<string>>();
  const before = portal.meddler.request;
  portal.meddler.request = async (given) => {
    const { request } = decodeRequest(given.body);
    for (const part of (request as { parts?: readonly Part[] }).parts ?? []) {
      if (part.kind !== "master" && part.kind !== "personal") continue;
      const signed = part.kind === "master" ? readSigned(part.object, masterProfile) : readSigned(part.object, personalProfile);
      const { payload, digest, kid } = signed;
      const name = "version" in payload ? `master ${payload.version}` : `personal ${kid} ${payload.g} ${payload.n}`;
      sent.set(name, (sent.get(name) ?? new Set()).add(digest));
    }
    return before?.(given) ?? given;
  };
  return sent;
}

/** Has a portal say no so often to batches that hold a Master Profile, having seen them; `undefined` breaks the connection. */
function refuse(portal: TestPortal, code: Code | undefined, times = Number.POSITIVE_INFINITY): () => void {
  let left = times;
  const about = ({ body }: { body: Uint8Array }): boolean => left > 0 && Buffer.from(body).includes('"kind":"master"');
  const before = portal.meddler.request;
  portal.meddler.request = async (request) => {
    const seen = (await before?.(request)) ?? request;
    return about(request) ? { ...seen, path: "/nowhere" } : seen;
  };
  portal.meddler.answer = async (request, answer) => {
    if (!about(request)) return answer;
    left -= 1;
    if (code === undefined) throw new MeshError("service-unreachable", "The connection broke.");
    return authentic(portal, request, encodeRefusal(code, "no"));
  };
  return () => {
    delete portal.meddler.answer;
    left = 0;
  };
}

async function asking(alice: Household, deviceName: string): Promise<{ readonly device: TestDevice; readonly witness: string; readonly again: () => Promise<string> }> {
  const device = newDevice(alice.portal);
  const { master } = await whoIs(alice.desktop);
  const ask = () => joinMesh(device.client, { address: "alice@example.com", master, portal: alice.at, deviceName });
  const { witness } = await ask();
  return { device, witness, again: async () => (await ask()).status };
}

/** Has another administration device reject a request while the answer that accepts it is on its way. */
function rejectedMeanwhile({ portal }: Household, by: TestDevice, witness: string): void {
  let rejected = false;
  portal.meddler.request = async (request) => {
    if (!rejected && Buffer.from(request.body.subarray(0, 40)).includes('"ConnectComplete"')) {
      rejected = true;
      await rejectConnection(by.client, witness);
    }
    return request;
  };
}

function once(sent: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const [name, digests] of sent) assert.equal(digests.size, 1, `${name} was signed ${digests.size} times`);
}

async function statuses(device: TestDevice): Promise<Readonly<Record<string, string>>> {
  await sync(device.client);
  return Object.fromEntries((await listDevices(device.client)).map((one) => [one.name, `${one.roles.join()} ${one.status}`]));
}

suite("the Master key signs one object for each g (decision record 15)", () => {
  for (const code of ["profile-out-of-order", "account-quota", undefined] as const) {
    test(`accept --role admin, cut off by ${code ?? "the network"}, sends the same again`, async () => {
      const alice = await household({ tablet: "member" });
      const phone = await asking(alice, "phone");
      const sent = sentTo(alice.portal);
      const stop = refuse(alice.portal, code);
      await assert.rejects(acceptConnection(alice.desktop.client, phone.witness, "admin"), MeshError);
      // What is refused stops nothing else.
      if (code !== undefined) await sync(alice.desktop.client);
      stop();
      // Something else moves meanwhile: the version under it must be another.
      await save(deviceOf(alice, "tablet"), "github");
      await acceptConnection(alice.desktop.client, phone.witness, "admin");
      assert.equal(await phone.again(), "connected");
      once(sent);
      assert.ok([...sent.keys()].some((name) => name === "master 2") && ![...sent.keys()].some((name) => name === "master 3"));
      assert.deepEqual(await statuses(deviceOf(alice, "tablet")), { desktop: "admin active", phone: "admin active", tablet: "member active" });
    });
  }

  test("nothing changed, nothing new: a refused batch is sent again octet for octet, and uses up no number", async () => {
    const alice = await household();
    const phone = await asking(alice, "phone");
    const sent = sentTo(alice.portal);
    refuse(alice.portal, "profile-out-of-order", 5);
    await acceptConnection(alice.desktop.client, phone.witness, "admin");
    assert.equal(await phone.again(), "connected");
    once(sent);
    assert.deepEqual([...sent.keys()].map((name) => name.replace(/ M.* /, " ")), ["master 2", "personal 1"]);
  });

  test("who was accepted while another administration device rejected it is not let in; its Master Profile is published with the one that takes it back", async () => {
    const alice = await household({ tower: "admin", tablet: "member" });
    const tower = deviceOf(alice, "tower");
    const phone = await asking(alice, "phone");
    rejectedMeanwhile(alice, tower, phone.witness);
    const sent = sentTo(alice.portal);
    await assert.rejects(acceptConnection(alice.desktop.client, phone.witness, "admin"), { code: "connection-not-found" });
    assert.equal(await phone.again(), "rejected");
    const before = { desktop: "admin active", tablet: "member active", tower: "admin active" };
    for (const device of [alice.desktop, tower, deviceOf(alice, "tablet")]) assert.deepEqual(await statuses(device), before);
    assert.equal(masterOf(await meshOf(tower)).payload.version, 2);
    const laptop = await join(alice, "laptop", "admin");
    once(sent);
    const holders = masterOf(await meshOf(laptop)).payload;
    assert.equal(holders.version, 4);
    assert.equal(holders.administrationKeys.length, 3);
    for (const device of [alice.desktop, tower, laptop, deviceOf(alice, "tablet")]) {
      const listed = Object.entries(await statuses(device));
      assert.deepEqual(listed.map(([, status]) => status).sort(), ["admin active", "admin active", "admin active", "admin disabled", "member active"]);
      assert.ok(listed.some(([name, status]) => name === "laptop" && status === "admin active"));
    }
    await disableDevice(alice.desktop.client, "tower");
    once(sent);
  });

  test("a member likewise: nothing of it was published", async () => {
    const alice = await household({ tower: "admin" });
    const tower = deviceOf(alice, "tower");
    const phone = await asking(alice, "phone");
    rejectedMeanwhile(alice, tower, phone.witness);
    await assert.rejects(acceptConnection(alice.desktop.client, phone.witness, "member"), { code: "connection-not-found" });
    assert.equal(await phone.again(), "rejected");
    for (const device of [alice.desktop, tower]) assert.deepEqual(await statuses(device), { desktop: "admin active", tower: "admin active" });
    await join(alice, "laptop");
  });

  test("a removal that was refused is made good by whatever needs the Master key next", async () => {
    const alice = await household({ tower: "admin" });
    const phone = await asking(alice, "phone");
    const sent = sentTo(alice.portal);
    const stop = refuse(alice.portal, "profile-out-of-order");
    await assert.rejects(disableDevice(alice.desktop.client, "tower"), { code: "profile-out-of-order" });
    stop();
    await sync(alice.desktop.client);
    await acceptConnection(alice.desktop.client, phone.witness, "admin");
    assert.equal(await phone.again(), "connected");
    const listed = await statuses(phone.device);
    assert.deepEqual(listed, { desktop: "admin active", phone: "admin active", tower: "admin disabled" });
    assert.equal(masterOf(await meshOf(phone.device)).payload.version, 4);
    once(sent);
  });

  test("a portal that takes only the first of two Master Profiles in a batch is sent the batch again, and whom the first lets in is out", async () => {
    const alice = await household({ tower: "admin" });
    const tower = deviceOf(alice, "tower");
    const [phone, laptop] = [await asking(alice, "phone"), await asking(alice, "laptop")];
    const stop = refuse(alice.portal, "signer-suspended");
    await assert.rejects(acceptConnection(alice.desktop.client, phone.witness, "admin"), MeshError);
    stop();
    await rejectConnection(tower.client, phone.witness);
    const sent = sentTo(alice.portal);
    const again = refuse(alice.portal, undefined);
    await assert.rejects(acceptConnection(alice.desktop.client, laptop.witness, "admin"), MeshError);
    again();
    const outgoing = await alice.desktop.client.rows.read((rows) => rows.get<{ parts: Part[] }>("outgoing", "outgoing"));
    const { link, requester } = await pull(tower.client);
    await link.call(requester, publish, { parts: (outgoing?.parts ?? []).slice(0, 3) });
    assert.equal(masterOf((await pull(tower.client)).mesh).payload.version, 3);
    await sync(alice.desktop.client);
    assert.equal(await laptop.again(), "connected");
    assert.deepEqual(Object.values(await statuses(laptop.device)).sort(), ["admin active", "admin active", "admin active", "admin disabled"]);
    once(sent);
  });
});
