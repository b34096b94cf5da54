import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";

import { openMemoryStore } from "../../store/memory.ts";
import { openSqliteStore } from "../../store/sqlite.ts";
import type { Store } from "../../store/store.ts";
import { readEntry } from "../entry.ts";
import { leafHash } from "../merkle.ts";
import { inclusionProof } from "../prove.ts";
import { idOf } from "../test-notary.ts";
import { partialTiles, tileAt } from "../tiles.ts";
import { rootOf } from "../tree.ts";
import { verifyInclusion } from "../verify.ts";
import { LogKeeper } from "./log-keeper.ts";
import { markDue, newestIn, record } from "./record.ts";
import { signedSize } from "./resources.ts";
import { logShelf, tilesIn } from "./rows.ts";
import { create, judge, master, next, partsOn, personal, Signed } from "./test-keeping.ts";

async function memory(): Promise<() => Promise<Store>> {
  const store = openMemoryStore();
  return async () => store;
}

async function sqlite(t: TestContext): Promise<() => Promise<Store>> {
  const folder = mkdtempSync(join(tmpdir(), "mesh-log-"));
  const opened: Store[] = [];
  t.after(async () => {
    for (const store of opened) await store.close();
    rmSync(folder, { recursive: true });
  });
  return async () => {
    const store = await openSqliteStore(join(folder, "log.db"));
    opened.push(store);
    return store;
  };
}

for (const [name, engine] of Object.entries({ memory, sqlite })) {
  suite(`a log kept in ${name} (log 10)`, () => {
    test("goes on after every restart, with the map saved or not, and its proofs hold", async (t) => {
      const open = await engine(t);
      const signed = new Signed();
      for (let life = 0; life < 5; life++) {
        const store = await open();
        const keeper = await LogKeeper.open(partsOn(store, signed));
        const before = keeper.checkpoint;
        assert.equal(await keeper.close(), false, "nothing was appended");
        assert.equal(keeper.checkpoint, before);
        for (let person = 1; person <= 60; person++) await (life === 0 ? create(store, person) : next(store, person, life + 1));
        assert.equal(await keeper.close(), true);
        for (let person = 1; person <= 30; person++) await store.transact((w) => record(w, [{ seal: "connect", of: idOf(person), content: { life } }]));
        assert.equal(await keeper.close(), true);
        await judge(store, keeper, signed);
        if (life % 2 === 1) await keeper.save();
      }
      const store = await open();
      const keeper = await LogKeeper.open(partsOn(store));
      for (const tile of [...partialTiles(keeper.tree.size), tileAt(keeper.tree.size, 0, 0)]) assert.equal((await store.read((r) => tilesIn(r)(tile))).length, tile.width * 32);
      const leaf = leafHash((await store.read((r) => r.leaves(77, 1)))[0] ?? assert.fail());
      const proof = await store.read((r) => inclusionProof(tilesIn(r), 77, keeper.tree.size));
      assert.ok(verifyInclusion(leaf, 77, keeper.tree.size, rootOf(keeper.tree), proof));
    });

    test("one entry tells of all that a mesh wrote to its catalogs in an epoch, and not of which mesh", async (t) => {
      const store = await (await engine(t))();
      const keeper = await LogKeeper.open(partsOn(store));
      await create(store, 1);
      for (const mesh of ["a", "b", "a"]) await store.transact((w) => markDue(w, mesh));
      await keeper.close();
      const entries = await store.read((r) => r.leaves(0));
      assert.deepEqual(entries.map((entry) => readEntry(entry).k), ["account", "master", "personal", "catalogs", "catalogs", "epoch"]);
      assert.equal(await keeper.close(), false);
      const seals = await store.read((r) => r.list(logShelf.seals, ""));
      assert.deepEqual(seals.map(({ key }) => key.split("/")[0]).sort(), [idOf(1), "a", "b"].sort());
    });

    test("what it has already it does not take again", async (t) => {
      const store = await (await engine(t))();
      const keeper = await LogKeeper.open(partsOn(store));
      await create(store, 1);
      await keeper.close();
      await keeper.save();
      assert.deepEqual((await create(store, 1, "again")).map(({ index }) => index), [4], "the sealed entry alone");
      assert.deepEqual((await next(store, 1, 2)).map(({ index }) => index), [5]);
    });

    test("two processes close epochs by turns and at once: one log, and nothing signed that is not of it", async (t) => {
      const open = await engine(t);
      const signed = new Signed();
      const stores = [await open(), await open()] as const;
      const keepers = [await LogKeeper.open(partsOn(stores[0], signed)), await LogKeeper.open(partsOn(stores[1], signed))] as const;
      for (let person = 1; person <= 3; person++) await create(stores[0], person);
      for (let n = 2; n <= 9; n++) {
        for (let person = 1; person <= 3; person++) await next(stores[n % 2 === 0 ? 0 : 1], person, n);
        await Promise.all(keepers.map((keeper) => keeper.close()));
        if (n % 3 === 0) await keepers[0].close();
      }
      await next(stores[0], 1, 10);
      await keepers[1].close();
      for (const [at, keeper] of keepers.entries()) {
        assert.equal(await keeper.close(), false);
        await judge(stores[at as 0 | 1], keeper, signed);
      }
    });

    test("a process that another is always quicker than has closed what it was asked to", async (t) => {
      const open = await engine(t);
      const signed = new Signed();
      const stores = [await open(), await open()] as const;
      const quick = await LogKeeper.open(partsOn(stores[0], signed));
      let n = 1;
      const late: Store = {
        close: () => stores[1].close(),
        read: (work) => stores[1].read(work),
        transact: async (work) => {
          await next(stores[0], 1, ++n);
          await quick.close();
          return stores[1].transact(work);
        },
      };
      await create(stores[0], 1);
      const slow = await LogKeeper.open(partsOn(late, signed));
      const { length } = await stores[0].read((r) => r.leaves(0));
      assert.equal(await slow.close(), false);
      assert.ok(slow.tree.size > length);
      await judge(stores[1], slow, signed);
    });

    test("what one process closed, another proves, writes out and, if the first died of it, signs, although it closed nothing itself", async (t) => {
      const open = await engine(t);
      const signed = new Signed();
      const stores = [await open(), await open()] as const;
      const [first, other] = [await LogKeeper.open(partsOn(stores[0], signed)), await LogKeeper.open(partsOn(stores[1], signed))] as const;
      await create(stores[0], 1);
      await first.close();
      await judge(stores[1], other, signed);
      assert.equal(other.tree.size, first.tree.size, "nobody who saw the head of one is shown an earlier one by the other");
      await next(stores[0], 1, 2);
      await first.close();
      await other.save();
      assert.equal((await stores[1].read((r) => newestIn(r, { kind: "personal", id: idOf(1) })))?.n, 2);
      const { signers, ...parts } = partsOn(stores[0], signed);
      const dying = await LogKeeper.open({ ...parts, signers: signers.map(({ key }) => ({ key, sign: () => Promise.reject(new Error("gone")) })) });
      await next(stores[0], 1, 3);
      await assert.rejects(dying.close(), /gone/);
      assert.equal(await other.isDue(), true);
      assert.equal(await other.close(), false);
      assert.equal(await other.isDue(), false);
      assert.equal(await stores[1].read(signedSize), (await stores[1].read((r) => r.leaves(0))).length);
      await judge(stores[1], other, signed);
    });
  });
}

suite("the rows of the map (log 10.2)", () => {
  test("rows of the map are written for twenty thousand at once, and the log goes on from them", { timeout: 120_000 }, async (t) => {
    const open = await sqlite(t);
    const signed = new Signed();
    const first = await open();
    const keeper = await LogKeeper.open(partsOn(first, signed));
    const rows = async (store: Store) => (await store.read((r) => r.list(logShelf.map, "", { limit: 30_000 }))).length;
    const fill = async (from: number, to: number): Promise<void> => {
      await first.transact(async (w) => {
        for (let person = from; person < to; person++) await record(w, [{ object: master(person) }, { object: personal(person, 1) }]);
      });
      await keeper.close();
    };
    await fill(1, 9000);
    assert.equal(await rows(first), 0);
    await fill(9000, 10_101);
    assert.equal(await rows(first), 20_200);
    await fill(10_101, 10_201);
    await next(first, 2, 2);
    await keeper.close();
    assert.equal(await rows(first), 20_200);
    const second = await open();
    const again = await LogKeeper.open(partsOn(second, signed));
    await again.save();
    assert.equal(await rows(second), 20_400);
    await next(second, 3, 2);
    await again.close();
    await judge(second, await LogKeeper.open(partsOn(second, signed)), signed);
  });
});
