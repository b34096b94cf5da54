import assert from "node:assert/strict";
import { test } from "node:test";

import type { Json } from "../../src/bytes/canonical-json.ts";
import { parseJson } from "../../src/bytes/json.ts";
import { utf8 } from "../../src/bytes/text.ts";
import { examine } from "../../src/client/examine/examine.ts";
import { kinds, type Read } from "../../src/client/examine/kinds.ts";
import { readAll, readAny } from "../../src/client/examine/read.ts";
import { disableDevice, leaveMesh } from "../../src/client/operations/disable.ts";
import { joinMesh } from "../../src/client/operations/join.ts";
import { answerPins, makePin } from "../../src/client/operations/pin.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { signerOf } from "../../src/client/client.ts";
import { signObject } from "../../src/envelope/signed.ts";
import { type Release, release } from "../../src/protocol/releases.ts";
import { splitOctets } from "../../src/protocol/octets.ts";
import { writeSnapshot } from "../adversary/fuzz/deeds.ts";
import { address, deviceOf, household, save, whoIs } from "../adversary/household.ts";
import { newDevice, startPortal } from "../support/world.ts";

test("every object that devices and their portal exchange in a story is Correct by the others of that story", async () => {
  const portal = await startPortal();
  const seen = new Map<string, Read>();
  const watch = (body: Uint8Array): void => {
    const { octets, text } = splitOctets(body);
    // A snapshot travels as a blob does.
    for (const part of [text, octets ?? utf8("")]) {
      let value: Json;
      try {
        value = parseJson(part);
      } catch {
        continue;
      }
      for (const object of readAll(value)) if (!seen.has(object.signed.digest)) seen.set(object.signed.digest, object);
    }
  };
  portal.meddler.request = (request) => (watch(request.body), request);
  portal.meddler.answer = (_, answer) => (watch(answer.body), answer);

  const home = await household({ laptop: "member", tower: "admin" }, portal);
  await save(home.desktop, "bank");
  const { pin } = await makePin(home.desktop.client, 3_600_000);
  const tablet = newDevice(portal);
  await joinMesh(tablet.client, { address, portal: home.at, deviceName: "tablet", pinCode: pin });
  const synced = await pull(home.desktop.client);
  assert.deepEqual(await answerPins(home.desktop.client, synced), ["tablet"]);
  synced.link.close();
  await joinMesh(tablet.client, { address, portal: home.at, deviceName: "tablet", pinCode: pin });
  await save(tablet, "forum");
  await disableDevice(home.desktop.client, "laptop");
  await sync(deviceOf(home, "tower").client);
  for (let at = 0; at < 2; at++) {
    await save(home.desktop, `again ${at}`);
    await writeSnapshot(home.desktop.client);
  }
  portal.clock.now += 25 * 3_600_000;
  await sync(home.desktop.client);
  const released = [...seen.values()].find((one) => one.kind === "release") ?? assert.fail();
  const { device: member } = await whoIs(tablet);
  const byMember = readAny((await signObject(release, released.signed.payload as Release, signerOf(tablet.client.keyring, member))).jws);
  await leaveMesh(tablet.client);

  const objects = [...seen.values()];
  // No operation of this story makes these.
  assert.deepEqual(Object.keys(kinds).filter((kind) => !objects.some((one) => one.kind === kind)), ["countersignature"]);
  for (const object of objects) {
    const { stage, lacks, refusal } = await examine(object, objects);
    assert.deepEqual({ stage, lacks, refusal }, { stage: "correct", lacks: [], refusal: undefined }, object.kind);
  }
  const { refusal } = await examine(byMember, objects);
  assert.equal(refusal?.code, "profile-wrong-signer", "only who administers a catalog lets its past go");
});
