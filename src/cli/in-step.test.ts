import assert from "node:assert/strict";
import { suite, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { alarmOf, endAlarm } from "../client/alarms.ts";
import type { Transport } from "../client/client.ts";
import { sync } from "../client/sync.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { deviceOf, household, keep, names, save } from "../../test/adversary/household.ts";
import { startPortal, type TestDevice, type TestPortal, transportTo } from "../../test/support/world.ts";
import { type InStep, keepInStep } from "./in-step.ts";

type Options = { readonly transport?: (over: Transport) => Partial<Transport>; readonly now?: () => number };

/** Keeps a device in step for as long as a test lasts. */
function kept(t: TestContext, device: TestDevice, { transport, now = Date.now }: Options = {}): InStep {
  const connect = (): Transport => {
    const over = transportTo(device.portal);
    return { ...over, ...transport?.(over) };
  };
  const inStep = keepInStep({ open: async () => ({ ...device.client, connect }), now, chance: () => 0.1 });
  t.after(() => inStep.stop());
  return inStep;
}

/** Waits until something holds, and says after how many milliseconds it did. */
async function until(holds: () => boolean | Promise<boolean>, ms = 20_000): Promise<number> {
  const started = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - started < ms, "it did not come to hold");
    await sleep(10);
  }
  return performance.now() - started;
}

const has = (device: TestDevice, name: string) => async (): Promise<boolean> => (await names(device)).includes(name);

/** The same portal after it ended: its store outlives it, what it kept in memory does not. */
async function restarted(portal: TestPortal): Promise<TestPortal> {
  portal.portal.watching.end();
  return startPortal("example.com", portal.store, { keys: portal.keys, clock: portal.clock });
}

suite("a device that is kept in step", { timeout: 120_000, concurrency: true }, () => {
  test("has what another one changed within two seconds, and after its portal was started again", async (t) => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const inStep = kept(t, laptop);
    await until(() => inStep.by() === "told");
    for (const name of ["one", "two"]) {
      await save(alice.desktop, name);
      assert.ok((await until(has(laptop, name))) < 2_000);
    }
    laptop.portal = alice.desktop.portal = await restarted(alice.portal);
    await save(alice.desktop, "three");
    await until(has(laptop, "three"));
  });

  test("sends what was changed while no portal was there, once it lay still, and does not overtake who is sending", async (t) => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const inStep = kept(t, laptop);
    await until(() => inStep.by() === "told");
    await keep(laptop, "offline");
    await sleep(1_000);
    await save(alice.desktop, "told meanwhile");
    await until(has(laptop, "told meanwhile"));
    await sync(alice.desktop.client);
    assert.equal(await has(alice.desktop, "offline")(), false);
    await until(async () => {
      await sync(alice.desktop.client);
      return has(alice.desktop, "offline")();
    });
  });

  test("keeps an alarm until its owner looked herself, and takes nothing from whoever cheats", async (t) => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const inStep = kept(t, laptop);
    await until(() => inStep.by() === "told");
    alice.portal.meddler.answer = (_, answer) => (answer.stream === undefined ? { ...answer, body: Buffer.from('{"StatusResponse":{}}') } : answer);
    await save(alice.desktop, "one").catch(() => {});
    const alarm = async () => laptop.client.rows.read(alarmOf);
    alice.portal.portal.watching.end();
    const other = await restarted(alice.portal);
    other.meddler.answer = alice.portal.meddler.answer;
    laptop.portal = other;
    await until(async () => (await alarm()) !== undefined);
    assert.equal((await alarm())?.code, "portal-answer-forged");
    assert.equal(inStep.by(), null);
    delete other.meddler.answer;
    await sync(laptop.client);
    const found = (await alarm()) ?? assert.fail("a sync of its own does not end it");
    await endAlarm(laptop.client, found);
    assert.equal(await alarm(), undefined);
  });

  test("hears by answers that wait where a proxy holds streams back", async (t) => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const inStep = kept(t, laptop, { transport: () => ({ stream: () => Promise.reject(new MeshError("service-timeout", "Nothing came in time.")) }) });
    await until(() => inStep.by() === "told");
    await save(alice.desktop, "one");
    assert.ok((await until(has(laptop, "one"))) < 2_000);
  });

  test("asks from time to time where those are held back as well, or the portal knows no such thing", async (t) => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    const unknown = new MeshError("request-unknown-command", "This portal does not know that command.");
    const inStep = kept(t, laptop, { transport: () => ({ stream: () => Promise.reject(unknown) }) });
    await until(() => inStep.by() === "asks");
  });

  test("a portal that is not there is no alarm, and is tried again", async (t) => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    let tries = 0;
    const away = (): Promise<never> => {
      tries += 1;
      return Promise.reject(new MeshError("service-unreachable", "Nobody is there."));
    };
    const inStep = kept(t, laptop, { transport: () => ({ post: away, stream: away }) });
    await until(() => tries > 2);
    assert.equal(await laptop.client.rows.read(alarmOf), undefined);
    assert.equal(inStep.by(), null);
  });

  test("begins anew when the computer slept: what it listened to is gone, though nobody said so", async (t) => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    let slept = 0;
    let streams = 0;
    const transport = (over: Transport): Partial<Transport> => ({
      stream: (...how) => {
        streams += 1;
        return over.stream(...how);
      },
    });
    const inStep = kept(t, laptop, { transport, now: () => Date.now() + slept });
    await until(() => inStep.by() === "told");
    slept = 3_600_000;
    await until(() => streams > 1 && inStep.by() === "told");
  });
});
