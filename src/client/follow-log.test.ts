import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { utf8 } from "../bytes/text.ts";
import { logKeyTexts, type LogSigners, logSigners, newLogKeys } from "../cli/portal/log-keys.ts";
import { record } from "../notary/keeping/record.ts";
import { adopt } from "../portal/adopt.ts";
import { logPrefix } from "../notary/log-policy.ts";
import { shelf } from "../portal/records.ts";
import { openMemoryStore } from "../store/memory.ts";
import type { Store } from "../store/store.ts";
import { agreed, household, meshOf, save, whoIs } from "../../test/adversary/household.ts";
import { logged, pagesOf, signers } from "../../test/adversary/log-doubles.ts";
import { startPortal, type TestPortal } from "../../test/support/world.ts";
import { endedLog, knownHead } from "./log-proofs.ts";
import { disableDevice } from "./operations/disable.ts";
import { sync } from "./sync.ts";

/** What a portal holds, without its log. */
async function copyOf(store: Store): Promise<Store> {
  const other = openMemoryStore();
  for (const one of Object.values(shelf)) {
    const rows = await store.read((r) => r.list(one, ""));
    await other.transact(async (w) => {
      for (const { key, value } of rows) await w.put(one, key, value);
    });
  }
  return other;
}

/** Another log of the same portal: what it holds, told at once, and more entries than it had. */
async function otherLog({ store }: TestPortal, id: string): Promise<Store> {
  const other = await copyOf(store);
  await adopt(other);
  await other.transact((w) => record(w, Array.from({ length: 300 }, (_, drop) => ({ seal: "blobs" as const, of: id, content: { drop } }))));
  return other;
}

suite("a device holds its portal to the log (log 7.3)", () => {
  test("one that goes on as it should is followed at every sync", async () => {
    const { desktop, portal } = await logged();
    for (let edit = 0; edit < 3; edit++) {
      portal.clock.now += 60_000;
      await save(desktop, `login ${edit}`);
    }
    await sync(desktop.client);
  });

  test("a log that is shorter than it was", async () => {
    const { desktop, honest, portal } = await logged();
    const { master } = await whoIs(desktop);
    const early = await honest(`${logPrefix(signers.origin)}current/personal/${master}`);
    await save(desktop, "bank");
    await sync(desktop.client);
    portal.pages.get = async (path) => (path.includes("/current/") ? early : honest(path));
    await assert.rejects(sync(desktop.client), { code: "portal-older-log" });
    portal.pages.get = async () => undefined;
    await assert.rejects(sync(desktop.client), { code: "portal-older-log" });
    portal.pages.get = honest;
    await sync(desktop.client);
  });

  test("a log that is another", async () => {
    const { desktop, portal } = await logged();
    portal.pages.get = await pagesOf(await otherLog(portal, (await whoIs(desktop)).master), () => portal.clock.now);
    await assert.rejects(sync(desktop.client), { code: "portal-forked-log" });
  });

  test("a version that the portal took and does not log", async () => {
    const { desktop, honest, portal } = await logged();
    await sync(desktop.client);
    const early = await honest(`${logPrefix(signers.origin)}current/personal/${(await whoIs(desktop)).master}`);
    portal.pages.get = async (path) => (path.includes("/current/") ? early : honest(path));
    // Closed over what was due: the head that this device keeps is no larger.
    await sync(desktop.client);
    await disableDevice(desktop.client, "tablet", agreed);
    await sync(desktop.client);
    portal.clock.now += 10_001;
    await assert.rejects(sync(desktop.client), { code: "portal-missing-entry" });
  });

  test("a suspension that the log has and the portal does not show: looked for once an hour, and whenever there are others than before", async () => {
    const { desktop, devices, honest, portal } = await logged();
    await sync(desktop.client);
    const before = await copyOf(portal.store);
    const { tablet } = devices;
    await disableDevice(tablet?.client ?? assert.fail(), "desktop", agreed);
    const hiding = await startPortal("example.com", before, { clock: portal.clock, keys: portal.keys, profile: { logKeys: logKeyTexts(signers) } });
    hiding.pages.get = honest;
    desktop.portal = hiding;
    await sync(desktop.client);
    portal.clock.now += 3_600_000;
    await assert.rejects(sync(desktop.client), { code: "portal-older-profile", message: /a suspension that the portal does not show/ });
    desktop.portal = portal;
    await assert.rejects(sync(desktop.client), { code: "device-disabled" });
  });

  test("what is current of somebody else, and what is none", async () => {
    const { desktop, honest, portal } = await logged();
    const other = (await meshOf(desktop)).id.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
    portal.pages.get = (path) => honest(path.includes("/current/") ? `${logPrefix(signers.origin)}current/personal/${other}` : path);
    await assert.rejects(sync(desktop.client), { code: "portal-false-data" });
    portal.pages.get = async () => new Uint8Array(100);
    await assert.rejects(sync(desktop.client), { code: "portal-false-data" });
  });

  test("a proof that it goes on is withheld, or is none", async () => {
    const { desktop, honest, portal } = await logged();
    portal.clock.now += 60_000;
    await save(desktop, "bank");
    for (const [lie, code] of [[undefined, "portal-false-data"], [new Uint8Array(0), "portal-forked-log"], [utf8("none\n"), "portal-false-data"], [new Uint8Array(1 << 20), "portal-false-data"]] as const) {
      portal.pages.get = async (path) => (path.includes("/consistency/") ? lie : honest(path));
      await assert.rejects(sync(desktop.client), { code });
    }
    portal.pages.get = honest;
    await sync(desktop.client);
  });
});

suite("a portal that says under its identity key that its log is another (log 1.1, 7.3)", () => {
  /** The same portal from now on, with a newer profile that names these logs. */
  async function becomes(portal: TestPortal, version: number, logs: readonly LogSigners[]): Promise<void> {
    const last = logs.at(-1);
    const twin = await startPortal("example.com", portal.store, { clock: portal.clock, keys: portal.keys, profile: { logKeys: logs.flatMap(logKeyTexts), version } });
    Object.assign(portal, { portal: twin.portal });
    portal.pages.get = last === undefined ? async () => undefined : await pagesOf(last === signers ? portal.store : await otherLog(portal, ""), () => portal.clock.now, last);
  }

  test("one without a log begins one: devices that met it before hold it to that from then on", async () => {
    const portal = await startPortal("example.com");
    const { desktop } = await household({}, portal);
    await sync(desktop.client);
    assert.equal(await knownHead(desktop.client), undefined);
    await adopt(portal.store);
    await becomes(portal, 2, [signers]);
    await sync(desktop.client);
    assert.equal((await knownHead(desktop.client))?.origin, signers.origin);
    portal.pages.get = async () => undefined;
    await assert.rejects(sync(desktop.client), { code: "portal-older-log" });
    await becomes(portal, 3, []);
    await assert.rejects(sync(desktop.client), { code: "portal-older-log" });
  });

  test("a later one is followed, and its owner told once; nothing goes back", async () => {
    const { desktop, portal } = await logged();
    const [before, second] = [await knownHead(desktop.client), logSigners("example.com", newLogKeys(), 2)];
    assert.equal(await endedLog(desktop.client), undefined);
    await becomes(portal, 2, [signers, second]);
    await sync(desktop.client);
    assert.equal((await knownHead(desktop.client))?.origin, second.origin);
    const ended = await endedLog(desktop.client);
    assert.deepEqual([ended?.checkpoint !== undefined, ended?.origin, ended?.next, ended?.size !== undefined], [true, before?.origin, second.origin, true]);
    assert.equal(await endedLog(desktop.client), undefined);
    await becomes(portal, 3, [second, signers]);
    await assert.rejects(sync(desktop.client), { code: "portal-older-log" });
  });

  test("the same log with other keys is none that goes on", async () => {
    const { desktop, portal } = await logged();
    await sync(desktop.client);
    await becomes(portal, 2, [logSigners("example.com", newLogKeys(), 1)]);
    await assert.rejects(sync(desktop.client), { code: "portal-forked-log" });
  });

  test("and a log that its profile does not name counts for nothing", async () => {
    const { desktop, portal } = await logged();
    portal.pages.get = await pagesOf(await otherLog(portal, ""), () => portal.clock.now, logSigners("example.com", newLogKeys(), 1));
    await assert.rejects(sync(desktop.client), { code: "portal-false-data" });
  });
});
