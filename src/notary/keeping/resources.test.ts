import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../../bytes/base64url.ts";
import { utf8 } from "../../bytes/text.ts";
import { sha512 } from "../../crypto/digest.ts";
import type { Digest } from "../../envelope/fields.ts";
import { openMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import { writeEntry } from "../entry.ts";
import { follow, type GetResource } from "../follow.ts";
import { consistencyProof, rootAt } from "../prove.ts";
import { Replay } from "../replay.ts";
import { flipped } from "../test-log.ts";
import { idOf, TestNotary } from "../test-notary.ts";
import { tilePath, type TileReader } from "../tiles.ts";
import { rootOf } from "../tree.ts";
import { verifyConsistency } from "../verify.ts";
import { LogKeeper } from "./log-keeper.ts";
import { record } from "./record.ts";
import { logResource } from "./resources.ts";

const notary = await TestNotary.open();
const policy = notary.policy();
let clock = 1_790_000_000_000;

async function openLog(): Promise<{ readonly store: Store; readonly keeper: LogKeeper; readonly get: GetResource; readonly fill: (from: number, to: number) => Promise<void> }> {
  const store = openMemoryStore();
  const keeper = await LogKeeper.open({ store, origin: notary.origin, signers: notary.signers, now: () => (clock += 250), standingOf: async () => ({}) });
  const object = (person: number) => toBase64url(sha512(utf8(`object ${person}`))) as Digest;
  return {
    store,
    keeper,
    get: async (path) => (await logResource(store, path))?.octets ?? assert.fail(path),
    fill: async (from, to) => {
      await store.transact(async (w) => {
        for (let person = from; person < to; person++) await record(w, [{ object: { id: idOf(person), k: "master", len: 1, n: 1, obj: object(person), v: 1 } }, { object: { g: 1, id: idOf(person), k: "personal", len: 1, n: 1, obj: object(person), v: 1 } }]);
      });
      await keeper.close();
    },
  };
}

suite("what a log serves (C2SP tlog-tiles, log 2.4)", () => {
  test("is enough to make every root, and to follow it from outside while it grows", async () => {
    const { keeper, get, fill } = await openLog();
    const replay = new Replay();
    const asked: string[] = [];
    const counting: GetResource = (path) => {
      asked.push(path);
      return get(path);
    };
    const read: TileReader = (name) => get(tilePath(name));
    for (const [from, to] of [[0, 10], [10, 150], [150, 400], [400, 401]] as const) {
      const before = keeper.tree;
      await fill(from, to);
      const checkpoint = await follow(replay, counting, policy, clock / 1000);
      assert.equal(checkpoint.size, keeper.tree.size);
      assert.deepEqual(await rootAt(read, checkpoint.size), checkpoint.root);
      if (before.size > 0) assert.ok(verifyConsistency(before.size, checkpoint.size, rootOf(before), checkpoint.root, await consistencyProof(read, before.size, checkpoint.size)));
    }
    assert.equal((await follow(replay, counting, policy, clock / 1000)).size, 806);
    assert.deepEqual(asked.filter((path) => path !== "checkpoint"), ["tile/entries/000.p/21", "tile/entries/000", "tile/entries/001.p/46", "tile/entries/001", "tile/entries/002", "tile/entries/003.p/35", "tile/entries/003.p/38"]);
  });

  test("what no checkpoint reaches is not there, nor is any other path; what an earlier one needed still is", async () => {
    const { store, get, fill } = await openLog();
    assert.equal(await logResource(store, "checkpoint"), undefined);
    await fill(0, 150);
    const early = await get("tile/0/001.p/45");
    await store.transact((w) => w.append(writeEntry({ c: toBase64url(new Uint8Array(64)) as Digest, k: "connect", v: 1 })));
    for (const path of ["tile/0/001.p/46", "tile/entries/001.p/46", "tile/0/001", "tile/0/002", "tile/1/000", "tile/1/000.p/2", "tile/2/000.p/1", "", "checkpoint/", "log", "tile/0/000/../000"]) assert.equal(await logResource(store, path), undefined, path);
    assert.deepEqual([(await logResource(store, "checkpoint"))?.keep, (await logResource(store, "tile/1/000.p/1"))?.keep], ["until-changed", "for-ever"]);
    await fill(150, 400);
    assert.deepEqual(await get("tile/0/001.p/45"), early);
    assert.deepEqual((await get("tile/0/001")).subarray(0, 45 * 32), early);
  });
});

suite("following a log (log 8) refuses", () => {
  const cheat = async (change: (path: string, octets: Uint8Array) => Uint8Array, code: string | RegExp): Promise<void> => {
    const { get, fill } = await openLog();
    await fill(0, 150);
    const replay = new Replay();
    await assert.rejects(follow(replay, async (path) => change(path, await get(path)), policy, clock / 1000), typeof code === "string" ? { code } : (error: { code?: string }) => code.test(error.code ?? ""));
  };
  test("a bundle that is longer, shorter or empty", () => cheat((path, octets) => (path === "tile/entries/001.p/45" ? octets.slice(1) : octets), "log-tile-malformed"));
  test("more than an honest log ever sends", () => cheat((path, octets) => (path === "checkpoint" ? octets : new Uint8Array(2_000_000)), "log-tile-malformed"));
  test("an entry with a bit turned", () => cheat((path, octets) => (path === "checkpoint" ? octets : flipped(octets, 8 * 100)), /^(log-|portal-)/));
  test("a checkpoint with a bit turned", () => cheat((path, octets) => (path === "checkpoint" ? flipped(octets, 8 * 30) : octets), /^(log-|note-)/));

  test("entries that are fine by themselves and not those that were signed", async () => {
    const [shown, signed] = [await openLog(), await openLog()];
    await shown.fill(0, 150);
    await signed.fill(1, 151);
    await assert.rejects(follow(new Replay(), (path) => (path === "checkpoint" ? signed : shown).get(path), policy, clock / 1000), { code: "portal-forked-log" });
  });

  test("less than it showed before", async () => {
    const [first, second] = [await openLog(), await openLog()];
    await first.fill(0, 20);
    await second.fill(0, 10);
    const replay = new Replay();
    await follow(replay, first.get, policy, clock / 1000);
    await assert.rejects(follow(replay, second.get, policy, clock / 1000), { code: "portal-older-log" });
  });
});
