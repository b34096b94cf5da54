import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../../bytes/base64url.ts";
import { utf8 } from "../../bytes/text.ts";
import { sha512 } from "../../crypto/digest.ts";
import type { Digest } from "../../envelope/fields.ts";
import { openMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import { writeBundle } from "../bundles.ts";
import { writeCheckpoint } from "../checkpoint.ts";
import { signNote } from "../cosignature.ts";
import { writeEntry } from "../entry.ts";
import { checkEvidence, type Evidence, readEvidence, writeEvidence } from "../evidence.ts";
import type { GetResource } from "../follow.ts";
import { LogKeeper } from "../keeping/log-keeper.ts";
import { record } from "../keeping/record.ts";
import { logResource } from "../keeping/resources.ts";
import { leafHash } from "../merkle.ts";
import { writeNote } from "../note.ts";
import { sentHash, signReceipt } from "../receipt.ts";
import { idOf, TestNotary } from "../test-notary.ts";
import { parseTilePath } from "../tiles.ts";
import { rootOf } from "../tree.ts";
import { Caught, Monitor } from "./monitor.ts";
import { holdToReceipt } from "./promised.ts";

const notary = await TestNotary.open();
const policy = notary.policy();
let clock = 1_790_000_000_000;

type Log = { readonly get: GetResource; readonly fill: (from: number, to: number, salt?: string) => Promise<void>; readonly store: Store };

/** A log of the one notary; two of them are a fork. */
async function openLog(): Promise<Log> {
  const store = openMemoryStore();
  const keeper = await LogKeeper.open({ store, origin: notary.origin, signers: notary.signers, now: () => (clock += 2000), standingOf: async () => ({}) });
  return {
    store,
    get: async (path) => (await logResource(store, path))?.octets ?? assert.fail(path),
    fill: async (from, to, salt = "") => {
      const object = (person: number): Digest => toBase64url(sha512(utf8(`object ${person}${salt}`))) as Digest;
      await store.transact(async (w) => {
        for (let person = from; person < to; person++) await record(w, [{ object: { id: idOf(person), k: "master", len: 1, n: 1, obj: object(person), v: 1 } }, { object: { g: 1, id: idOf(person), k: "personal", len: 1, n: 1, obj: object(person), v: 1 } }]);
      });
      await keeper.close();
    },
  };
}

async function look(kept: Store, get: GetResource): Promise<number> {
  const monitor = await Monitor.open(kept, policy);
  const { size } = await monitor.follow(get, clock / 1000);
  await monitor.save();
  return size;
}

/** Demands that a log is caught, and that what proves it is proof to whoever has its keys alone. */
async function isCaught(kept: Store, get: GetResource, code: string, kind: string | undefined): Promise<void> {
  await assert.rejects(look(kept, get), (error: unknown) => {
    assert.ok(error instanceof Caught, String(error));
    assert.deepEqual([error.code, error.evidence?.kind], [code, kind]);
    if (error.evidence !== undefined) checkEvidence(readEvidence(writeEvidence(error.evidence)), policy.origin, policy.logKeys);
    return true;
  });
}

suite("a monitor (log 8)", () => {
  test("follows a log while it grows, and goes on from what it keeps", async () => {
    const [kept, { fill, get }] = [openMemoryStore(), await openLog()];
    for (const [from, to, size] of [[0, 10, 21], [10, 150, 302], [150, 2300, 4603], [2300, 2301, 4606]] as const) {
      await fill(from, to);
      assert.equal(await look(kept, get), size);
    }
    assert.equal(await look(kept, get), 4606);
  });

  test("goes on where it was cut off amid a long log, and with a map that was not saved", async () => {
    const [kept, { fill, get }] = [openMemoryStore(), await openLog()];
    await fill(0, 2300);
    await assert.rejects(look(kept, (path) => (path.startsWith("tile/entries/017") ? Promise.reject(new Error("cut off")) : get(path))), /cut off/);
    const monitor = await Monitor.open(kept, policy);
    assert.equal(monitor.size, 4096);
    assert.equal((await monitor.follow(get, clock / 1000)).size, 4601);
    assert.equal((await Monitor.open(kept, policy)).size, 4601);
  });

  test("catches a fork: larger, as large, and smaller", async () => {
    for (const people of [30, 12, 5]) {
      const [kept, honest, other] = [openMemoryStore(), await openLog(), await openLog()];
      await honest.fill(0, 12);
      await look(kept, honest.get);
      await other.fill(0, people, "other");
      await isCaught(kept, other.get, "portal-forked-log", "fork");
      // What it had is what it has: the honest one goes on.
      await honest.fill(12, 20);
      assert.equal(await look(kept, honest.get), 42);
    }
  });

  test("catches one that goes back, with proof if it signed that afterwards", async () => {
    const [kept, { fill, get }] = [openMemoryStore(), await openLog()];
    await fill(0, 5);
    const early = new Map(await Promise.all(["checkpoint", "tile/entries/000.p/11", "tile/0/000.p/11"].map(async (path) => [path, await get(path)] as const)));
    const small = await Monitor.open(openMemoryStore(), policy);
    const { extensions, origin, root, size } = await small.follow(get, clock / 1000);
    await fill(5, 40);
    await look(kept, get);
    await isCaught(kept, async (path) => early.get(path) ?? assert.fail(path), "portal-older-log", undefined);
    const text = writeCheckpoint({ extensions, origin, root, size });
    const again = writeNote({ text, signatures: await Promise.all(notary.signers.map((one) => signNote(one, text, clock / 1000 + 60))) });
    await isCaught(kept, async (path) => (path === "checkpoint" ? again : (early.get(path) ?? assert.fail(path))), "portal-older-log", "rollback");
  });

  test("catches entries that are not under the checkpoint, and keeps none of them", async () => {
    const [kept, honest, other] = [openMemoryStore(), await openLog(), await openLog()];
    await honest.fill(0, 12);
    await other.fill(0, 12, "other");
    await isCaught(kept, (path) => (path.startsWith("tile/entries/") ? other : honest).get(path), "portal-forked-log", undefined);
    assert.equal((await Monitor.open(kept, policy)).size, 0);
  });

  const entry = (members: string): Uint8Array => utf8(`{${members}}`);
  const [one, far] = ["A".repeat(86), `${"A".repeat(85)}g`];
  for (const [why, code, kind, spoil] of [
    ["a Master Profile without its Personal Profile", "portal-wrong-entry", "broken-rules", (log: TestNotary) => log.add(entry(`"id":"${idOf(9)}","k":"master","len":1,"n":1,"obj":"${one}","v":1`))],
    ["a version that follows none", "portal-wrong-entry", "broken-rules", (log: TestNotary) => log.add(entry(`"g":1,"id":"${idOf(1)}","k":"personal","len":1,"n":2,"obj":"${one}","v":1`))],
    ["a version under another Master Profile", "portal-wrong-entry", "broken-rules", (log: TestNotary) => log.add(entry(`"g":2,"id":"${idOf(1)}","k":"personal","len":1,"n":1,"obj":"${one}","v":1`))],
    ["a Master Profile that skips one", "portal-wrong-entry", "broken-rules", (log: TestNotary) => log.add(entry(`"id":"${idOf(1)}","k":"master","len":1,"n":3,"obj":"${one}","prev":"${far}","v":1`))],
    ["what is no entry", "portal-wrong-entry", "broken-rules", (log: TestNotary) => log.add(utf8("{}"))],
    ["an epoch that goes back", "portal-wrong-entry", "broken-rules", (log: TestNotary) => log.add(entry(`"k":"epoch","map":"${"A".repeat(43)}","n":1,"t":1,"v":1`))],
    ["a map that its entries do not make", "portal-wrong-map", "broken-rules", (log: TestNotary) => log.add(entry(`"k":"epoch","map":"${"A".repeat(43)}","n":2,"t":1800000000000,"v":1`))],
  ] as const) {
    // In a log of several tiles it is the same.
    for (const people of ["a version that follows none", "a map that its entries do not make"].includes(why) ? [1, 300] : [1]) {
      test(`catches ${why} among those of ${people}`, async () => {
        const log = await TestNotary.open();
        for (let person = 1; person <= people; person++) log.create(idOf(person));
        const { epoch } = (await log.close(1_790_000_000), log.closed);
        log.personal(idOf(1));
        spoil(log);
        log.add(writeEntry({ ...epoch, n: 2, t: epoch.t + 1 }));
        const text = writeCheckpoint({ extensions: [], origin: log.origin, root: rootOf(log.log.tree), size: log.size });
        const checkpoint = writeNote({ text, signatures: await Promise.all(log.signers.map((each) => signNote(each, text, 1_790_000_001))) });
        const monitor = await Monitor.open(openMemoryStore(), log.policy());
        const get: GetResource = async (path) => {
          if (path === "checkpoint") return checkpoint;
          const found = parseTilePath(path) ?? assert.fail(path);
          return found.kind === "tile" ? log.log.read(found.name) : writeBundle(log.entries.slice(found.name.index * 256, found.name.index * 256 + found.name.width));
        };
        await assert.rejects(monitor.follow(get, 1_790_000_001), (error: unknown) => {
          assert.ok(error instanceof Caught, String(error));
          assert.deepEqual([error.code, error.evidence?.kind], [code, kind]);
          if (error.evidence?.kind !== "broken-rules") return true;
          const judge = (evidence: Evidence) => checkEvidence(readEvidence(writeEvidence(evidence)), log.origin, log.policy().logKeys);
          judge(error.evidence);
          const innocent = (others: Partial<typeof error.evidence>) => assert.throws(() => judge({ ...(error.evidence as Evidence & { kind: "broken-rules" }), ...others }), { code: "log-evidence-false" });
          // Without the last, shown from elsewhere, or beside a map that is none.
          innocent({ entries: error.evidence.entries.slice(0, -1) });
          innocent({ from: error.evidence.from + 1 });
          innocent({ ways: ["AA", "AA"] });
          return true;
        });
      });
    }
  }

  test("catches one that does not have what it promised, with proof", async () => {
    const [kept, { fill, get, store }] = [openMemoryStore(), await openLog()];
    await fill(0, 12);
    const monitor = await Monitor.open(kept, policy);
    const checkpoint = await monitor.follow(get, clock / 1000);
    const leaves = (await store.read((r) => r.leaves(20, 4))).map(leafHash);
    const time = clock - 60_000;
    const promise = (from: number): Promise<Uint8Array> => signReceipt({ origin: notary.origin, from, runs: [{ leaves, sent: sentHash([]) }], time }, notary.signers[0]);
    await holdToReceipt(kept, policy, checkpoint, await promise(20), clock);
    await holdToReceipt(kept, policy, checkpoint, await promise(25), time + 10_000);
    for (const [from, code, kind] of [[19, "portal-broken-receipt", "broken-receipt"], [25, "portal-missing-entry", "late-receipt"]] as const) {
      await assert.rejects(holdToReceipt(kept, policy, checkpoint, await promise(from), clock), (error: unknown) => {
        assert.ok(error instanceof Caught && error.evidence !== undefined);
        checkEvidence(readEvidence(writeEvidence(error.evidence)), policy.origin, policy.logKeys);
        assert.deepEqual([error.code, error.evidence.kind], [code, kind]);
        return true;
      });
    }
  });

  test("takes no other log for its own, and no page beyond its size", async () => {
    const [kept, { fill, get }] = [openMemoryStore(), await openLog()];
    await fill(0, 3);
    await look(kept, get);
    await assert.rejects(Monitor.open(kept, { ...policy, origin: "portal.example/mesh/2" }), { code: "log-wrong-origin" });
    await assert.rejects(look(openMemoryStore(), async (path) => (path === "checkpoint" ? get(path) : new Uint8Array(2 << 20))), { code: "log-tile-malformed" });
    for (const bundle of [new Uint8Array(0), utf8("\xff\xff"), new Uint8Array(1000)]) await assert.rejects(look(openMemoryStore(), async (path) => (path === "checkpoint" ? get(path) : bundle)), (error: { code?: string }) => /^(log-tile-malformed|portal-forked-log)$/.test(error.code ?? ""));
  });
});
