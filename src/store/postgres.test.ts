import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { openCluster, withoutPostgres } from "../../test/support/cluster.ts";
import { storeConformance } from "./conformance.ts";
import { openPostgresStore } from "./postgres.ts";

describe("postgres", { skip: withoutPostgres }, async () => {
  if (withoutPostgres !== false) return;
  const cluster = await openCluster();
  after(() => cluster.close());
  let made = 0;

  storeConformance("postgres", async () => {
    const schema = `mesh${++made}`;
    const open = () => openPostgresStore(cluster.url, { owner: "test", schema });
    const store = await open();
    return {
      store,
      reopen: async () => (await store.close(), open()),
      // The next change of the head fails, once: a sequence does not go back when a transaction does.
      failNextCommit: async () => {
        await cluster.ask(`CREATE SEQUENCE ${schema}.failing; CREATE FUNCTION ${schema}.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF nextval('${schema}.failing') = 1 THEN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END IF; RETURN NEW; END $$;
          CREATE TRIGGER failing BEFORE UPDATE ON ${schema}.head FOR EACH ROW EXECUTE FUNCTION ${schema}.fail()`);
      },
    };
  });

  test("a process whose clock is more than three seconds from the server's does nothing with it, nor does one whose clock goes off until it is right again", async () => {
    for (const off of [-3500, 3500, 3_600_000]) await assert.rejects(openPostgresStore(cluster.url, { now: () => Date.now() + off, owner: "test", schema: "clocks" }).then(async (store) => store.read(async () => undefined).finally(() => store.close())), { code: "store-clock-off" }, String(off));
    let off = 2500;
    const store = await openPostgresStore(cluster.url, { now: () => Date.now() + off, owner: "test", schema: "clocks" });
    const append = () => store.transact((w) => w.append(new Uint8Array(1)));
    assert.equal(await append(), 0);
    off = -3500;
    await assert.rejects(append(), { code: "store-clock-off", message: /^The clock of the database server is 3\.[45] seconds ahead of this machine's\.$/ });
    await assert.rejects(store.read((r) => r.leaves(0)), { code: "store-clock-off" });
    off = 0;
    assert.equal(await append(), 1);
    // An answer that takes long says nothing of any clock.
    const [first] = await Promise.all([append(), (async () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3500))()]);
    assert.equal(first, 2);
    await store.close();
  });
});
