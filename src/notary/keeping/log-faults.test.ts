import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../../bytes/base64url.ts";
import { utf8 } from "../../bytes/text.ts";
import { isLong } from "../../../test/support/long.ts";
import { withFaults } from "../../store/faults.ts";
import { openMemoryDepot } from "../../store/memory-depot.ts";
import { openMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import { withDepot } from "../../store/with-depot.ts";
import { mapKey } from "../map.ts";
import { leafHash } from "../merkle.ts";
import { rootAt } from "../prove.ts";
import { idOf } from "../test-notary.ts";
import { EMPTY_TREE, integrate, rootOf } from "../tree.ts";
import { LogKeeper } from "./log-keeper.ts";
import { markDue, record } from "./record.ts";
import { logShelf, tilesIn } from "./rows.ts";
import { create, judge, master, next, partsOn, personal, Signed } from "./test-keeping.ts";

suite("a log whose storage fails (log 10)", () => {
  /** What somebody does with a log, a step at a time, each as often as it takes. */
  async function live(store: Store, signed: Signed): Promise<LogKeeper> {
    const keeper = await LogKeeper.open(partsOn(store, signed));
    for (let person = 1; person <= 3; person++) await create(store, person);
    await keeper.close();
    await store.transact((w) => markDue(w, idOf(1)));
    for (let person = 1; person <= 3; person++) await next(store, person, 2);
    await keeper.close();
    await keeper.save();
    await next(store, 2, 3);
    await keeper.close();
    return keeper;
  }

  test("at any call, for once or for good, before or after: log, map and signatures agree when it is opened again", async () => {
    const counting = withFaults(openMemoryStore());
    await live(counting.store, new Signed());
    const calls = counting.calls();
    assert.ok(calls > 60, String(calls));
    let survived = 0;
    for (let call = 1; call <= calls; call++) {
      for (const when of ["before", "after"] as const) {
        const [store, signed] = [openMemoryStore(), new Signed()];
        const faults = withFaults(store);
        faults.arm({ call, when, fatal: call % 3 === 0 });
        await live(faults.store, signed).catch(() => {});
        faults.arm(undefined);
        const keeper = await LogKeeper.open(partsOn(store, signed));
        // What was not done is done now, and what was is passed over.
        for (let person = 1; person <= 3; person++) await create(store, person);
        await keeper.close();
        for (let person = 1; person <= 3; person++) await next(store, person, 2);
        await keeper.close();
        await judge(store, keeper, signed);
        survived++;
      }
    }
    assert.equal(survived, 2 * calls);
  });

  test("at any call of the store or of the depot in which its tiles are: the same, where a tile becomes full", async () => {
    /** One that is short of its first tile by less than what comes. */
    const begin = async (signed: Signed) => {
      const [rows, depot] = [openMemoryStore(), openMemoryDepot()];
      const plain = withDepot(rows, depot, new Set([logShelf.tiles]));
      const keeper = await LogKeeper.open(partsOn(plain, signed));
      await plain.transact(async (w) => {
        for (let person = 4; person < 86; person++) await record(w, [{ seal: "account", of: idOf(person), content: { person } }, { object: master(person) }, { object: personal(person, 1) }]);
      });
      await keeper.close();
      const faults = withFaults(rows);
      return { depot, faults, faulty: withDepot(faults.store, faults.depot(depot), new Set([logShelf.tiles])), plain };
    };
    const counting = await begin(new Signed());
    let put = 0;
    const through = counting.depot.put;
    counting.depot.put = (name, octets) => ((put = counting.faults.calls()), through(name, octets));
    await live(counting.faulty, new Signed());
    const calls = counting.faults.calls();
    assert.equal((await Array.fromAsync(counting.depot.list())).length, 1, "a tile became full");
    for (let call = 1; call <= calls; call++) {
      // Each run begins with half a tile of entries: in a share of them those about the tile, and some of the others.
      if (!isLong && Math.abs(call - put) > 1 && call % 16 !== 0) continue;
      for (const when of ["before", "after"] as const) {
        const signed = new Signed();
        const { faults, faulty, plain } = await begin(signed);
        faults.arm({ call, when, fatal: call % 2 === 0 });
        await live(faulty, signed).catch(() => {});
        const keeper = await LogKeeper.open(partsOn(plain, signed));
        for (let person = 1; person <= 3; person++) await create(plain, person);
        await keeper.close();
        for (let person = 1; person <= 3; person++) await next(plain, person, 2);
        await keeper.close();
        await judge(plain, keeper, signed);
        assert.deepEqual(await plain.read((r) => rootAt(tilesIn(r), 256)), rootOf(integrate(EMPTY_TREE, (await plain.read((r) => r.leaves(0, 256))).map(leafHash)).tree), "the tile is that of its entries");
      }
    }
  });

  test("a keeper whose commit failed goes on itself, whether it was written or not", async () => {
    for (const when of ["before", "after"] as const) {
      const [store, signed] = [openMemoryStore(), new Signed()];
      const faults = withFaults(store);
      const keeper = await LogKeeper.open(partsOn(faults.store, signed));
      for (let person = 1; person <= 3; person++) await create(store, person);
      await keeper.close();
      for (let call = 1; call <= 12; call++) {
        await next(store, 2, call + 1);
        faults.arm({ call, when, fatal: false });
        await keeper.close().catch(() => {});
        faults.arm(undefined);
        // What it says before it closes another holds, too.
        await judge(store, keeper, signed);
        await keeper.close();
        await judge(store, keeper, signed);
      }
    }
  });

  test("a head, an entry, a row of the map or a tile that was changed is found, and nothing is signed", async () => {
    const changes: Readonly<Record<string, (store: Store) => Promise<void>>> = {
      "the head's root": (store) => store.transact((w) => w.put(logShelf.log, "head", utf8(`{"epoch":1,"root":"${toBase64url(new Uint8Array(32))}","size":10,"time":1}`))),
      "the head's size": (store) => store.transact((w) => w.put(logShelf.log, "head", utf8(`{"epoch":1,"root":"${toBase64url(new Uint8Array(32))}","size":9,"time":1}`))),
      "a row of the map": (store) =>
        store.transact(async (w) => {
          const [row] = await w.list(logShelf.map, "");
          if (row !== undefined) await w.put(logShelf.map, row.key, row.value.with(7, 99));
        }),
      "a row of the map taken away": (store) =>
        store.transact(async (w) => {
          const [row] = await w.list(logShelf.map, "");
          if (row !== undefined) await w.remove(logShelf.map, row.key);
        }),
      "a tile": (store) =>
        store.transact(async (w) => {
          const [row] = await w.list(logShelf.tiles, "0/");
          if (row !== undefined) await w.put(logShelf.tiles, row.key, row.value.with(0, (row.value[0] as number) ^ 1));
        }),
      "a tile taken away": (store) => store.transact((w) => w.remove(logShelf.tiles, "0/000000000000")),
      "a tile cut short": (store) => store.transact((w) => w.put(logShelf.tiles, "0/000000000000", new Uint8Array(31))),
      "a head that does not parse": (store) => store.transact((w) => w.put(logShelf.log, "head", utf8("{"))),
    };
    for (const [what, change] of Object.entries(changes)) {
      const [store, signed] = [openMemoryStore(), new Signed()];
      const keeper = await LogKeeper.open(partsOn(store, signed));
      await store.transact(async (w) => {
        for (let person = 1; person <= 100; person++) await record(w, [{ seal: "account", of: idOf(person), content: { person } }, { object: master(person) }, { object: personal(person, 1) }]);
      });
      await keeper.close();
      await keeper.save();
      await change(store);
      // What is derived and hides it: without that, the rows speak.
      await store.transact((w) => w.remove(logShelf.log, "map"));
      const before = signed.texts.length;
      await assert.rejects(LogKeeper.open(partsOn(store, signed)), { code: "store-damaged" }, what);
      assert.equal(signed.texts.length, before);
    }
  });

  test("a row of the map that was changed meanwhile is found before anything is proved by it or signed on top of it", async () => {
    const [store, signed] = [openMemoryStore(), new Signed()];
    const keeper = await LogKeeper.open(partsOn(store, signed));
    for (let person = 1; person <= 3; person++) await create(store, person);
    await keeper.close();
    await keeper.save();
    const key = toBase64url(mapKey("personal", idOf(2)));
    await store.transact(async (w) => w.put(logShelf.map, key, ((await w.get(logShelf.map, key)) ?? assert.fail()).with(40, 99)));
    await assert.rejects(keeper.prove({ kind: "personal", id: idOf(2) }), { code: "store-damaged" });
    await next(store, 2, 2);
    const before = signed.texts.length;
    await assert.rejects(keeper.close(), { code: "store-damaged" });
    assert.equal(signed.texts.length, before);
  });

  test("saved upper levels that are wrong are made anew", async () => {
    const [store, signed] = [openMemoryStore(), new Signed()];
    const keeper = await LogKeeper.open(partsOn(store, signed));
    for (let person = 1; person <= 3; person++) await create(store, person);
    await keeper.close();
    await keeper.save();
    await store.transact(async (w) => {
      const saved = (await w.get(logShelf.log, "map")) ?? assert.fail();
      await w.put(logShelf.log, "map", saved.with(saved.length - 1, (saved.at(-1) as number) ^ 1));
    });
    await judge(store, await LogKeeper.open(partsOn(store, signed)), signed);
  });
});
