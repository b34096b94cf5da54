import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openPortalData } from "../../src/cli/portal/data.ts";
import { openPostgresStore } from "../../src/store/postgres.ts";
import { type Cluster, openCluster, withoutPostgres } from "../support/cluster.ts";
import { lineOf, logKeysOf, pageOf, untilCosigned } from "../support/cosigning.ts";
import { judgeLog } from "../support/log-judge.ts";
import { cases } from "../support/long.ts";
import { openPair } from "../support/pair.ts";
import { hopping, startPortals } from "../support/portals.ts";
import { expectStatus, openPlace, type PortalProcess } from "../support/processes.ts";
import { Publisher } from "../support/publisher.ts";

const PUBLISHERS = 4;
const ROUNDS = cases(1, 20);

describe("a portal on a PostgreSQL server with a standby, whose log others vouch for (decision 8.7)", { skip: withoutPostgres }, () => {
  test("the standby lacks what was acknowledged and is promoted: who served serves nothing, who starts signs nothing; all is there when the primary is back", { timeout: 240_000 }, async (t) => {
    const { primary, standby, url, lead } = await openPair(t);
    const { place, directory, port, cosigned, options, line, publishers, judged } = await begin(t, url);
    for (const one of publishers) await one.publish();
    const before = await untilCosigned(port, line);
    const held = async (server: Cluster): Promise<string> => server.ask("SELECT (SELECT count(*) FROM mesh.log) || ' ' || (SELECT encode(sha256(value), 'hex') FROM mesh.entry WHERE shelf = 'log' AND key = 'checkpoint')");
    while ((await held(standby).catch(() => "")) !== (await held(primary))) await sleep(20);
    await standby.stop();
    for (const one of publishers) await one.publish();
    for (let tries = 0; (await untilCosigned(port, line)) <= before; tries++) assert.ok(tries < 100);
    await primary.stop("crash");
    await standby.start();
    await standby.ask("SELECT pg_promote()");
    lead(standby);
    const less = await held(standby);

    await assert.rejects(publishers[0]?.publish() ?? assert.fail(), { message: /service-internal|500/ }, "who served saw more than there is");
    await cosigned.stop();
    const refused = await place.mesh("operator", ["portal", "serve", "--data", directory, ...options, "--json"]);
    const { code, hint } = JSON.parse(refused.stderr) as { code: string; hint: string };
    assert.deepEqual([refused.status, code], [1, "log-behind-peers"], refused.stderr);
    assert.match(hint, /mesh portal migrate/);
    assert.equal(await held(standby), less, "nothing was appended and nothing signed");

    await standby.stop();
    await primary.start();
    lead(primary);
    await cosigned.start();
    await untilCosigned(port, line);
    await cosigned.stop();
    await judged(primary);
    // If the primary is lost for good: what the standby has goes on under a new log.
    await standby.start();
    lead(standby);
    const [backup, restored] = [`${place.folder}/backup`, place.home("restored")];
    expectStatus(await place.mesh("operator", ["portal", "migrate", "--data", directory, "--to", directory]), 0);
    expectStatus(await place.mesh("operator", ["portal", "backup", "--data", directory, "--out", backup]), 0);
    expectStatus(await place.mesh("operator", ["portal", "restore", backup, "--data", restored]), 0);
    const empty = await openCluster();
    t.after(() => empty.close());
    expectStatus(await place.mesh("operator", ["portal", "migrate", "--data", restored, "--to", empty.url]), 0);
    const anew = place.made(restored, options);
    await anew.start();
    assert.match(anew.said(), /^Cosigned as example\.com\/mesh\/[2-9]\d*\+/m);
  });

  test(`the primary is killed under load and a synchronous standby promoted${ROUNDS > 1 ? `, ${ROUNDS} times` : ""}: all that was acknowledged is there, and the log goes on under the same word`, { timeout: ROUNDS * 120_000 }, async (t) => {
    for (let round = 0; round < ROUNDS; round++) {
      const { primary, standby, url, lead } = await openPair(t, "synchronous");
      const { port, cosigned, line, publishers, judged } = await begin(t, url);
      const over = new AbortController();
      const publishing = publishers.map(async (one) => {
        // A commit that was cut off is told as a fault of the portal: it is asked for again.
        for (; !over.signal.aborted; await sleep(40)) await one.publish([500, 503]);
      });
      const promised = (): number => publishers.reduce((sum, one) => sum + one.promised.length, 0);
      const until = async (count: number): Promise<void> => {
        while (promised() < count) await Promise.race([sleep(20), ...publishing]);
      };
      await until(20 + Math.random() * 20);
      await primary.stop("crash");
      const before = promised();
      await standby.ask("SELECT pg_promote()");
      lead(standby);
      await until(before + 20);
      const size = await untilCosigned(port, line);
      await cosigned.stop("SIGKILL");
      await cosigned.start();
      await until(before + 30);
      over.abort();
      await Promise.all(publishing);
      for (let tries = 0; (await untilCosigned(port, line)) <= size; tries++) assert.ok(tries < 100);
      await cosigned.stop();
      await judged(standby);
      t.diagnostic(`${promised()} updates, ${before} of them by the primary`);
    }
  });
});

/** A portal on a database, one that vouches for its log, and devices that publish. */
async function begin(t: TestContext, url: string) {
  const place = openPlace();
  t.after(place.close);
  const portals = await startPortals(place, { url }, 1);
  const { directory, ports: [port = 0] } = portals;
  await portals.processes[0]?.stop();
  const { identity, log } = await openPortalData(directory);
  const signers = log ?? assert.fail();
  const witness = await place.portal({ name: "witness", domain: "witness.example", serve: ["--cosign", place.file("logs", logKeysOf(directory))] });
  const line = lineOf(witness);
  const options = ["--cosigners", place.file("cosigners", line)];
  const cosigned: PortalProcess = place.made(directory, [...options, "--writes-per-hour", "100000000"]);
  await cosigned.start();
  const way = hopping(portals, "any");
  t.after(() => way.close());
  const { payload: profile } = identity.profile;
  const publishers = await Promise.all(Array.from({ length: PUBLISHERS }, (_, at) => Publisher.make(way, profile, `publisher${at}`)));
  await untilCosigned(port, line);
  const seen = (await pageOf(port, "/mesh/1/checkpoint")) ?? assert.fail();
  /** Holds what a server has to all that was acknowledged. */
  const judged = async (server: Cluster): Promise<void> => {
    const store = await openPostgresStore(server.url, { owner: profile.id });
    try {
      await judgeLog(store, signers, publishers.flatMap((one) => one.promised), [seen]);
    } finally {
      await store.close();
    }
  };
  return { place, directory, port, cosigned, options, line, publishers, judged };
}
