import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openCluster, withoutPostgres } from "../../test/support/cluster.ts";
import { text } from "./conformance-values.ts";
import { moveToPostgres, moveToSqlite } from "./postgres-move.ts";
import { openPostgresStore } from "./postgres.ts";
import { openSqliteStore } from "./sqlite.ts";

describe("moving a store", { skip: withoutPostgres }, async () => {
  if (withoutPostgres !== false) return;
  const cluster = await openCluster();
  const folder = mkdtempSync(join(tmpdir(), "mesh-move-"));
  after(async () => (await cluster.close(), rmSync(folder, { recursive: true, force: true })));
  const emptied = () => cluster.ask("DROP SCHEMA IF EXISTS mesh CASCADE");

  /** A file with awkward keys, empty values and all octets. */
  async function filled(name: string): Promise<string> {
    const path = join(folder, name);
    const store = await openSqliteStore(path);
    await store.transact(async (w) => {
      for (const key of ["", "a\0b", "\ufffe", "\u{1f600}", "%"]) for (const shelf of ["", "s", "\0"]) await w.put(shelf, key, text(key));
      for (let n = 0; n < 1200; n++) await w.put("many", `k${n}`, Uint8Array.from({ length: n % 300 }, (_, at) => (at * 7 + n) & 0xff));
      for (let n = 0; n < 700; n++) await w.append(Uint8Array.of(n & 0xff, n >> 8));
    });
    await store.close();
    return path;
  }

  test("there and back again, every row and leaf is the same; what was left is stopped", async () => {
    await emptied();
    const path = await filled("there.db");
    const before = rows(path);
    const running = await openSqliteStore(path);
    assert.deepEqual(await moveToPostgres(path, cluster.url, "me"), { entries: 1215, leaves: 700 });
    await assert.rejects(running.transact((w) => w.append(text("late"))), { code: "store-newer" });
    await running.close();
    await assert.rejects(moveToPostgres(path, cluster.url, "another"), { code: "store-wrong-portal" });
    assert.deepEqual(await moveToPostgres(path, cluster.url, "me"), { entries: 1215, leaves: 700 }, "cut off after its copy, it goes on");
    const store = await openPostgresStore(cluster.url, { owner: "me" });
    assert.equal(await store.transact((w) => w.append(text("more"))), 700);
    await assert.rejects(moveToPostgres(path, cluster.url, "me"), { code: "data-exists" });
    const back = join(folder, "back.db");
    assert.deepEqual(await moveToSqlite(cluster.url, back, "me"), { entries: 1215, leaves: 701 });
    await assert.rejects(store.transact((w) => w.append(text("late"))), { code: "store-moved" });
    await store.close();
    await assert.rejects(openPostgresStore(cluster.url, { owner: "me" }), { code: "store-moved" });
    assert.deepEqual(rows(back), [...before, `700 ${Buffer.from("more").toString("hex").toUpperCase()}`]);
    const again = await openSqliteStore(back);
    assert.equal(await again.transact((w) => w.append(text("on"))), 701);
    await again.close();
  });

  test("cut off in the middle: the source is as it was, the target is empty, and it is done again", async () => {
    await emptied();
    const path = await filled("cut.db");
    const octets = readFileSync(path);
    // The server ends our connection when the log is filled.
    await openPostgresStore(cluster.url, { owner: "me" }).then((store) => store.close());
    await cluster.ask("CREATE FUNCTION mesh.cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; CREATE TRIGGER cut BEFORE INSERT ON mesh.log FOR EACH ROW WHEN (NEW.number = 600) EXECUTE FUNCTION mesh.cut()");
    await assert.rejects(moveToPostgres(path, cluster.url, "me"), { code: "store-unreachable" });
    assert.equal(await cluster.ask("SELECT (SELECT count(*) FROM mesh.entry) + (SELECT count(*) FROM mesh.log) + (SELECT version FROM mesh.head)"), "0");
    assert.deepEqual(readFileSync(path), octets);
    await cluster.ask("DROP TRIGGER cut ON mesh.log");
    assert.deepEqual(await moveToPostgres(path, cluster.url, "me"), { entries: 1215, leaves: 700 });
  });

  test("killed at any moment, the source is whole, the target empty or whole, and it is done again", async (t) => {
    const code = `import { moveToPostgres } from ${JSON.stringify(new URL("postgres-move.ts", import.meta.url).href)}; await moveToPostgres(process.argv[1], process.argv[2], "me");`;
    const left = { empty: 0, whole: 0 };
    for (let round = 0; round < 4; round++) {
      await emptied();
      const path = await filled(`killed-${round}.db`);
      const before = rows(path);
      const child = spawn(process.execPath, ["--input-type=module", "--eval", code, path, cluster.url], { stdio: "ignore" });
      // Once the tables are there it copies.
      while (child.exitCode === null && (await cluster.ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'mesh'")) === "0");
      await sleep(round * 30);
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      assert.deepEqual(rows(path), before);
      const there = await cluster.ask("SELECT (SELECT count(*) FROM mesh.entry) || ' ' || (SELECT count(*) FROM mesh.log) || ' ' || (SELECT version FROM mesh.head)").catch(() => "0 0 0");
      assert.match(there, /^(?:0 0 0|1215 700 1)$/);
      left[there === "0 0 0" ? "empty" : "whole"] += 1;
      assert.deepEqual(await moveToPostgres(path, cluster.url, "me"), { entries: 1215, leaves: 700 });
    }
    t.diagnostic(JSON.stringify(left));
  });
});

function rows(path: string): readonly string[] {
  using database = new DatabaseSync(path, { readOnly: true });
  const entries = database.prepare("SELECT hex(shelf) || ' ' || hex(key) || ' ' || hex(value) AS row FROM entry ORDER BY shelf, key").all();
  return [...entries, ...database.prepare("SELECT number || ' ' || hex(leaf) AS row FROM log ORDER BY number").all()].map(({ row }) => String(row));
}
