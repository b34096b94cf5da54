import assert from "node:assert/strict";
import { after, describe, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openCluster, withoutPostgres } from "../../test/support/cluster.ts";
import { text } from "./conformance-values.ts";
import { openPostgresStore } from "./postgres.ts";
import type { Store } from "./store.ts";

describe("postgres: processes that write at once", { skip: withoutPostgres }, async () => {
  if (withoutPostgres !== false) return;
  const cluster = await openCluster();
  after(() => cluster.close());

  /** Four stores on one database; how often their works ran, each of which thinks for a while. */
  async function four(t: TestContext) {
    const ran = { works: 0 };
    const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgresStore(cluster.url, { owner: "test" })));
    t.after(() => Promise.all(stores.map((one) => one.close())));
    const write = (store: Store): Promise<number> =>
      store.transact(async (w) => {
        ran.works += 1;
        for (let n = 0; n < 5; n++) await w.get("s", String(n));
        return w.append(text("leaf"));
      });
    const each = (count: number): Promise<unknown> => Promise.all(stores.map(async (store) => {
      for (let n = 0; n < count; n++) await write(store);
    }));
    return { each, ran };
  }

  test("they take turns: few works are done in vain", async (t) => {
    const { each, ran } = await four(t);
    await each(50);
    t.diagnostic(`${ran.works} runs for 200 works`);
    assert.ok(ran.works < 300, `${ran.works} runs for 200 works`);
  });

  test("whoever has the turn and stands still holds up nobody for long", async (t) => {
    const { each } = await four(t);
    await each(5);
    let held = true;
    const still = cluster.ask("SELECT pg_advisory_lock(hashtextextended('mesh mesh', 0)); SELECT pg_sleep(60)").catch(() => "").then(() => (held = false));
    const standing = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()";
    while ((await cluster.ask(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid IN (${standing})`)) === "0") await sleep(20);
    await each(20);
    assert.ok(held, "all was written while the turn was held");
    await cluster.ask(`SELECT pg_cancel_backend(pid) FROM (${standing}) standing`);
    await still;
  });
});
