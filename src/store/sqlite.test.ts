import assert from "node:assert/strict";
import { chmodSync, chownSync, closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import { MeshError } from "../refusals/mesh-error.ts";
import { storeConformance } from "./conformance.ts";
import { readText, text } from "./conformance-values.ts";
import { groupedStore, usualGrouping } from "./grouped.ts";
import { openDatabase, openServingStore, openSqliteStore } from "./sqlite.ts";
import { SqliteConnection } from "./sqlite-connection.ts";
import { currentFormat, type Format } from "./sqlite-format.ts";

const directory = mkdtempSync(join(tmpdir(), "mesh-store-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let made = 0;
const fresh = (): string => join(directory, `${++made}.db`);

async function failing(path: string) {
  const writer = await openDatabase(path, currentFormat, 1000);
  const connection = new SqliteConnection(writer, currentFormat.number);
  const commit = connection.commit.bind(connection);
  let fail = false;
  connection.commit = (works) => {
    if (!fail) return commit(works);
    fail = false;
    throw new MeshError("store-full", "No room.");
  };
  const store = groupedStore(connection);
  return { store, writer, failNextCommit: () => void (fail = true) };
}

storeConformance("sqlite with a thread that flushes", async () => {
  const path = fresh();
  const store = await openServingStore(path);
  // The thread is started by the write after two that met, and is relied on once it is there.
  await Promise.all([store.transact(async () => undefined), store.transact(async () => undefined)]);
  await store.transact(async () => undefined);
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { store };
});

test("the thread that flushes ends when nothing was written for a while; another is started when works meet again, and nothing is lost", async () => {
  const path = fresh();
  const store = await openServingStore(path);
  const threads = (): number => Number(/Threads:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
  const meet = (name: string) => Promise.all([1, 2, 3].map((n) => store.transact((w) => w.put("s", `${name}${n}`, text(name)))));
  const without = threads();
  await meet("a");
  await meet("b");
  assert.ok(threads() > without, "works met");
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  assert.equal(threads(), without);
  await meet("c");
  await meet("d");
  assert.ok(threads() > without, "works met again");
  await store.close();
  const again = await openSqliteStore(path);
  assert.equal((await again.read((r) => r.list("s", ""))).length, 12);
  await again.close();
});

storeConformance("sqlite", async () => {
  const path = fresh();
  const { store, failNextCommit } = await failing(path);
  return { store, failNextCommit, reopen: async () => (await store.close(), openSqliteStore(path)) };
});

async function filled(path: string, entries = 1): Promise<void> {
  const store = await openSqliteStore(path);
  await store.transact(async (w) => {
    for (let n = 0; n < entries; n++) await w.put("s", n === 0 ? "a" : `k${n}`, text("1".repeat(1000)));
    await w.append(text("leaf"));
  });
  await store.close();
}

describe("sqlite: the file", () => {
  test("is for its owner only, in 8 KiB pages, marked, and alone once closed", async () => {
    const path = fresh();
    const store = await openSqliteStore(path);
    await store.transact((w) => w.put("s", "a", text("1")));
    for (const suffix of ["", "-wal", "-shm"]) assert.equal(statSync(path + suffix).mode & 0o777, 0o600, suffix);
    await store.close();
    assert.deepEqual(readdirSync(directory).filter((name) => name.startsWith(`${made}.db`)), [`${made}.db`]);
    const header = readFileSync(path);
    assert.equal(header.readUInt16BE(16), 8192);
    assert.equal(header.readInt32BE(60), 1);
    assert.equal(header.toString("latin1", 68, 72), "Mesh");
  });

  test("of a newer format is refused and not touched", async () => {
    const path = fresh();
    await openSqliteStore(path, { format: { ...currentFormat, number: 2 } }).then((store) => store.close());
    const before = readFileSync(path);
    await assert.rejects(openSqliteStore(path), { code: "store-newer" });
    assert.deepEqual(readFileSync(path), before);
  });

  test("of an older format is copied, then migrated in one transaction; a step that fails changes nothing", async () => {
    const path = fresh();
    await filled(path);
    const step = (database: DatabaseSync) => database.exec("UPDATE entry SET value = CAST('2' AS BLOB); DELETE FROM log");
    const broken: Format = { ...currentFormat, number: 3, migrations: { 1: step, 2: () => { throw new Error("step 2"); } } };
    await assert.rejects(openSqliteStore(path, { format: broken }), /step 2/);
    const old = await openSqliteStore(path);
    assert.equal((await old.read((r) => r.leaves(0))).length, 1);
    await old.close();

    const format: Format = { ...currentFormat, number: 3, migrations: { 1: step, 2: () => undefined } };
    const migrated = await openSqliteStore(path, { format });
    assert.equal(await migrated.read((r) => readText(r, "s", "a")), "2");
    await migrated.close();
    assert.equal(statSync(`${path}.format-1`).mode & 0o777, 0o600);
    const copy = await openSqliteStore(`${path}.format-1`);
    assert.equal((await copy.read((r) => readText(r, "s", "a")))?.length, 1000);
    await copy.close();
    await assert.rejects(openSqliteStore(path), { code: "store-newer" });
  });

  test("that changes its format under a running process stops that process", async () => {
    const path = fresh();
    const old = await openSqliteStore(path);
    const format: Format = { ...currentFormat, number: 2, migrations: { 1: () => undefined } };
    await openSqliteStore(path, { format }).then((store) => store.close());
    await assert.rejects(old.transact((w) => w.put("s", "a", text("1"))), { code: "store-newer" });
    await assert.rejects(old.read((r) => r.get("s", "a")), { code: "store-newer" });
    await old.close();
  });

  test("of another program, of noise, cut short or overwritten is damaged, and left as it is", async () => {
    const noise = fresh();
    writeFileSync(noise, Buffer.alloc(40_000, 65));
    const foreign = fresh();
    const other = new DatabaseSync(foreign);
    other.exec("CREATE TABLE t (x)");
    other.close();
    const short = fresh();
    await filled(short, 100);
    truncateSync(short, 30_000);
    const overwritten = fresh();
    await filled(overwritten, 100);
    const file = openSync(overwritten, "r+");
    for (let page = 1; page < 7; page++) writeSync(file, Buffer.alloc(200, 0xff), 0, 200, page * 8192);
    closeSync(file);
    for (const path of [noise, foreign, short, overwritten]) {
      const before = readFileSync(path);
      await assert.rejects(openSqliteStore(path), { code: "store-damaged" });
      assert.deepEqual(readFileSync(path), before);
    }
  });

  test("damaged beyond the quick check shows it when met, as a code", async () => {
    const path = fresh();
    await filled(path, 4000);
    const file = openSync(path, "r+");
    for (let page = 20; page < 250; page++) writeSync(file, Buffer.alloc(8192, 0xff), 0, 8192, page * 8192);
    closeSync(file);
    const store = await openSqliteStore(path);
    await assert.rejects(store.read((r) => r.list("s", "")), { code: "store-damaged" });
    await store.close();
  });

  test("without a directory, or where a directory stands, is not found", async () => {
    await assert.rejects(openSqliteStore(join(directory, "no", "x.db")), { code: "store-not-found" });
    await assert.rejects(openSqliteStore(directory), { code: "store-not-found" });
  });

  test("without permission is read-only", async () => {
    const own = mkdtempSync(join(tmpdir(), "mesh-store-"));
    const path = join(own, "x.db");
    await filled(path);
    chmodSync(path, 0o400);
    // Root may write everywhere, so the test becomes nobody for a moment.
    const root = process.geteuid?.() === 0;
    if (root) for (const name of [own, path]) chownSync(name, 65534, 65534);
    if (root) process.seteuid?.(65534);
    try {
      const store = await openSqliteStore(path);
      assert.equal((await store.read((r) => r.leaves(0))).length, 1);
      await assert.rejects(store.transact((w) => w.append(text("leaf"))), { code: "store-read-only" });
      await store.close();
      chmodSync(own, 0o500);
      await assert.rejects(openSqliteStore(join(own, "new.db")), { code: "store-read-only" });
    } finally {
      if (root) process.seteuid?.(0);
      rmSync(own, { recursive: true });
    }
  });

  test("without room: the works of the group reject with store-full, what was there stays, later works succeed", async () => {
    const { store, writer } = await failing(fresh());
    await store.transact((w) => w.put("s", "a", text("old")));
    writer.exec("PRAGMA max_page_count = 8");
    const results = await Promise.allSettled([
      store.transact((w) => w.put("s", "a", text("new"))),
      store.transact(async (w) => {
        for (let n = 0; n < 20; n++) await w.put("s", `k${n}`, new Uint8Array(16_000)).catch(() => undefined);
      }),
    ]);
    for (const result of results) assert.equal(result.status === "rejected" && (result.reason as MeshError).code, "store-full");
    writer.exec("PRAGMA max_page_count = 100000");
    assert.equal(await store.read((r) => readText(r, "s", "a")), "old");
    await store.transact((w) => w.put("s", "a", text("new")));
    assert.deepEqual(await store.read((r) => r.list("s", "")), [{ key: "a", value: text("new") }]);
    await store.close();
  });

  test("backup is a whole store, for its owner only, of a moment, and replaces an older one", async () => {
    const path = fresh();
    const target = fresh();
    const store = await openSqliteStore(path);
    for (const value of ["1", "2"]) {
      await store.transact((w) => w.put("s", "a", text(value)));
      await store.backup(target);
    }
    await store.transact((w) => w.put("s", "a", text("3")));
    assert.equal(statSync(target).mode & 0o777, 0o600);
    const copy = await openSqliteStore(target);
    assert.equal(await copy.read((r) => readText(r, "s", "a")), "2");
    await copy.close();
    await store.close();
    await assert.rejects(store.backup(target), { code: "store-closed" });
  });
});

test("the version of an opened store is the same while nobody commits, and another after a commit of its own or another's", async () => {
  const path = fresh();
  const [a, b] = [await openSqliteStore(path), await openSqliteStore(path)];
  const version = () => a.read(async (r) => r.version?.());
  let values = 0;
  const write = (store: typeof a) => store.transact((w) => w.put("s", "k", text(String(values++))));
  const seen = new Set([await version()]);
  assert.ok(!seen.has(undefined));
  for (const change of [() => write(a), () => write(b), () => write(b), () => write(a)]) {
    await change();
    const now = await version();
    assert.ok(!seen.has(now), String(now));
    seen.add(now);
    assert.equal(await version(), now);
  }
  await a.close();
  await b.close();
});

describe("sqlite: waiting", () => {
  test("two stores of one process on one file take turns without a deadlock", async () => {
    const path = fresh();
    const [a, b] = [await openSqliteStore(path), await openSqliteStore(path)];
    const add = (store: typeof a) => store.transact(async (w) => {
      const seen = Number((await readText(w, "s", "n")) ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 1));
      await w.put("s", "n", text(String(seen + 1)));
    });
    await Promise.all(Array.from({ length: 40 }, (_, n) => add(n % 2 === 0 ? a : b)));
    assert.equal(await b.read((r) => readText(r, "s", "n")), "40");
    await a.close();
    await b.close();
  });

  test("a lock that is never let go of gives store-busy in time, and harms nothing", async () => {
    const path = fresh();
    const store = await openSqliteStore(path, { patience: 100 });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const results = await Promise.allSettled([1, 2].map(() => store.transact((w) => w.append(text("leaf")))));
    for (const result of results) assert.equal(result.status === "rejected" && (result.reason as MeshError).code, "store-busy");
    assert.deepEqual(await store.read((r) => r.leaves(0)), [], "readers do not wait for writers");
    other.exec("ROLLBACK");
    assert.equal(await store.transact((w) => w.append(text("leaf"))), 0);
    other.close();
    await store.close();
    assert.ok(usualGrouping.patience >= 5000);
  });
});
