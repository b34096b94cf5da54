import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { logKeyTexts, logSigners, newLogKeys } from "../cli/portal/log-keys.ts";
import { LogKeeper } from "../notary/keeping/log-keeper.ts";
import { record } from "../notary/keeping/record.ts";
import { adopt } from "../portal/adopt.ts";
import { logPage, logPrefix } from "../portal/log-pages.ts";
import { standingOf } from "../portal/logged.ts";
import { shelf } from "../portal/records.ts";
import { openMemoryStore } from "../store/memory.ts";
import type { Store } from "../store/store.ts";
import { agreed, type Household, household, meshOf, save, whoIs } from "../../test/adversary/household.ts";
import { startPortal, type TestPortal } from "../../test/support/world.ts";
import { disableDevice } from "./operations/disable.ts";
import { sync } from "./sync.ts";

const signers = logSigners("example.com", newLogKeys());

/** What a log over a store serves, closed anew for each request. */
async function pagesOf(store: Store, now: () => number): Promise<(path: string) => Promise<Uint8Array | undefined>> {
  const keeper = await LogKeeper.open({ store, origin: signers.origin, signers: [signers.note, signers.subtree], now, standingOf });
  return async (path) => {
    await keeper.close();
    return (await logPage(store, keeper, path.slice(logPrefix(signers.origin).length)))?.octets;
  };
}

/** A household at a portal that has a log, and what that serves. */
async function logged(): Promise<Household & { readonly honest: (path: string) => Promise<Uint8Array | undefined> }> {
  const portal = await startPortal("example.com", openMemoryStore(), { profile: { logKeys: logKeyTexts(signers) } });
  const honest = await pagesOf(portal.store, () => portal.clock.now);
  portal.pages.get = honest;
  return { ...(await household({ tablet: "member" }, portal)), honest };
}

/** Another log of the same portal: what it holds, told at once, and more entries than it had. */
async function otherLog({ store }: TestPortal, id: string): Promise<Store> {
  const other = openMemoryStore();
  for (const one of Object.values(shelf)) {
    const rows = await store.read((r) => r.list(one, ""));
    await other.transact(async (w) => {
      for (const { key, value } of rows) await w.put(one, key, value);
    });
  }
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

  test("what is current of somebody else, and what is none", async () => {
    const { desktop, honest, portal } = await logged();
    const other = (await meshOf(desktop)).id.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
    portal.pages.get = (path) => honest(path.includes("/current/") ? `${logPrefix(signers.origin)}current/personal/${other}` : path);
    await assert.rejects(sync(desktop.client), { code: "portal-false-data" });
    portal.pages.get = async () => new Uint8Array(100);
    await assert.rejects(sync(desktop.client), { code: "portal-false-data" });
  });

  test("tiles that are withheld", async () => {
    const { desktop, honest, portal } = await logged();
    portal.clock.now += 60_000;
    await save(desktop, "bank");
    portal.pages.get = async (path) => (path.includes("/tile/") ? undefined : honest(path));
    await assert.rejects(sync(desktop.client), { code: "portal-false-data" });
  });
});
