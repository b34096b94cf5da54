import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { signerOf } from "../client/client.ts";
import { acceptConnection, rejectConnection } from "../client/operations/accept.ts";
import { joinMesh } from "../client/operations/join.ts";
import { answerPins, makePin } from "../client/operations/pin.ts";
import { openRequests } from "../client/operations/requests.ts";
import { pull, sync } from "../client/sync.ts";
import { type Jws, readSigned, signObject } from "../envelope/signed.ts";
import { connectionRequest } from "../profiles/connection.ts";
import { personalOf } from "../profiles/mesh.ts";
import { readEntry } from "../notary/entry.ts";
import type { MeshError } from "../refusals/mesh-error.ts";
import { connectComplete, connectPending, connectStart, connectStatus } from "../protocol/connections.ts";
import { decodeRequest } from "../protocol/wire.ts";
import { newDevice, type TestDevice } from "../../test/support/world.ts";
import { address, deviceOf, household, type Household, join, meshOf, whoIs } from "../../test/adversary/household.ts";
import { shelf } from "./records.ts";
import { askAs, openAs } from "./test-asking.ts";

const DAY = 86_400_000;

async function ask(alice: Household, pinCode?: string, device: TestDevice = newDevice(alice.portal)) {
  const { master } = await whoIs(alice.desktop);
  const options = { address, portal: alice.at, deviceName: "guest", ...(pinCode === undefined ? { master } : { pinCode }) };
  const joined = await joinMesh(device.client, options);
  return { device, joined, again: () => joinMesh(device.client, options) };
}

/** The signed request that a device sent. */
async function requestOf(device: TestDevice): Promise<Jws> {
  const row = await device.client.rows.read((rows) => rows.get<{ request: Jws }>("joining", "joining"));
  assert.ok(row !== undefined);
  return row.request;
}

async function pinned(device: TestDevice): Promise<readonly string[]> {
  const synced = await pull(device.client);
  try {
    return await answerPins(device.client, synced);
  } finally {
    synced.link.close();
  }
}

suite("connection requests", () => {
  test("eight wait by words, the ninth is refused, a PIN has a queue of its own, and clearing the queue opens it again", async () => {
    const alice = await household();
    const eight = [];
    for (let count = 0; count < 8; count++) eight.push(await ask(alice));
    await assert.rejects(ask(alice), { code: "connection-too-many" });
    const { pin } = await makePin(alice.desktop.client, DAY);
    const tablet = await ask(alice, pin);
    assert.deepEqual(await pinned(alice.desktop), ["guest"]);
    assert.equal((await tablet.again()).status, "connected");
    const [first] = eight;
    assert.equal((await first?.again())?.status, "pending", "asking again takes no second place");
    assert.equal(await rejectConnection(alice.desktop.client, "--all"), 8);
    assert.equal((await first?.again())?.status, "rejected");
    await join(alice, "laptop");
  });

  test("one that comes twice at once, or many times, waits once, is logged once, and is answered the same each time", async () => {
    const alice = await household();
    const one = await ask(alice);
    const request = await requestOf(one.device);
    // As if it had never come.
    alice.portal.clock.now += DAY;
    const logged = async () => (await alice.portal.store.read((r) => r.leaves(0))).map(readEntry).filter(({ k }) => k === "connect").length;
    const before = await logged();
    const answers = await Promise.all(Array.from({ length: 12 }, () => askAs(alice.portal, connectStart, { request })));
    assert.deepEqual(new Set(answers.map(({ code }) => code)), new Set(["ok"]));
    assert.equal(new Set(answers.map(({ body }) => Buffer.from(body).toString())).size, 1);
    assert.equal(await logged(), before + 1);
    const count = (name: string) => alice.portal.store.read(async (r) => (await r.list(name, "")).length);
    assert.deepEqual([await count(shelf.requests), await count(shelf.requesters)], [1, 1]);
    await acceptConnection(alice.desktop.client, one.joined.witness, "member");
    assert.equal((await one.again()).status, "connected");
  });

  test("two devices that claim one witness at once: one waits, the other is turned away, and one is logged", async () => {
    const alice = await household();
    const [one, other] = [await ask(alice), await ask(alice)];
    const claim = readSigned(await requestOf(other.device), connectionRequest).payload;
    const { witness } = readSigned(await requestOf(one.device), connectionRequest).payload;
    const stolen = await signObject(connectionRequest, { ...claim, witness }, signerOf(other.device.keyring, (await whoIs(other.device)).device));
    alice.portal.clock.now += DAY;
    const before = (await alice.portal.store.read((r) => r.leaves(0))).length;
    const codes = await Promise.all([askAs(alice.portal, connectStart, { request: await requestOf(one.device) }), askAs(alice.portal, connectStart, { request: stolen.jws })]);
    assert.deepEqual(codes.map(({ code }) => code).sort(), ["connection-rejected", "ok"]);
    assert.equal((await alice.portal.store.read((r) => r.leaves(0))).length, before + 1);
  });

  test("a request expires after a day and leaves nothing behind; its device may ask again and is let in", async () => {
    const alice = await household();
    const eight = [];
    for (let count = 0; count < 8; count++) eight.push(await ask(alice));
    alice.portal.clock.now += DAY;
    const [first] = eight;
    assert.ok(first !== undefined);
    const asking = await openAs(alice.desktop);
    assert.match(Buffer.from((await asking.ask(connectPending, {})).body).toString(), /"requests":\[\]/);
    await assert.rejects(acceptConnection(alice.desktop.client, first.joined.words, "member"), { code: "connection-not-found" });
    assert.equal((await first.again()).status, "pending");
    const count = (name: string) => alice.portal.store.read(async (r) => (await r.list(name, "")).length);
    assert.deepEqual([await count(shelf.requests), await count(shelf.requesters)], [1, 1]);
    await acceptConnection(alice.desktop.client, first.joined.witness, "member");
    assert.equal((await first.again()).status, "connected");
  });

  test("junk that no administration device can open is named, and cleared with the rest, and hides no true request", async () => {
    const alice = await household();
    const [honest, other] = [await ask(alice), await ask(alice)];
    const payload = readSigned(await requestOf(other.device), connectionRequest).payload;
    const { device } = await whoIs(other.device);
    const { sealed } = readSigned(await requestOf(honest.device), connectionRequest).payload;
    const witness = (await whoIs(honest.device)).device as never;
    const junk = await signObject(connectionRequest, { ...payload, sealed, witness }, signerOf(other.device.keyring, device));
    assert.equal((await askAs(alice.portal, connectStart, { request: junk.jws })).code, "ok");
    const synced = await pull(alice.desktop.client);
    const { open, junk: found } = await openRequests(alice.desktop.client, synced);
    synced.link.close();
    assert.deepEqual([open.length, found.map((one) => one.payload.witness)], [2, [witness]]);
    await acceptConnection(alice.desktop.client, honest.joined.witness, "member");
    assert.equal((await honest.again()).status, "connected");
    assert.equal(await rejectConnection(alice.desktop.client, "--all"), 2);
  });

  test("a request that is not signed by the device in it, for another mesh, or with a PIN that is none, is refused", async () => {
    const alice = await household();
    const [one, two] = [await requestOf((await ask(alice)).device), await requestOf((await ask(alice)).device)];
    assert.equal((await askAs(alice.portal, connectStart, { request: one })).code, "ok");
    for (const [request, code] of [
      [{ ...one, signature: two.signature }, "ok"],
      [{ ...one, protected: two.protected }, "profile-wrong-id"],
      [{ ...one, payload: "e30" }, "signed-malformed"],
    ] as const) assert.equal((await askAs(alice.portal, connectStart, { request })).code, code);
    alice.portal.clock.now += DAY;
    assert.equal((await askAs(alice.portal, connectStart, { request: { ...one, signature: two.signature } })).code, "signature-invalid");
    const { pin } = await makePin(alice.desktop.client, DAY);
    alice.portal.clock.now += DAY + 1;
    await assert.rejects(ask(alice, pin), { code: "connection-pin-unknown" });
  });

  test("a requester learns of its own request only", async () => {
    const alice = await household({ laptop: "member" });
    const [mine, other] = [await ask(alice), await ask(alice)];
    const asking = await openAs(mine.device);
    assert.equal((await asking.ask(connectStatus, { witness: mine.joined.witness })).code, "ok");
    assert.equal((await asking.ask(connectStatus, { witness: other.joined.witness })).code, "connection-unknown");
    assert.equal((await (await openAs(deviceOf(alice, "laptop"))).ask(connectStatus, { witness: other.joined.witness })).code, "connection-unknown");
  });

  test("two administration devices that accept one request at once let it in once, and both say so", async () => {
    const alice = await household({ tower: "admin" });
    const tower = deviceOf(alice, "tower");
    const guest = await ask(alice);
    const said = await Promise.all([alice.desktop, tower].map((device) => acceptConnection(device.client, guest.joined.witness, "member")));
    assert.equal(said[0]?.answer, said[1]?.answer);
    assert.equal((await guest.again()).status, "connected");
    for (const device of [alice.desktop, tower]) {
      await sync(device.client);
      assert.equal(personalOf(await meshOf(device)).payload.devices.length, 3);
    }
  });

  test("a device that one administration device rejects while another accepts it is not let in, by either", async () => {
    const alice = await household({ tower: "admin" });
    const guest = await ask(alice);
    alice.portal.meddler.request = async (request) => {
      if (decodeRequest(request.body).command.name !== "ConnectComplete") return request;
      delete alice.portal.meddler.request;
      await rejectConnection(deviceOf(alice, "tower").client, guest.joined.witness);
      return request;
    };
    await assert.rejects(acceptConnection(alice.desktop.client, guest.joined.witness, "member"), (error: MeshError) => error.code === "connection-not-found");
    assert.equal((await guest.again()).status, "rejected");
    for (const device of [alice.desktop, deviceOf(alice, "tower")]) {
      await sync(device.client);
      assert.equal(personalOf(await meshOf(device)).payload.devices.length, 2);
    }
    await join(alice, "tablet");
    assert.equal(personalOf(await meshOf(alice.desktop)).payload.devices.length, 3, "the next version steps over the number that was used up");
  });

  test("two administration devices that accept two requests at once let both in", async () => {
    const alice = await household({ tower: "admin" });
    const guests = [await ask(alice), await ask(alice)];
    await Promise.all([alice.desktop, deviceOf(alice, "tower")].map((device, at) => acceptConnection(device.client, guests[at]?.joined.witness ?? "", "member")));
    for (const guest of guests) assert.equal((await guest.again()).status, "connected");
  });

  test("an answered request is answered once: the same answer again is no harm, another is refused", async () => {
    const alice = await household({ tower: "admin" });
    const guest = await ask(alice);
    let sent: { answer: Jws } | undefined;
    alice.portal.meddler.request = (request) => {
      const { command, request: content } = decodeRequest(request.body);
      if (command.name === "ConnectComplete") sent ??= content as { answer: Jws };
      return request;
    };
    await rejectConnection(alice.desktop.client, guest.joined.witness);
    delete alice.portal.meddler.request;
    assert.ok(sent !== undefined);
    const asking = await openAs(deviceOf(alice, "tower"));
    assert.equal((await asking.ask(connectComplete, sent)).code, "ok");
    const other = { ...sent.answer, payload: Buffer.from(Buffer.from(sent.answer.payload, "base64url").toString().replace('"member"', '"admin"')).toString("base64url") };
    assert.equal((await asking.ask(connectComplete, { answer: other })).code, "connection-answered");
  });

  test("an accepting answer without a version that lists its device admits nobody", async () => {
    const alice = await household();
    const guest = await ask(alice);
    let sent: { answer: Jws; parts?: unknown[] } | undefined;
    alice.portal.meddler.request = (request) => {
      const { command, request: content } = decodeRequest(request.body);
      if (command.name !== "ConnectComplete") return request;
      sent ??= content as { answer: Jws };
      throw new Error("cut off");
    };
    await acceptConnection(alice.desktop.client, guest.joined.witness, "member").catch(() => undefined);
    delete alice.portal.meddler.request;
    assert.ok(sent !== undefined);
    const asking = await openAs(alice.desktop);
    assert.equal((await asking.ask(connectComplete, { answer: sent.answer })).code, "profile-not-connected");
    await sync(alice.desktop.client);
    assert.equal((await guest.again()).status, "connected", "the recorded batch was sent by the next sync");
  });
});
