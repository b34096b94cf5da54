import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withoutPostgres } from "../../test/support/cluster.ts";
import { openPair } from "../../test/support/pair.ts";
import { text } from "./conformance-values.ts";
import { openPostgresStore } from "./postgres.ts";
import { endWriters, troubles, writers } from "./test-postgres-writers.ts";

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await sleep(20);
}

describe("postgres: a primary with a standby", { skip: withoutPostgres }, () => {
  afterEach(endWriters);

  test("the primary is killed under load and a synchronous standby promoted: the processes go on there, and all that was acknowledged is there", { timeout: 60_000 }, async (t) => {
    const { primary, standby, url, lead } = await openPair(t, "synchronous");
    const said = new Map<string, number>();
    const start = writers(url, said);
    const two = [start(1_000_000), start(1_000_000)];
    await until(() => said.size > 200);
    await primary.stop("crash");
    const before = said.size;
    await standby.ask("SELECT pg_promote()");
    lead(standby);
    await until(() => said.size > before + 200);
    assert.ok(two.every(({ child }) => child.exitCode === null));
    endWriters();
    await Promise.all(two.map(({ ended }) => ended));
    const { found, size } = await troubles(standby, said);
    t.diagnostic(`${size} updates, ${said.size} acknowledged, ${before} of them by the primary`);
    assert.deepEqual(found, []);
  });

  test("a standby that had not all of it is promoted: whoever saw more refuses it, reading and writing", { timeout: 60_000 }, async (t) => {
    const { primary, standby, url, lead } = await openPair(t);
    const store = await openPostgresStore(url, { owner: "test", patience: 2_000 });
    t.after(() => store.close());
    await store.transact((w) => w.append(text("on both")));
    await until(async () => (await standby.ask("SELECT count(*) FROM mesh.log").catch(() => "")) === "1");
    await standby.stop();
    assert.equal(await store.transact((w) => w.append(text("on the primary alone"))), 1);
    await primary.stop("crash");
    await standby.start();
    await standby.ask("SELECT pg_promote()");
    lead(standby);
    await assert.rejects(store.transact((w) => w.append(text("forked"))), { code: "store-rolled-back" });
    await assert.rejects(store.read((r) => r.leaves(0)), { code: "store-rolled-back" });
    assert.equal(await standby.ask("SELECT count(*) FROM mesh.log"), "1");
  });

  test("a standby, and a server that may lose what it acknowledged, are refused, each with its code", { timeout: 60_000 }, async (t) => {
    const { primary, standby } = await openPair(t);
    await assert.rejects(openPostgresStore(standby.url, { owner: "test" }), { code: "store-read-only" });
    for (const setting of ["full_page_writes", "fsync"]) {
      await primary.ask(`ALTER SYSTEM SET ${setting} = off`);
      await primary.ask("SELECT pg_reload_conf()");
      await until(async () => (await primary.ask(`SHOW ${setting}`)) === "off");
      await assert.rejects(openPostgresStore(primary.url, { owner: "test" }), { code: "store-unsafe", message: new RegExp(`: ${setting} is off`) });
      await primary.ask(`ALTER SYSTEM RESET ${setting}`);
      await primary.ask("SELECT pg_reload_conf()");
      await until(async () => (await primary.ask(`SHOW ${setting}`)) === "on");
    }
    await primary.ask("ALTER SYSTEM SET synchronous_commit = off");
    await primary.ask("SELECT pg_reload_conf()");
    const store = await openPostgresStore(primary.url, { owner: "test" });
    await store.close();
  });
});
