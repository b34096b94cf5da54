import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { statusOf } from "../../src/client/status.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { sync } from "../../src/client/sync.ts";
import { openMemoryKeyring } from "../../src/keyring/memory.ts";
import { isActive } from "../../src/profiles/mesh.ts";
import { loadWhole } from "../../src/portal/whole.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import { newDevice, startPortal, type TestDevice } from "../support/world.ts";
import { household, names, save, whoIs } from "./household.ts";
import { type Moment, openCopyable, type Run, runFrom } from "./restarting.ts";

const NAMES = ["desktop", "tower", "laptop", "thief"] as const;

function deviceIn(run: Run, name: (typeof NAMES)[number]): TestDevice {
  const device = run.devices[name];
  assert.ok(device !== undefined);
  return device;
}

suite("the disabler dies", () => {
  test("after each of its requests, answered or not: the others finish what it began, without it, and without what the thief could read", async () => {
    const portalStore = openCopyable();
    const portal = await startPortal("example.com", portalStore);
    const kept = Object.fromEntries(NAMES.map((name) => [name, { store: openCopyable(), keyring: openMemoryKeyring(), master: openMemoryKeyring(), options: { holdsMaster: name === "desktop" } }]));
    await household({ tower: "admin", laptop: "member", thief: "member" }, portal, (name) => newDevice(portal, { ...kept[name]?.options, ...kept[name] }));
    const moment: Moment = { portalStore, keys: portal.keys, now: portal.clock.now, kept };
    let finished = 0;
    for (const answered of [false, true]) {
      for (let step = 1; ; step++) {
        const run = await runFrom(moment);
        const died = await dies(run, step, answered);
        if (!died) break;
        const thief = await whoIs(deviceIn(run, "thief"));
        const begun = !isActive((await run.portal.store.read((r) => loadWhole(r, thief.master))) ?? assert.fail(), thief.device, run.portal.clock.now);
        // Not begun: nobody but its owner knows that it was wanted. She says so on another device.
        if (!begun) await disableDevice(deviceIn(run, "tower").client, "thief");
        await save(deviceIn(run, "laptop"), "written later");
        await sync(deviceIn(run, "tower").client);
        const view = await run.portal.store.read((r) => loadWhole(r, thief.master));
        assert.ok(view !== undefined);
        for (const chain of view.chains.values()) assert.equal(chain.holders.includes(thief.device), false, `step ${step}`);
        await assert.rejects(sync(deviceIn(run, "thief").client), { code: "device-disabled" });
        for (const name of ["laptop", "tower", "desktop"] as const) {
          await sync(deviceIn(run, name).client);
          assert.deepEqual(await names(deviceIn(run, name)), ["written later"]);
          assert.equal((await statusOf(deviceIn(run, name).client)).owed, 0, name);
        }
        finished += begun ? 1 : 0;
      }
    }
    assert.ok(finished >= 4, `${finished}`);
  });
});

/** Disables the thief from the desktop, which dies with its request number `step`, before it is sent or before its answer arrives; returns whether it got that far. */
async function dies(run: Run, step: number, answered: boolean): Promise<boolean> {
  const desktop = deviceIn(run, "desktop");
  let requests = 0;
  const dead = new MeshError("interrupted", "The desktop died.");
  run.portal.meddler.request = (sent) => {
    requests += 1;
    if (requests > step || (requests === step && !answered)) throw dead;
    return sent;
  };
  run.portal.meddler.answer = (_, answer) => {
    if (requests >= step) throw dead;
    return answer;
  };
  const died = await disableDevice(desktop.client, "thief").then(() => false, (error: unknown) => {
    if (error !== dead) throw error;
    return true;
  });
  delete run.portal.meddler.request;
  delete run.portal.meddler.answer;
  return died;
}
