import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { type Jws, readSigned, signObject } from "../../src/envelope/signed.ts";
import { signerOf } from "../../src/client/client.ts";
import { acceptConnection, admit, rejectConnection } from "../../src/client/operations/accept.ts";
import { confirmJoin, joinMesh } from "../../src/client/operations/join.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { answerPins, makePin } from "../../src/client/operations/pin.ts";
import { openRequests, pendingLines } from "../../src/client/operations/requests.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { connectionAnswer } from "../../src/profiles/connection.ts";
import { connectPending, connectStart, connectStatus } from "../../src/protocol/connections.ts";
import { get, getProfiles } from "../../src/protocol/profiles.ts";
import { decodeRequest, encodeRequest } from "../../src/protocol/wire.ts";
import { newDevice } from "../support/world.ts";
import { emptyTwinOf, lie } from "./cheating.ts";
import { address, household, join, names, refused, save, whoIs } from "./household.ts";

const deviceName = "laptop";

async function pendingWords(device: Parameters<typeof pull>[0]): Promise<readonly string[]> {
  const synced = await pull(device);
  try {
    return (await pendingLines(device, synced)).map((line) => line.words);
  } finally {
    synced.link.close();
  }
}

suite("a portal answers for an account that it does not hold", () => {
  test("by words: the joining device asks for three words that no screen of its owner shows, and takes nothing over without them", async () => {
    const alice = await household();
    const forged = await household({}, await emptyTwinOf(alice.portal));
    const laptop = newDevice(forged.portal);
    const options = { address, portal: alice.at, deviceName };
    const asked = await joinMesh(laptop.client, options);
    const mallorys = await acceptConnection(forged.desktop.client, asked.words, "admin");
    assert.deepEqual(await pendingWords(alice.desktop.client), [], "her own device shows no request, so no answer words");
    await refused(laptop, () => confirmJoin(laptop.client, ["abandon", "ability", "able"]), "connection-answer-wrong");
    assert.equal((await joinMesh(laptop.client, options)).status, "pending");
    await refused(laptop, () => sync(laptop.client), "device-not-connected");
    assert.notEqual(mallorys.answer, "abandon ability able");
  });

  test("a request that it passes on as another device's shows other words, so no owner who compares them picks it", async () => {
    const alice = await household();
    const forged = await household({}, await emptyTwinOf(alice.portal));
    const [laptop, mallory] = [newDevice(forged.portal), newDevice(alice.portal)];
    const asked = await joinMesh(laptop.client, { address, portal: alice.at, deviceName });
    const passedOn = await joinMesh(mallory.client, { address, portal: alice.at, deviceName });
    assert.notEqual(asked.words, passedOn.words);
    await refused(alice.desktop, () => acceptConnection(alice.desktop.client, asked.words, "member"), "connection-not-found");
  });

  test("by PIN: the code names the mesh, and the portal cannot sign for it", async () => {
    const alice = await household();
    const forged = await household({}, await emptyTwinOf(alice.portal));
    const { pin } = await makePin(alice.desktop.client, 3_600_000);
    const laptop = newDevice(forged.portal);
    await assert.rejects(joinMesh(laptop.client, { address, portal: alice.at, deviceName, pinCode: pin }), { code: "portal-other-master" });
    assert.equal(await laptop.client.rows.read((rows) => rows.get("self", "self")), undefined);
  });

  test("by PIN: even an administration device that does not know the PIN cannot answer for it", async () => {
    const alice = await household();
    const { pin } = await makePin(alice.desktop.client, 3_600_000);
    const laptop = newDevice(alice.portal);
    const options = { address, portal: alice.at, deviceName, pinCode: pin };
    await joinMesh(laptop.client, options);
    const synced = await pull(alice.desktop.client);
    const [request] = (await openRequests(alice.desktop.client, synced)).open;
    assert.ok(request !== undefined);
    await admit(alice.desktop.client, synced, request, "member", new Uint8Array(64));
    await refused(laptop, () => joinMesh(laptop.client, options), "portal-answer-wrong-device");
  });

  test("by fingerprint: another mesh under the address is refused before anything is asked of it", async () => {
    const alice = await household();
    const forged = await household({}, await emptyTwinOf(alice.portal));
    const laptop = newDevice(forged.portal);
    const { master } = await whoIs(alice.desktop);
    await assert.rejects(joinMesh(laptop.client, { address, master, portal: alice.at, deviceName }), { code: "portal-other-master" });
  });

  test("an account shown without its Master Profile is no account", async () => {
    const alice = await household();
    const stop = lie(alice.portal, get, (answer) => ({ ...answer, masters: [] }));
    await assert.rejects(join(alice, "guest"), { code: "portal-missing-profile" });
    stop();
    await join(alice, "guest");
  });

  test("honest twin: words typed on both sides, and a PIN, join silently", async () => {
    const alice = await household();
    await save(alice.desktop, "github");
    const [laptop, tablet] = [newDevice(alice.portal), newDevice(alice.portal)];
    const options = { address, portal: alice.at, deviceName };
    const asked = await joinMesh(laptop.client, options);
    const { answer } = await acceptConnection(alice.desktop.client, asked.words, "member");
    await confirmJoin(laptop.client, answer.split(" "));
    assert.equal((await joinMesh(laptop.client, options)).status, "connected");
    const { pin } = await makePin(alice.desktop.client, 3_600_000);
    const byPin = { address, portal: alice.at, deviceName: "tablet", pinCode: pin };
    await joinMesh(tablet.client, byPin);
    const synced = await pull(alice.desktop.client);
    assert.deepEqual(await answerPins(alice.desktop.client, synced), ["tablet"]);
    assert.equal((await joinMesh(tablet.client, byPin)).status, "connected");
    assert.deepEqual([await names(laptop), await names(tablet)], [["github"], ["github"]]);
  });
});

suite("a portal swaps the keys of a joining device", () => {
  test("in ConnectStart: the request of a device of its own shows other words", async () => {
    const alice = await household();
    const [laptop, mallory] = [newDevice(alice.portal), newDevice(await emptyTwinOf(alice.portal))];
    let stolen: Jws | undefined;
    mallory.portal = alice.portal;
    alice.portal.meddler.request = (sent) => {
      const { command, request } = decodeRequest(sent.body);
      if (command.name !== "ConnectStart") return sent;
      if (stolen === undefined) stolen = (request as { request: Jws }).request;
      return { ...sent, body: encodeRequest(connectStart, { request: stolen }) };
    };
    await joinMesh(mallory.client, { address, portal: alice.at, deviceName });
    // The portal forgets whose request it sent on: the laptop learns nothing of it but that its own is unknown.
    await assert.rejects(joinMesh(laptop.client, { address, portal: alice.at, deviceName }), { code: "session-device-unknown" });
    const words = await laptop.client.rows.read((rows) => rows.get<{ words: string }>("joining", "joining"));
    await refused(alice.desktop, () => acceptConnection(alice.desktop.client, words?.words ?? "", "member"), "connection-not-found");
  });

  test("in ConnectPending: a request with another device in it is not what was signed", async () => {
    const alice = await household();
    const [laptop, mallory] = [newDevice(alice.portal), newDevice(alice.portal)];
    const asked = await joinMesh(laptop.client, { address, portal: alice.at, deviceName });
    await joinMesh(mallory.client, { address, portal: alice.at, deviceName });
    const stop = lie(alice.portal, connectPending, ({ requests }) => {
      const [first, second] = requests;
      assert.ok(first !== undefined && second !== undefined);
      return { requests: [{ ...first, request: { ...first.request, payload: second.request.payload } }] };
    });
    await refused(alice.desktop, () => acceptConnection(alice.desktop.client, asked.words, "member"), "portal-false-data");
    stop();
    assert.equal(await rejectConnection(alice.desktop.client, "--all"), 2);
  });

  test("in the Personal Profile of the answer: a version that the administration device did not sign is refused", async () => {
    const alice = await household();
    const laptop = newDevice(alice.portal);
    const { master } = await whoIs(alice.desktop);
    const options = { address, master, portal: alice.at, deviceName };
    const asked = await joinMesh(laptop.client, options);
    await acceptConnection(alice.desktop.client, asked.witness, "member");
    const stop = lie(alice.portal, getProfiles, (answer) => {
      const [first, second] = answer.personals;
      assert.ok(first !== undefined && second !== undefined);
      return { ...answer, personals: [first, { ...second, object: { ...second.object, signature: first.object.signature } }] };
    });
    await refused(laptop, () => joinMesh(laptop.client, options), "portal-false-data");
    stop();
    assert.equal((await joinMesh(laptop.client, options)).status, "connected");
  });
});

suite("a portal replays an old answer", () => {
  test("an answer under a session serves the one request that it was given to", async () => {
    const alice = await household();
    const kept: Parameters<NonNullable<typeof alice.portal.meddler.answer>>[1][] = [];
    alice.portal.meddler.answer = (_, given) => {
      kept.push(given);
      return given;
    };
    await sync(alice.desktop.client);
    const [first] = kept;
    assert.ok(first !== undefined);
    alice.portal.meddler.answer = () => first;
    await refused(alice.desktop, () => sync(alice.desktop.client), "portal-answer-forged");
    delete alice.portal.meddler.answer;
    await sync(alice.desktop.client);
  });

  test("the answer to one connection request is none to another", async () => {
    const alice = await household();
    let old: Jws | undefined;
    const stopRecording = lie(alice.portal, connectStatus, (answer) => {
      old ??= answer.answer;
      return answer;
    });
    await join(alice, "tablet");
    stopRecording();
    const laptop = newDevice(alice.portal);
    const { master } = await whoIs(alice.desktop);
    const options = { address, master, portal: alice.at, deviceName };
    await joinMesh(laptop.client, options);
    const stop = lie(alice.portal, connectStatus, () => ({ state: "answered" as const, ...(old === undefined ? {} : { answer: old }) }));
    await refused(laptop, () => joinMesh(laptop.client, options), "portal-answer-wrong-device");
    stop();
    assert.equal((await joinMesh(laptop.client, options)).status, "pending");
  });

  test("an answer that a member signed, or the joining device itself, is none", async () => {
    const alice = await household({ tablet: "member" });
    const laptop = newDevice(alice.portal);
    const { master } = await whoIs(alice.desktop);
    const options = { address, master, portal: alice.at, deviceName };
    const asked = await joinMesh(laptop.client, options);
    await acceptConnection(alice.desktop.client, asked.witness, "member");
    const tablet = alice.devices["tablet"];
    assert.ok(tablet !== undefined);
    const { device } = await whoIs(tablet);
    const stop = lie(alice.portal, connectStatus, async ({ answer, state }) => {
      assert.ok(answer !== undefined);
      const forged = await signObject(connectionAnswer, readSigned(answer, connectionAnswer).payload, signerOf(tablet.keyring, device));
      return { state, answer: forged.jws };
    });
    await refused(laptop, () => joinMesh(laptop.client, options), "portal-false-data");
    stop();
    assert.equal((await joinMesh(laptop.client, options)).status, "connected");
  });
});

test("a device that was let in and disabled before it took the mesh over is told so", async () => {
  const alice = await household({ laptop: "member" });
  const guest = newDevice(alice.portal);
  const { master } = await whoIs(alice.desktop);
  const options = { address, master, portal: alice.at, deviceName: "guest" };
  const asked = await joinMesh(guest.client, options);
  await acceptConnection(alice.desktop.client, asked.witness, "member");
  await disableDevice(alice.desktop.client, "guest");
  await assert.rejects(joinMesh(guest.client, options), { code: "device-disabled" });
});
