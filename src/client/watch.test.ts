import assert from "node:assert/strict";
import { before, suite, test } from "node:test";

import { disableDevice } from "./operations/disable.ts";
import { meetPortal, type PortalLink, type Requester, type Told } from "./portal-link.ts";
import { shelf } from "../portal/records.ts";
import { utf8 } from "../bytes/text.ts";
import { agreed, deviceOf, household, type Household, save, whoIs } from "../../test/adversary/household.ts";
import type { TestDevice } from "../../test/support/world.ts";

const BOUNDS = { firstMs: 2_000, silenceMs: 2_000 };

/** A device that watches, and the next thing that it is told; undefined at the end. */
async function watching(device: TestDevice): Promise<{ readonly next: () => Promise<Told | undefined>; readonly end: () => Promise<unknown> }> {
  const self = await whoIs(device);
  const link: PortalLink = await meetPortal(device.client, self.portal.url, self.portal.id);
  const requester: Requester = { device: self.device, master: self.master, authenticationKey: self.authenticationKey };
  const told = link.watch(requester, BOUNDS);
  return { next: async () => (await told.next()).value ?? undefined, end: () => told.return(undefined) };
}

suite("a device that watches its mesh", { timeout: 60_000 }, () => {
  let alice: Household;
  let laptop: TestDevice;

  before(async () => {
    alice = await household({ laptop: "member", thief: "member" });
    laptop = deviceOf(alice, "laptop");
  });

  test("is told where it stands, and when that changes", async () => {
    const heard = await watching(laptop);
    const first = await heard.next();
    const later = heard.next();
    await save(alice.desktop, "one");
    assert.ok(((await later)?.revision ?? 0) > (first?.revision ?? 0));
    await heard.end();
    assert.equal(alice.portal.portal.watching.counts().watching, 0);
  });

  test("opens another session where the portal forgot its own", async () => {
    await alice.portal.store.transact(async (w) => {
      for (const { key } of await w.list(shelf.sessions, "")) await w.remove(shelf.sessions, key);
    });
    const heard = await watching(laptop);
    assert.ok(((await heard.next())?.revision ?? 0) > 0);
    await heard.end();
  });

  test("takes no answer that its session does not authenticate", async () => {
    alice.portal.meddler.answer = (_, answer) => ({ ...answer, body: utf8('data: {"WatchResponse":{"revision":7}}\n\n') });
    await assert.rejects((await watching(laptop)).next(), { code: "portal-answer-forged" });
    delete alice.portal.meddler.answer;
  });

  test("is told when to come back by whoever turns it away, and then why", async () => {
    alice.portal.portal.watching.end();
    const heard = await watching(laptop);
    assert.deepEqual(await heard.next(), { retry: 10_000 });
    await assert.rejects(heard.next(), { code: "service-busy" });
  });

  test("is turned away once it is disabled", async () => {
    await disableDevice(alice.desktop.client, "thief", agreed);
    await assert.rejects((await watching(deviceOf(alice, "thief"))).next(), { code: "request-not-allowed" });
  });
});
