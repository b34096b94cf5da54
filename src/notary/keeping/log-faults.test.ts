import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../../bytes/base64url.ts";
import { utf8 } from "../../bytes/text.ts";
import { withFaults } from "../../store/faults.ts";
import { openMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import { mapKey } from "../map.ts";
import { idOf } from "../test-notary.ts";
import { LogKeeper } from "./log-keeper.ts";
import { markDue, record } from "./record.ts";
import { logShelf } from "./rows.ts";
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
