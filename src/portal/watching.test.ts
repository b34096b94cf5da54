import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { createMesh } from "../client/operations/create.ts";
import { disableDevice } from "../client/operations/disable.ts";
import { sync } from "../client/sync.ts";
import { eventsIn } from "../protocol/events.ts";
import { type Member, requestMac } from "../protocol/session.ts";
import { BEAT_MS, HELD_MS, STREAM_MS, STREAM_TYPE, watch } from "../protocol/watch.ts";
import { COUNTER_HEADER, decodeResponse, encodeRequest, MAC_HEADER, SERVICE_PATH, SESSION_HEADER } from "../protocol/wire.ts";
import { agreed, deviceOf, household, type Household, save, whoIs } from "../../test/adversary/household.ts";
import { newDevice, startPortal, type TestPortal } from "../../test/support/world.ts";
import type { PortalAnswer } from "./portal.ts";
import { type Asking, openAs } from "./test-asking.ts";
import { type Ear, type WatchLimits, watchLimits, Watchers } from "./watchers.ts";

/** What a device heard of its stream so far. */
type Heard = { readonly answer: PortalAnswer; readonly revisions: number[]; readonly spreads: number[]; ended: boolean; gone(): void };

async function ask(portal: TestPortal, { session }: Asking, counter: number, content: { after?: number } = {}, remote = "198.51.100.7"): Promise<PortalAnswer> {
  const body = encodeRequest(watch, content);
  const mac = requestMac(session, { portal: portal.pin, method: "POST", path: SERVICE_PATH, query: "", counter, body });
  return portal.portal.handle({ method: "POST", path: SERVICE_PATH, query: "", headers: { [SESSION_HEADER]: session.id, [COUNTER_HEADER]: String(counter), [MAC_HEADER]: mac }, body, remote });
}

async function listen(portal: TestPortal, asking: Asking, counter: number, remote?: string): Promise<Heard> {
  const answer = await ask(portal, asking, counter, {}, remote);
  const heard: Heard = { answer, revisions: [], spreads: [], ended: false, gone: () => {} };
  const take = async (octets: Uint8Array): Promise<void> => {
    for await (const { data, retry } of eventsIn((async function* () { yield octets; })())) {
      if (data !== undefined) heard.revisions.push(decodeResponse(watch, data).revision);
      if (retry !== undefined) heard.spreads.push(retry);
    }
  };
  await take(answer.body);
  const { gone } = answer.stream?.({ send: (octets) => void take(octets), end: () => (heard.ended = true) }) ?? { gone: () => {} };
  heard.gone = gone;
  return heard;
}

/** What was told is told once the store was looked at. */
const soon = (): Promise<void> => sleep(20);

function refusal(answer: PortalAnswer): string {
  return (JSON.parse(Buffer.from(answer.body).toString()) as { error?: { code: string } }).error?.code ?? "ok";
}

suite("who watches is told when a mesh changes", { timeout: 60_000 }, () => {
  let alice: Household;

  before(async () => {
    alice = await household({ laptop: "member", thief: "member" });
  });

  test("the first event is the authenticated answer, and each commit is told to every device of the mesh", async () => {
    const heard = await listen(alice.portal, await openAs(deviceOf(alice, "laptop")), 1);
    assert.equal(heard.answer.headers["content-type"], STREAM_TYPE);
    assert.equal(heard.revisions.length, 1);
    await save(alice.desktop, "first");
    await soon();
    await save(alice.desktop, "second");
    await soon();
    assert.equal(heard.revisions.length, 3);
    assert.deepEqual(heard.revisions, [...heard.revisions].sort((a, b) => a - b));
    assert.equal(heard.ended, false);
  });

  test("a sync with nothing to do tells nobody anything, whoever makes it: devices that sync when told do not tell each other for ever", async () => {
    const heard = await listen(alice.portal, await openAs(alice.desktop), 1);
    await save(alice.desktop, "one");
    for (const device of [deviceOf(alice, "laptop"), alice.desktop]) await sync(device.client);
    await soon();
    const after = heard.revisions.length;
    for (const device of [deviceOf(alice, "laptop"), alice.desktop, deviceOf(alice, "laptop")]) await sync(device.client);
    await soon();
    assert.equal(heard.revisions.length, after);
  });

  test("a change between the answer and the stream's beginning is told", async () => {
    const asking = await openAs(deviceOf(alice, "laptop"));
    const answer = await ask(alice.portal, asking, 1);
    await save(alice.desktop, "meanwhile");
    await soon();
    const sent: Uint8Array[] = [];
    answer.stream?.({ send: (octets) => void sent.push(octets), end: () => {} });
    assert.equal(sent.length, 1);
  });

  test("the mesh of somebody else is nothing that one is told of", async () => {
    const bob = newDevice(alice.portal, { holdsMaster: true });
    await createMesh(bob.client, bob.master, { address: "bob@example.com", portal: alice.at, deviceName: "bob" });
    const heard = await listen(alice.portal, await openAs(alice.desktop), 1);
    await save(bob, "his own");
    await soon();
    assert.equal(heard.revisions.length, 1);
  });

  test("a device that is disabled hears no more, and the others hear of it", async () => {
    const [laptop, thief] = [await listen(alice.portal, await openAs(deviceOf(alice, "laptop")), 1), await listen(alice.portal, await openAs(deviceOf(alice, "thief")), 1)];
    const held = ask(alice.portal, await openAs(deviceOf(alice, "thief")), 1, { after: thief.revisions[0] ?? -1 });
    await soon();
    await disableDevice(alice.desktop.client, "thief", agreed);
    await soon();
    assert.equal(thief.ended, true);
    assert.equal(thief.revisions.length, 1);
    await held;
    assert.equal(laptop.ended, false);
    assert.ok(laptop.revisions.length > 1);
    await save(alice.desktop, "unseen");
    await soon();
    assert.equal(thief.revisions.length, 1);
    assert.equal(refusal(await ask(alice.portal, await openAs(deviceOf(alice, "thief")), 1)), "request-not-allowed");
  });

  test("a session that made room for newer ones takes its stream with it", async () => {
    const laptop = deviceOf(alice, "laptop");
    const heard = await listen(alice.portal, await openAs(laptop), 1);
    for (let n = 0; n < 8; n++) {
      alice.portal.clock.now += 1;
      assert.equal((await (await openAs(laptop)).ask(watch, { after: 0 }, 1)).code, "ok");
    }
    await soon();
    assert.equal(heard.ended, true);
  });
});

suite("a stream's time", { timeout: 60_000 }, () => {
  let alice: Household;

  before(async () => {
    alice = await household({ laptop: "member" });
  });

  test("it says every 45 seconds that it is there, and over how long to spread coming back; after 15 minutes it ends, and may be begun again at once", async () => {
    const heard = await listen(alice.portal, await openAs(alice.desktop), 1);
    alice.portal.clock.now += BEAT_MS;
    alice.portal.portal.watching.tick();
    await soon();
    assert.deepEqual(heard.spreads, [1000, 1000]);
    alice.portal.clock.now += STREAM_MS - BEAT_MS;
    alice.portal.portal.watching.tick();
    await soon();
    assert.equal(heard.ended, true);
    assert.equal(heard.spreads.at(-1), 0);
    assert.equal(alice.portal.portal.watching.counts().watching, 0);
  });

  test("an answer that waits is given at the next change, and after 20 seconds without one", async () => {
    const asking = await openAs(deviceOf(alice, "laptop"));
    const { revision: now } = decodeResponse(watch, (await ask(alice.portal, asking, 1, { after: 0 })).body);
    const changed = ask(alice.portal, asking, 2, { after: now });
    await soon();
    await save(alice.desktop, "one");
    const { revision: next } = decodeResponse(watch, (await changed).body);
    assert.ok(next > now);
    const waiting = ask(alice.portal, asking, 3, { after: next });
    await soon();
    alice.portal.clock.now += HELD_MS;
    alice.portal.portal.watching.tick();
    assert.equal(decodeResponse(watch, (await waiting).body).revision, next);
  });

  test("a store that is away is asked again at the next tick", async () => {
    await listen(alice.portal, await openAs(deviceOf(alice, "laptop")), 1);
    await soon();
    const { master } = await whoIs(alice.desktop);
    const read = alice.portal.store.read.bind(alice.portal.store);
    let refused = 0;
    const away: typeof read = (work) => read((r) => (refused++ === 0 ? Promise.reject(new Error("away")) : work(r)));
    Object.assign(alice.portal.store, { read: away });
    await alice.portal.portal.watching.changed(master);
    assert.equal(refused, 1);
    alice.portal.portal.watching.tick();
    await soon();
    assert.ok(refused > 1);
    Object.assign(alice.portal.store, { read });
  });

  test("a portal that ends lets go of all, and takes nobody more", async () => {
    const heard = await listen(alice.portal, await openAs(alice.desktop), 1);
    const waiting = ask(alice.portal, await openAs(deviceOf(alice, "laptop")), 1, { after: heard.revisions[0] ?? -1 });
    await soon();
    alice.portal.portal.watching.end();
    assert.equal(heard.ended, true);
    assert.equal((await waiting).status, 200);
    const late = await ask(alice.portal, await openAs(alice.desktop), 1);
    assert.deepEqual([late.status, refusal(late), late.stream], [503, "service-busy", undefined]);
    assert.ok(Number(late.headers["retry-after"]) > 0);
  });
});

suite("limits of watching", () => {
  const ear: Ear = { hear: () => {}, beat: () => {}, end: () => {} };
  const roomy: WatchLimits = { device: 1e9, account: 1e9, address: 1e9, total: 1e9 };
  const add = (watchers: Watchers, device: string, master: string, network: string) => watchers.add({ device, master } as Member, "session", network, "stream", 1, ear, 0);

  test("an account, an address and the portal have so many; whoever is too many is told when to ask again", async () => {
    for (const limits of [{ account: 2 }, { address: 2 }, { total: 2 }]) {
      const watchers = new Watchers({ ...roomy, ...limits });
      const first = add(watchers, "a", "m", "n");
      add(watchers, "b", "m", "n");
      assert.throws(() => add(watchers, "c", "m", "n"), { code: "service-rate-limited" });
      if (!("total" in limits)) add(watchers, "c", "m2", "n2");
      watchers.remove(first);
      add(watchers, "d", "m", "n");
    }
    const alice = await household({ laptop: "member" }, await startPortal("example.com", undefined, { watchLimits: { ...watchLimits, device: 2, total: 2 } }));
    const asking = await openAs(alice.desktop);
    // Of one device the newest stay, and a request that is sent again is one of them.
    const three = [await listen(alice.portal, asking, 1), await listen(alice.portal, asking, 1), await listen(alice.portal, asking, 2)];
    assert.deepEqual(three.map(({ ended }) => ended), [true, false, false]);
    const other = await ask(alice.portal, await openAs(deviceOf(alice, "laptop")), 1);
    assert.deepEqual([other.status, refusal(other), other.headers["retry-after"]], [429, "service-rate-limited", "60"]);
  });

  test("the more watch, the longer they are told to spread coming back", () => {
    const watchers = new Watchers(roomy);
    const spreadAt = (count: number): number => {
      while (watchers.count < count) add(watchers, `d${watchers.count}`, `m${watchers.count}`, "n");
      return watchers.spread;
    };
    assert.deepEqual([1, 250, 1_000, 10_000].map(spreadAt), [1_000, 1_000, 4_000, 40_000]);
  });
});
