import assert from "node:assert/strict";
import { afterEach, before, suite, test } from "node:test";

import { canonicalBytes, type Json } from "../../bytes/canonical-json.ts";
import { utf8 } from "../../bytes/text.ts";
import { makePin } from "../../client/operations/pin.ts";
import { disableDevice, leaveMesh } from "../../client/operations/disable.ts";
import { joinMesh } from "../../client/operations/join.ts";
import { sync } from "../../client/sync.ts";
import { putBlob } from "../../protocol/blobs.ts";
import { digestOf } from "../../envelope/signed.ts";
import { address, deviceOf, household, type Household, names, save, whoIs } from "../../../test/adversary/household.ts";
import type { Entry } from "../../store/store.ts";
import { newDevice } from "../../../test/support/world.ts";
import { parseRow, shelf, type Stamped } from "../records.ts";
import { openAs } from "../test-asking.ts";
import { check } from "./check.ts";
import { type Finding, fingerprintOf, repair, sweep, type Trouble } from "./finding.ts";
import { setQuota } from "./accounts.ts";

/** A mesh in which everything happened that a portal keeps something of. */
async function eventful(): Promise<Household> {
  const alice = await household({ tower: "admin", laptop: "member", tablet: "member" });
  await save(alice.desktop, "mail");
  await save(deviceOf(alice, "laptop"), "bank");
  await leaveMesh(deviceOf(alice, "tablet").client);
  await disableDevice(alice.desktop.client, "tablet");
  await makePin(alice.desktop.client, 3_600_000);
  await joinMesh(newDevice(alice.portal).client, { address, portal: alice.at, deviceName: "waits" });
  const asking = await openAs(alice.desktop);
  await asking.ask(putBlob, { digest: digestOf(utf8("blob")) }, undefined, utf8("blob"));
  for (const device of [alice.desktop, deviceOf(alice, "laptop"), deviceOf(alice, "tower")]) await sync(device.client);
  return alice;
}

async function checked({ portal }: Household) {
  const findings: Finding[] = [];
  const counts = await portal.store.read((r) => check(r, portal.clock.now, (finding) => findings.push(finding)));
  return { ...counts, findings, kinds: [...new Set(findings.map((one) => one.what))].sort() };
}

/** Changes a row, or with `undefined` takes it away. */
async function tamper({ portal: { store } }: Household, on: string, prefix: string, change: (value: Uint8Array) => Uint8Array | undefined): Promise<void> {
  await store.transact(async (w) => {
    const entry = (await w.list(on, prefix)).at(-1);
    assert.ok(entry !== undefined, `${on} ${prefix}`);
    const value = change(entry.value);
    if (value === undefined) await w.remove(on, entry.key);
    else await w.put(on, entry.key, value);
  });
}

/** All rows of a portal. */
async function everything({ portal }: Household): Promise<readonly { readonly on: string; readonly rows: readonly Entry[] }[]> {
  return portal.store.read((r) => Promise.all(Object.values(shelf).map(async (on) => ({ on, rows: await r.list(on, "") }))));
}

async function putBack({ portal }: Household, whole: Awaited<ReturnType<typeof everything>>): Promise<void> {
  await portal.store.transact(async (w) => {
    for (const { on, rows } of whole) {
      for (const { key } of await w.list(on, "")) await w.remove(on, key);
      for (const { key, value } of rows) await w.put(on, key, value);
    }
  });
}

const edited = (members: object) => (value: Uint8Array) => canonicalBytes({ ...parseRow<object>(value), ...members } as Json);
const flippedAt = (at: number) => (value: Uint8Array) => value.with(at < 0 ? value.length + at : at, value.at(at) === 0x41 ? 0x42 : 0x41);
const gone = (): undefined => undefined;

suite("portal check", () => {
  let alice: Household;
  let whole: Awaited<ReturnType<typeof everything>>;
  before(async () => {
    alice = await eventful();
    whole = await everything(alice);
  });
  afterEach(() => putBack(alice, whole));

  test("finds nothing at an honest portal after all that can happen to a mesh, and room used is what is there", async () => {
    const { findings, accounts, commits, sessions } = await checked(alice);
    assert.deepEqual(findings, []);
    assert.ok(accounts === 1 && commits > 12 && sessions > 3);
    await setQuota(alice.portal.store, address, 1 << 30);
    assert.deepEqual((await checked(alice)).findings, []);
  });

  test("what follows from the rest is found, made anew octet for octet, and found no more", async () => {
    const { master } = await whoIs(alice.desktop);
    const { store } = alice.portal;
    const cases: readonly [string, string, string, (value: Uint8Array) => Uint8Array | undefined][] = [
      ["counts-wrong", shelf.meshes, "", edited({ octets: 5 })],
      ["counts-wrong", shelf.meshes, "", edited({ n: 1 })],
      ["head-wrong", shelf.chains, master, edited({ holders: [] })],
      ["head-wrong", shelf.chains, master, edited({ index: 1 })],
      ["head-wrong", shelf.chains, master, gone],
      ["copy-wrong", shelf.masters, master, edited({ roster: {} })],
      ["copy-wrong", shelf.applications, master, edited({ version: 7 })],
      ["copy-wrong", shelf.puts, master, edited({ size: 1 })],
      ["name-wrong", shelf.accounts, "", gone],
      ["name-wrong", shelf.accounts, "", edited({ closes: 7 })],
      ["request-stray", shelf.requesters, master, gone],
      ["request-stray", shelf.requesters, master, edited({ device: "x" })],
      ["session-stray", shelf.openings, master, gone],
      ["session-stray", shelf.openings, master, edited({ opened: 1 })],
    ];
    for (const [what, on, prefix, change] of cases) {
      const before = await store.read((r) => r.list(on, prefix));
      await tamper(alice, on, prefix, change);
      const { findings, kinds } = await checked(alice);
      assert.deepEqual(kinds, [what]);
      assert.ok(findings.every((one) => one.repairs.length > 0));
      assert.ok((await repair(store, findings.flatMap((one) => one.repairs))).every(Boolean));
      assert.deepEqual((await checked(alice)).findings, [], what);
      if (on !== shelf.meshes) assert.deepEqual(await store.read((r) => r.list(on, prefix)), before);
    }
  });

  test("a name that leads nowhere, a session of nobody and an answer without one are taken away", async () => {
    const { store } = alice.portal;
    await store.transact(async (w) => {
      await w.put(shelf.accounts, "bob@example.com", canonicalBytes({ master: "M" }));
      await w.put(shelf.sessions, "x", canonicalBytes({ master: "M", device: "M", opened: 1, used: true }));
      await w.put(shelf.answers, "y/000000000001", canonicalBytes({ body: "", mac: "", status: 200 }));
    });
    const { findings, kinds } = await checked(alice);
    assert.deepEqual(kinds, ["name-wrong", "session-stray"]);
    assert.equal(findings.length, 3);
    await repair(store, findings.flatMap((one) => one.repairs));
    assert.deepEqual((await checked(alice)).findings, []);
  });

  test("what is lost or false is named and has no repair: no signed object, ciphertext or row of one is made up", async () => {
    const { master } = await whoIs(alice.desktop);
    const [commit] = await alice.portal.store.read(async (r) => (await r.list(shelf.commits, `${master}/`, { reverse: true, limit: 1 })).map(({ value }) => parseRow<Stamped>(value).digest));
    assert.ok(commit !== undefined);
    const cases: readonly [Trouble, string, string, (value: Uint8Array) => Uint8Array | undefined][] = [
      ["object-false", shelf.objects, commit, flippedAt(-100)],
      ["object-damaged", shelf.objects, commit, flippedAt(20)],
      ["object-damaged", shelf.objects, commit, gone],
      ["body-damaged", shelf.bodies, "", flippedAt(0)],
      ["body-damaged", shelf.bodies, "", gone],
      ["body-damaged", shelf.blobs, master, flippedAt(0)],
      ["rows-missing", shelf.personals, master, gone],
      ["object-false", shelf.masters, master, gone],
      ["rows-missing", shelf.commits, master, gone],
      ["object-false", shelf.suspensions, master, gone],
      ["row-malformed", shelf.commits, master, () => utf8("{")],
      ["row-malformed", shelf.meshes, master, () => utf8("{")],
    ];
    for (const [what, on, prefix, change] of cases) {
      await tamper(alice, on, prefix, change);
      const { findings, kinds } = await checked(alice);
      assert.ok(kinds.includes(what), `${what} on ${on}: ${kinds.join(", ")}`);
      assert.deepEqual(findings.filter((one) => one.what === what && one.repairs.length > 0), []);
      await putBack(alice, whole);
    }
    assert.deepEqual((await checked(alice)).findings, []);
  });

  test("a repair is made only while its row is what was found; what nobody uses goes only while nothing changes", async () => {
    const { store } = alice.portal;
    await tamper(alice, shelf.meshes, "", edited({ octets: 5 }));
    const { findings } = await checked(alice);
    await save(alice.desktop, "meanwhile");
    assert.deepEqual(await repair(store, findings.flatMap((one) => one.repairs)), [false]);
    await repair(store, (await checked(alice)).findings.flatMap((one) => one.repairs));
    await store.transact((w) => w.put(shelf.bodies, "nobody's", utf8("x")));
    const { unused } = await checked(alice);
    assert.ok(unused.some((one) => one.key === "nobody's"));
    const fingerprint = await store.read(fingerprintOf);
    await save(alice.desktop, "and again");
    assert.equal(await sweep(store, unused, fingerprint), 0);
    assert.equal(await sweep(store, unused, await store.read(fingerprintOf)), unused.length);
    assert.deepEqual((await checked(alice)).unused, []);
    for (const name of ["laptop", "tower"]) await sync(deviceOf(alice, name).client);
    assert.deepEqual(await names(deviceOf(alice, "laptop")), ["and again", "bank", "mail", "meanwhile"]);
  });
});
