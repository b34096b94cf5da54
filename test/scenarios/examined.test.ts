import assert from "node:assert/strict";
import { test } from "node:test";

import type { Json } from "../../src/bytes/canonical-json.ts";
import { parseJson } from "../../src/bytes/json.ts";
import { examine } from "../../src/client/examine/examine.ts";
import { kinds, type Read } from "../../src/client/examine/kinds.ts";
import { readAll } from "../../src/client/examine/read.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { joinMesh } from "../../src/client/operations/join.ts";
import { answerPins, makePin } from "../../src/client/operations/pin.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { address, deviceOf, household, save } from "../adversary/household.ts";
import { newDevice, startPortal } from "../support/world.ts";

test("every object that devices and their portal exchange in a story is Correct by the others of that story", async () => {
  const portal = await startPortal();
  const seen = new Map<string, Read>();
  const watch = (body: Uint8Array): void => {
    let value: Json;
    try {
      value = parseJson(body);
    } catch {
      return;
    }
    for (const object of readAll(value)) if (!seen.has(object.signed.digest)) seen.set(object.signed.digest, object);
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

  const objects = [...seen.values()];
  // No operation of this story makes these.
  assert.deepEqual(Object.keys(kinds).filter((kind) => !objects.some((one) => one.kind === kind)), ["suspension", "countersignature", "blob drop", "snapshot", "release"]);
  for (const object of objects) {
    const { stage, lacks, refusal } = await examine(object, objects);
    assert.deepEqual({ stage, lacks, refusal }, { stage: "correct", lacks: [], refusal: undefined }, object.kind);
  }
});
