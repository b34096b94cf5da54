import { after, describe } from "node:test";
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
});
