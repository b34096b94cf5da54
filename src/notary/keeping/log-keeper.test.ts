import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";

import { toBase64url } from "../../bytes/base64url.ts";
import { fromUtf8, utf8 } from "../../bytes/text.ts";
import { sha512 } from "../../crypto/digest.ts";
import type { Digest } from "../../envelope/fields.ts";
import { withFaults } from "../../store/faults.ts";
import { openMemoryStore } from "../../store/memory.ts";
import { openSqliteStore } from "../../store/sqlite.ts";
import type { Store } from "../../store/store.ts";
import { readCheckpoint } from "../checkpoint.ts";
import type { NoteSigner } from "../cosignature.ts";
import { checkCurrencyProof } from "../currency.ts";
import { type PublicEntry, readEntry } from "../entry.ts";
import { mapKey } from "../map.ts";
import { leafHash } from "../merkle.ts";
import { inclusionProof } from "../prove.ts";
import { Replay } from "../replay.ts";
import { idOf, TestNotary } from "../test-notary.ts";
import { partialTiles, tileAt } from "../tiles.ts";
import { EMPTY_TREE, integrate, rootOf } from "../tree.ts";
import { checkReceipt } from "../receipt.ts";
import { verifyInclusion } from "../verify.ts";
import { type KeeperParts, LogKeeper } from "./log-keeper.ts";
import { markDue, record, type Recorded, type Recording } from "./record.ts";
import { Receipts } from "./receipts.ts";
import { logShelf, tilesIn } from "./rows.ts";

const notary = await TestNotary.open();
const policy = notary.policy();
let clock = 1_790_000_000_000;

/** Everything that was ever signed, in order. */
class Signed {
  readonly texts: string[] = [];
  readonly signers: readonly NoteSigner[] = notary.signers.map(({ key, sign }, at) => ({
    key,
    sign: (message) => {
      if (at === 0) this.texts.push(fromUtf8(message));
      return sign(message);
    },
  }));
}

function partsOn(store: Store, signed = new Signed()): KeeperParts {
  return { store, origin: notary.origin, signers: signed.signers, now: () => (clock += 250), standingOf: async (_, mesh) => ({ heads: [], master: mesh }) };
}

const digestOf = (name: string) => toBase64url(sha512(utf8(name))) as Digest;
const master = (person: number): PublicEntry => ({ id: idOf(person), k: "master", len: 8000, n: 1, obj: digestOf(`master ${person}`), v: 1 });
const personal = (person: number, n: number): PublicEntry => ({ g: 1, id: idOf(person), k: "personal", len: 9000, n, obj: digestOf(`personal ${person} ${n}`), ...(n === 1 ? {} : { prev: digestOf(`personal ${person} ${n - 1}`) }), v: 1 });

/** Does something once, as a portal's compare-and-set has it: the log is told in the transaction that makes it true. */
const once = (store: Store, what: string, recordings: readonly Recording[]): Promise<readonly Recorded[]> =>
  store.transact(async (w) => {
    if ((await w.get("done", what)) !== undefined) return [];
    await w.put("done", what, new Uint8Array(0));
    return record(w, recordings);
  });
const create = (store: Store, person: number, time = "once") => once(store, `create ${person} ${time}`, [{ seal: "account", of: idOf(person), content: { address: `p${person}@example.com` } }, { object: master(person) }, { object: personal(person, 1) }]);
const next = (store: Store, person: number, n: number) => once(store, `personal ${person} ${n}`, [{ object: personal(person, n) }]);

/** All that must hold of a log, whatever happened to it: it replays, its proofs are right under their own checkpoints, and nothing was ever signed that is not a beginning of it. */
async function judge(store: Store, keeper: LogKeeper, signed: Signed): Promise<void> {
  const entries = await store.read((r) => r.leaves(0));
  let replay = new Replay();
  for (const person of [1, 2, 3]) {
    const { value, checkpoint } = checkCurrencyProof(await keeper.prove({ kind: "personal", id: idOf(person) }), policy, clock / 1000);
    if (replay.size > checkpoint.size) replay = new Replay();
    await replay.take(entries.slice(replay.size, checkpoint.size));
    assert.ok(replay.agrees(checkpoint));
    assert.deepEqual(value, replay.newest("personal", idOf(person)));
  }
  for (const text of signed.texts) {
    const { size, root } = readCheckpoint(text);
    assert.deepEqual(rootOf(integrate(EMPTY_TREE, entries.slice(0, size).map(leafHash)).tree), root, `what was signed at ${size} is no beginning of the log`);
  }
}

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

suite("receipts (log 3.6)", () => {
  const recorded = (from: number, count: number): readonly Recorded[] => Array.from({ length: count }, (_, at) => ({ index: from + at, leaf: leafHash(utf8(`entry ${from + at}`)) }));
  let now = 1000;
  const keeper = { time: 5000 };
  let made = 0;
  const [signer] = notary.signers;
  const receipts = new Receipts({ origin: notary.origin, signer: { key: signer.key, sign: (message) => (made++, signer.sign(message)) }, now: () => now, keeper });
  const check = (receipt: Uint8Array | undefined, { leaf }: Recorded) => checkReceipt(receipt ?? assert.fail(), signer.key, notary.origin, leaf);

  test("what is asked for at once and stands together has one, by no time before the last epoch", async () => {
    const all = [recorded(40, 3), recorded(50, 1), recorded(43, 2), recorded(51, 1)];
    const signed = await Promise.all(all.map((one) => receipts.of(one)));
    assert.equal(made, 2);
    for (const [at, one] of all.entries()) for (const entry of one) assert.deepEqual(check(signed[at], entry), { index: entry.index, time: 5000 });
    now = 6000;
    const [later] = recorded(60, 1) as [Recorded];
    assert.deepEqual(check(await receipts.of([later]), later), { index: 60, time: 6000 });
    assert.equal(made, 3);
  });

  test("a receipt has at most 32 leaves: whole transactions, or the last of one that is larger", async () => {
    const all = [recorded(0, 20), recorded(20, 14), recorded(34, 18), recorded(52, 257)];
    const signed = await Promise.all(all.map((one) => receipts.of(one)));
    for (const [at, one] of all.entries()) for (const entry of [one.slice(-32).at(0), one.at(-1)]) check(signed[at], entry ?? assert.fail());
    assert.deepEqual([signed[0] === signed[1], signed[1] === signed[2], signed[2] === signed[3]], [false, true, false]);
  });

  test("nothing recorded, nothing promised", async () => assert.equal(await receipts.of([]), undefined));
});

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
