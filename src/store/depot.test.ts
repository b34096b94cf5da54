import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { sha512Text } from "../crypto/digest.ts";
import { storeConformance } from "./conformance.ts";
import { depotConformance } from "./conformance-depot.ts";
import { text } from "./conformance-values.ts";
import { type Depot, LINGER_MS } from "./depot.ts";
import { depotIn, makeDirectoryDepot, openDirectoryDepot } from "./directory-depot.ts";
import { openMemoryDepot } from "./memory-depot.ts";
import { openMemoryStore } from "./memory.ts";
import { openSqliteStore } from "./sqlite.ts";
import type { Store } from "./store.ts";
import { looseIn, sweepDepot, withDepot } from "./with-depot.ts";

const folder = mkdtempSync(join(tmpdir(), "mesh-depot-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;
const fresh = (): string => join(folder, `${++made}`);
async function directory(): Promise<string> {
  const path = fresh();
  await makeDirectoryDepot(path, "test");
  return path;
}
/** All but the one for which 200 race in a test: that is no large value, and forty thousand files were read. */
const nearlyAll = { has: (shelf: string) => shelf !== "head" };

depotConformance("in memory", async () => openMemoryDepot());
depotConformance("a directory", async () => openDirectoryDepot(await directory()));

storeConformance("memory, with all values in a depot in memory", async () => ({ store: withDepot(openMemoryStore(), openMemoryDepot(), nearlyAll) }));

storeConformance("sqlite, with all values in a directory", async () => {
  const [path, depot] = [`${fresh()}.db`, openDirectoryDepot(await directory())];
  const open = async () => withDepot(await openSqliteStore(path), depot, nearlyAll);
  const store = await open();
  return { store, reopen: async () => (await store.close(), open()) };
});

suite("a depot in a directory", () => {
  const octets = text("octets");
  const name = sha512Text(octets);
  const fileOf = (path: string): string => join(path, name.slice(0, 1), name);
  const filesIn = (path: string): readonly string[] => readdirSync(path, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => one.name);

  test("is its owner's alone, and says whose it is", async () => {
    const path = fresh();
    assert.equal(depotIn(path), undefined);
    const label = await makeDirectoryDepot(path, "test");
    assert.deepEqual(depotIn(path), label);
    const depot = openDirectoryDepot(path);
    await depot.put(name, octets);
    assert.equal(statSync(fileOf(path)).mode & 0o777, 0o600);
    for (const one of [path, join(path, "A")]) assert.equal(statSync(one).mode & 0o777, 0o700);
    for (const [said, code] of [["{", "store-damaged"], ['{"format":1}', "store-damaged"], ['{"format":2,"id":"a","owner":"b"}', "store-newer"]] as const) {
      writeFileSync(join(path, "depot.json"), said);
      assert.throws(() => depotIn(path), { code }, said);
    }
  });

  test("that is gone, or may not be written to, says so; a name that leads elsewhere is refused", async () => {
    const path = await directory();
    const depot = openDirectoryDepot(path);
    await depot.put(name, octets);
    renameSync(path, `${path}-away`);
    for (const act of [() => depot.get(name), () => depot.put(name, octets), () => Array.fromAsync(depot.list())]) await assert.rejects(act, { code: "store-unreachable" });
    renameSync(`${path}-away`, path);
    assert.deepEqual(await depot.get(name), octets);
    for (const wrong of ["", "../x", `../${"a".repeat(83)}`, "a".repeat(87)]) await assert.rejects(depot.get(wrong), { code: "store-misused" }, wrong);
    if (process.geteuid?.() === 0) return;
    chmodSync(join(path, name.slice(0, 1)), 0o500);
    await assert.rejects(depot.put(sha512Text(text("other")), text("other")), { code: "store-read-only" });
  });

  test("octets that were changed are written anew when they are put again", async () => {
    const path = await directory();
    const depot = openDirectoryDepot(path);
    await depot.put(name, octets);
    for (const wrong of ["octetz", "", "octets and more"]) {
      writeFileSync(fileOf(path), wrong);
      assert.deepEqual(await depot.get(name), text(wrong));
      await depot.put(name, octets);
      assert.deepEqual(await depot.get(name), octets);
    }
  });

  test("what calls that were cut off left is read, and cleared away by whoever may", async () => {
    const path = await directory();
    await openDirectoryDepot(path).put(name, octets);
    renameSync(fileOf(path), `${fileOf(path)}.00.leaving`);
    const half = join(path, "A", `${"A".repeat(86)}.01.new`);
    writeFileSync(half, "half");
    writeFileSync(`${half}er`, "not ours");
    const old = new Date(Date.now() - 2 * LINGER_MS);
    utimesSync(half, old, old);
    const looking = openDirectoryDepot(path, { changing: false });
    assert.deepEqual([await looking.get(name), await Array.fromAsync(looking.list()), existsSync(half)], [octets, [], true]);
    const depot = openDirectoryDepot(path);
    await Array.fromAsync(depot.list());
    assert.deepEqual((await Array.fromAsync(depot.list())).map((one) => one.name), [name]);
    assert.deepEqual(filesIn(path).toSorted(), [`${"A".repeat(86)}.01.newer`, "depot.json", name].toSorted());
  });
});

suite("a store with a depot", () => {
  const outside = new Set(["large"]);
  const large = (n: number): Uint8Array => text(`large ${n}`);

  function opened(now: () => number = Date.now) {
    const [rows, depot] = [openMemoryStore(), openMemoryDepot(now)];
    return { rows, depot, store: withDepot(rows, depot, outside) };
  }

  test("has names for values on the shelves that are outside, and values on the others", async () => {
    const { rows, depot, store } = opened();
    await store.transact(async (w) => {
      await w.put("large", "a", large(1));
      await w.put("small", "a", text("small"));
      assert.deepEqual(await w.get("large", "a"), large(1), "own writes are visible");
      assert.equal(await depot.get(sha512Text(large(1))), undefined, "and are put when the work is done");
    });
    assert.deepEqual(await rows.read((r) => r.get("large", "a")), text(sha512Text(large(1))));
    assert.deepEqual(await rows.read((r) => r.get("small", "a")), text("small"));
    assert.deepEqual(await store.read((r) => r.list("large", "")), [{ key: "a", value: large(1) }]);
  });

  test("commits no name whose value is not in the depot; a work that was refused puts nothing", async () => {
    const { rows, depot, store } = opened();
    const put = depot.put;
    Object.assign(depot, { put: async () => Promise.reject(new Error("full")) } satisfies Partial<Depot>);
    await assert.rejects(store.transact((w) => w.put("large", "a", large(1))), /full/);
    Object.assign(depot, { put });
    assert.deepEqual(await rows.read((r) => r.list("large", "")), []);
    await assert.rejects(store.transact(async (w) => {
      await w.put("large", "a", large(1));
      throw new Error("refused");
    }), /refused/);
    assert.deepEqual(await Array.fromAsync(depot.list()), []);
  });

  test("puts a value once, though its work runs again because others were faster", async () => {
    const { rows, depot } = opened();
    let [puts, runs] = [0, 0];
    const put = depot.put;
    depot.put = async (name, octets) => ((puts += 1), put(name, octets));
    const again: Store = { ...rows, transact: async (work) => {
      await rows.transact(async (w) => {
        await work(w);
        throw new Error("lost");
      }).catch(() => undefined);
      return rows.transact(work);
    } };
    await withDepot(again, depot, outside).transact(async (w) => {
      runs += 1;
      await w.put("large", "a", large(1));
    });
    assert.deepEqual([puts, runs], [1, 2]);
    assert.deepEqual(await rows.read((r) => r.get("large", "a")), text(sha512Text(large(1))));
  });

  test("refuses a value that is missing, was changed, or has no name, whatever the work makes of it; whoever judges is shown what there is", async () => {
    for (const [what, shown] of [["missing", ""], ["changed", "other"], ["no name", ""]] as const) {
      const { rows, depot, store } = opened();
      await store.transact((w) => w.put("large", "a", large(1)));
      Object.assign(depot, { get: async () => (what === "changed" ? text("other") : undefined) } satisfies Partial<Depot>);
      if (what === "no name") await rows.transact((w) => w.put("large", "a", text("../name")));
      await assert.rejects(store.read((r) => r.get("large", "a")), { code: "store-damaged" }, what);
      await assert.rejects(store.transact(async (w) => {
        await w.list("large", "").catch(() => undefined);
        await w.put("small", "a", text("on top"));
      }), { code: "store-damaged" }, what);
      assert.deepEqual(await withDepot(rows, depot, outside, "show").read((r) => r.get("large", "a")), text(shown), what);
      assert.deepEqual(await rows.read((r) => r.list("small", "")), []);
    }
  });

  test("what nobody names any more is swept a day after it was left, or put in vain; what is named stays however old", async () => {
    let now = 0;
    const { rows, depot, store } = opened(() => now);
    const names = async () => (await Array.fromAsync(depot.list())).map((one) => one.name).sort();
    await store.transact(async (w) => {
      for (const n of [1, 2, 3]) await w.put("large", `${n}`, large(n));
      await w.put("large", "3 as well", large(3));
    });
    await depot.put(sha512Text(large(4)), large(4));
    now += 3 * LINGER_MS;
    await store.transact(async (w) => {
      await w.remove("large", "1");
      await w.put("large", "2", large(5));
      await w.remove("large", "3");
    });
    assert.equal(await sweepDepot(rows, depot, outside, now), 1, "what was put in vain");
    now += LINGER_MS + 1;
    assert.deepEqual([...(await looseIn(rows, depot, outside, now))].sort(), [large(1), large(2)].map(sha512Text).sort());
    assert.equal(await sweepDepot(rows, depot, outside, now), 2);
    assert.deepEqual(await names(), [large(3), large(5)].map(sha512Text).sort());
    // One that is named again while it is looked at, by a process that has not put it this hour.
    const other = withDepot(rows, depot, outside);
    await store.transact((w) => w.remove("large", "2"));
    now += LINGER_MS + 1;
    const named = { ...rows, read: async <T>(work: Parameters<typeof rows.read<T>>[0]) => {
      const seen = await rows.read(work);
      await other.transact((w) => w.put("large", "2", large(5)));
      return seen;
    } };
    assert.equal(await sweepDepot(named, depot, outside, now), 0);
    assert.deepEqual(await store.read((r) => r.get("large", "2")), large(5));
  });
});
