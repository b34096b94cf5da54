import assert from "node:assert/strict";
import { after, afterEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openCluster, withoutPostgres } from "../../test/support/cluster.ts";
import { cases } from "../../test/support/long.ts";
import { openUnguarded } from "../../test/support/unguarded.ts";
import { endWriters, troubles, writers } from "./test-postgres-writers.ts";

const UPDATES = cases(2000, 100_000);

describe("postgres: several processes", { skip: withoutPostgres }, async () => {
  if (withoutPostgres !== false) return;
  const cluster = await openCluster();
  after(() => cluster.close());
  afterEach(endWriters);
  const emptied = () => cluster.ask("DROP SCHEMA IF EXISTS mesh CASCADE");

  test(`four processes, stopped and killed at random, make ${UPDATES} updates: no fork, gap or duplicate, and every index that was told is true`, { timeout: 3_600_000 }, async (t) => {
    await emptied();
    const said = new Map<string, number>();
    const start = writers(cluster.url, said);
    const share = Math.ceil(UPDATES / 4);
    const four = Array.from({ length: 4 }, () => start(share));
    let [stopped, killed] = [0, 0];
    const over = new AbortController();
    const strike = async (): Promise<void> => {
      while (!over.signal.aborted) {
        await sleep(20 + Math.random() * 200);
        const at = Math.floor(Math.random() * 4);
        const victim = four[at];
        if (victim === undefined || victim.child.exitCode !== null || over.signal.aborted) continue;
        if (Math.random() < 0.7) {
          stopped += 1;
          victim.child.kill("SIGSTOP");
          await sleep(Math.random() * 400);
          victim.child.kill("SIGCONT");
        } else {
          killed += 1;
          victim.child.kill("SIGKILL");
          await victim.ended;
          four[at] = start(share);
        }
      }
    };
    const striking = strike();
    while (said.size < UPDATES) await sleep(50);
    over.abort();
    await striking;
    for (const { child, ended } of four) {
      child.kill("SIGKILL");
      await ended;
    }
    const { found, size } = await troubles(cluster, said);
    t.diagnostic(`${size} updates, ${said.size} of them acknowledged; ${stopped} times a process was stopped, ${killed} times killed`);
    assert.deepEqual(found, []);
    assert.ok(stopped + killed > 0);
  });

  test("the same without the comparison goes wrong, and is found out", async (t) => {
    await emptied();
    const unguarded = await openUnguarded(cluster);
    t.after(() => unguarded.close());
    unguarded.loosen();
    const said = new Map<string, number>();
    const start = writers(unguarded.url, said);
    const four = Array.from({ length: 4 }, () => start(200));
    for (const { ended } of four) await ended;
    const { found } = await troubles(cluster, said);
    assert.ok(found.some((one) => one.startsWith("lost updates")) && found.some((one) => one.startsWith("fork")), found.slice(0, 5).join("; "));
  });

  test("a server that crashes and comes back under load, three times: the processes go on, and all that was acknowledged is there", { timeout: 240_000 }, async (t) => {
    await emptied();
    const said = new Map<string, number>();
    const start = writers(cluster.url, said);
    const two = [start(1_000_000), start(1_000_000)];
    const before: number[] = [];
    for (let round = 0; round < 3; round++) {
      const enough = said.size + 100;
      while (said.size < enough) await sleep(20);
      await cluster.stop("crash");
      before.push(said.size);
      await cluster.start();
    }
    const enough = said.size + 100;
    while (said.size < enough) await sleep(20);
    assert.ok(two.every(({ child }) => child.exitCode === null));
    for (const { child, ended } of two) {
      child.kill("SIGKILL");
      await ended;
    }
    const { found, size } = await troubles(cluster, said);
    t.diagnostic(`${size} updates, ${said.size} acknowledged; crashes after ${before.join(", ")}`);
    assert.deepEqual(found, []);
  });
});
