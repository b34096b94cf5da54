import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";

import { fromUtf8 } from "../../src/bytes/text.ts";
import { knownHead } from "../../src/client/log-proofs.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { sync } from "../../src/client/sync.ts";
import { logKeyTexts } from "../../src/cli/portal/log-keys.ts";
import type { Code } from "../../src/refusals/codes.ts";
import { leafHash } from "../../src/notary/merkle.ts";
import { sentHash, signReceipt } from "../../src/notary/receipt.ts";
import { openPlace } from "../support/processes.ts";
import { agreed, refused, save, whoIs } from "./household.ts";
import { fillers, leavesIn, logged, type LoggedHousehold, newestPersonal, serves, servesUntold, signers } from "./log-doubles.ts";

const MINUTE = 60_000;

/** How many receipts a device still holds its portal to. */
const promises = ({ desktop }: LoggedHousehold): Promise<number> => desktop.client.rows.read(async (rows) => (await rows.list("receipts", "receipts")).length);

/** The size up to which a device has followed the log. */
const followed = async ({ desktop }: LoggedHousehold): Promise<number> => (await knownHead(desktop.client))?.size ?? assert.fail();

/** The ordinary client's next sync refuses the portal, and anybody who has the log's keys is convinced by the file that it kept, offline and by no home. */
async function convicted(t: TestContext, home: LoggedHousehold, code: Code, kind: string): Promise<void> {
  const { desktop } = home;
  const error = await refused(desktop, () => sync(desktop.client), code);
  assert.match(error.hint ?? "", /What proves it is in number 1; .*`mesh log check-evidence`/);
  const folder = mkdtempSync(join(tmpdir(), "mesh-evidence-"));
  const place = openPlace();
  t.after(() => (rmSync(folder, { recursive: true }), place.close()));
  const file = join(folder, "evidence.json");
  writeFileSync(file, desktop.evidence.at(-1) ?? assert.fail("no evidence was kept"));
  const keys = logKeyTexts(signers).flatMap((one) => ["--key", one]);
  const judged = await place.json<{ kind: string; origin: string; proves: string }>("stranger", ["log", "check-evidence", file, ...keys]);
  assert.deepEqual([judged.kind, judged.origin], [kind, signers.origin]);
  assert.ok(judged.proves.length > 10);
}

/** A household at a portal that signs, for a change that it takes and logs, that the log's first entry is what it did; `sent` is what it says that it was sent. */
async function foisted(sentFor: (sent: Uint8Array) => Uint8Array): Promise<LoggedHousehold> {
  const first = new Uint8Array(32);
  let lies = false;
  const home = await logged((receipts, now) => ({ of: async (recorded, sent) => (lies ? signReceipt({ from: 0, origin: signers.origin, runs: [{ leaves: [first], sent: sentFor(sent) }], time: now() }, signers.note) : receipts.of(recorded, sent)) }));
  await sync(home.desktop.client);
  const [leaf] = await leavesIn(home);
  // What it promises stands there, and is nothing that this device sent.
  first.set(leafHash(leaf ?? assert.fail()));
  lies = true;
  await disableDevice(home.desktop.client, "tablet", agreed);
  return home;
}

suite("a portal whose log gives it away is refused by the next sync, with evidence (log 7)", () => {
  test("an honest one keeps its receipts: they are checked at the next sync and let go of", async () => {
    const home = await logged();
    const { desktop, devices, portal } = home;
    await sync(desktop.client);
    assert.equal(await promises(home), 0);
    await disableDevice(desktop.client, "tablet", agreed);
    assert.ok((await promises(home)) > 0, "something was promised");
    portal.clock.now += MINUTE;
    await sync(desktop.client);
    assert.equal(await promises(home), 0);
    assert.deepEqual([desktop.evidence, devices["tablet"]?.evidence], [[], []]);
  });

  test("a forking one: this device's log goes on to one that others are not shown", async (t) => {
    const home = await logged();
    const leaves = await leavesIn(home);
    await sync(home.desktop.client);
    await serves(home, [...leaves.slice(0, -4), ...fillers(300)]);
    await convicted(t, home, "portal-forked-log", "fork");
  });

  test("a forking one: two logs of one size", async (t) => {
    const home = await logged();
    await sync(home.desktop.client);
    const size = await followed(home);
    await serves(home, [...(await leavesIn(home)).slice(0, size - 3), ...fillers(2)]);
    await convicted(t, home, "portal-forked-log", "fork");
  });

  test("a rewriting one: an old entry is another, and all after it are as they were", async (t) => {
    const home = await logged();
    await sync(home.desktop.client);
    const leaves = await leavesIn(home);
    await serves(home, leaves.with(0, fillers(1)[0] ?? assert.fail()));
    await convicted(t, home, "portal-forked-log", "fork");
  });

  for (const ms of [MINUTE, 500]) {
    test(`a rolled-back one: it closes and signs fewer entries ${ms} ms later`, async (t) => {
      const home = await logged();
      await save(home.desktop, "bank");
      await sync(home.desktop.client);
      const size = await followed(home);
      home.portal.clock.now += ms;
      await serves(home, (await leavesIn(home)).slice(0, size - 4));
      await convicted(t, home, "portal-older-log", "rollback");
    });
  }

  test("a rolled-back one that signs nothing anew is refused, and convicts itself of nothing", async () => {
    const home = await logged();
    const { desktop, honest, portal } = home;
    const early = await honest(`/mesh/1/current/personal/${(await whoIs(desktop)).master}`);
    await save(desktop, "bank");
    await sync(desktop.client);
    portal.pages.get = async (path) => (path.includes("/current/") ? early : honest(path));
    await refused(desktop, () => sync(desktop.client), "portal-older-log");
    assert.deepEqual(desktop.evidence, []);
  });

  test("a withholding one: it signs for a change, and logs something else", async (t) => {
    const home = await logged();
    const { desktop, portal } = home;
    await sync(desktop.client);
    const size = await followed(home);
    await disableDevice(desktop.client, "tablet", agreed);
    portal.clock.now += MINUTE;
    await serves(home, [...(await leavesIn(home)).slice(0, size), ...fillers(20)]);
    await convicted(t, home, "portal-broken-receipt", "broken-receipt");
  });

  test("a withholding one: its log grows, and not so far as it promised", async (t) => {
    const far = 1000;
    let lies = false;
    const home = await logged((receipts, now) => ({ of: async (recorded, sent) => (lies ? signReceipt({ from: far + (recorded[0]?.index ?? 0), origin: signers.origin, runs: [{ leaves: recorded.slice(-24).map(({ leaf }) => leaf), sent }], time: now() }, signers.note) : receipts.of(recorded, sent)) }));
    const { desktop, portal } = home;
    await sync(desktop.client);
    lies = true;
    await disableDevice(desktop.client, "tablet", agreed);
    assert.ok((await promises(home)) > 0);
    portal.clock.now += MINUTE;
    await portal.store.transact((w) => w.append(fillers(1)[0] ?? assert.fail()));
    await convicted(t, home, "portal-missing-entry", "late-receipt");
  });

  test("a withholding one whose log stands still is refused, and convicts itself of nothing", async () => {
    const home = await logged();
    const { desktop, honest, portal } = home;
    await sync(desktop.client);
    const early = await honest(`/mesh/1/current/personal/${(await whoIs(desktop)).master}`);
    await sync(desktop.client);
    portal.pages.get = async (path) => (path.includes("/current/") ? early : honest(path));
    await disableDevice(desktop.client, "tablet", agreed);
    await sync(desktop.client);
    portal.clock.now += 10_001;
    await refused(desktop, () => sync(desktop.client), "portal-missing-entry");
    assert.deepEqual(desktop.evidence, []);
  });

  test("one that signs for another entry than it was sent: its receipt says what that was, and its map what the log has instead", async (t) => {
    const home = await foisted((sent) => sent);
    const { desktop, portal } = home;
    portal.clock.now += MINUTE;
    await convicted(t, home, "portal-wrong-entry", "wrong-entry");
    const { at, kind, sent } = JSON.parse(fromUtf8(desktop.evidence.at(-1) ?? assert.fail())) as { at: number; kind: string; sent: readonly { k?: string }[] };
    assert.deepEqual([kind, sent[at]?.k], ["wrong-entry", "personal"]);
  });

  test("one whose receipt is for something else than it was sent is refused, and convicts itself of nothing: that it was sent it did not sign", async () => {
    const { desktop, portal } = await foisted(() => sentHash([]));
    portal.clock.now += MINUTE;
    await refused(desktop, () => sync(desktop.client), "portal-wrong-entry");
    assert.deepEqual(desktop.evidence, []);
  });

  test("one that was sent a version, and logs nothing of it", async (t) => {
    let lies = false;
    const home = await logged((receipts, now) => ({ of: async (recorded, sent) => (lies ? signReceipt({ from: 0, origin: signers.origin, runs: [{ leaves: [first], sent }], time: now() }, signers.note) : receipts.of(recorded, sent)) }));
    const { desktop, portal } = home;
    await sync(desktop.client);
    const leaves = await leavesIn(home);
    const first = leafHash(leaves[0] ?? assert.fail());
    lies = true;
    await disableDevice(desktop.client, "tablet", agreed);
    portal.clock.now += 1000;
    await serves(home, leaves);
    await convicted(t, home, "portal-wrong-entry", "wrong-entry");
  });

  test("one whose map does not tell of what its log has", async (t) => {
    const home = await logged();
    const { desktop, portal } = home;
    await sync(desktop.client);
    await disableDevice(desktop.client, "tablet", agreed);
    portal.clock.now += 1000;
    const leaves = await leavesIn(home);
    const { master } = await whoIs(desktop);
    await servesUntold(home, master, leaves, newestPersonal(leaves).entry);
    await convicted(t, home, "portal-wrong-map", "wrong-map");
  });
});
