import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { after, afterEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Cluster, openCluster, withoutPostgres } from "../../test/support/cluster.ts";
import { cases } from "../../test/support/long.ts";
import { readNumber } from "./conformance-values.ts";
import { openPostgresStore } from "./postgres.ts";

const UPDATES = cases(2000, 100_000);
const program = fileURLToPath(new URL("test-postgres-writer.ts", import.meta.url));

type Writer = { readonly name: string; readonly child: ChildProcess; readonly ended: Promise<unknown> };

/** Whoever was started: a test that fails leaves nobody behind. */
const children = new Set<ChildProcess>();

/** Starts writers; what they say was acknowledged is gathered in `said`, with its index. */
function writers(url: string, said: Map<string, number>, unguarded = false) {
  let started = 0;
  return (count: number): Writer => {
    const name = `w${started++}`;
    const child = spawn(process.execPath, [program, url, name, String(count), ...(unguarded ? ["unguarded"] : [])], { stdio: ["ignore", "pipe", "inherit"] });
    children.add(child);
    let rest = "";
    child.stdout.setEncoding("latin1").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) said.set(line.split(" ")[0] ?? "", Number(line.split(" ")[1]));
    });
    return { name, child, ended: once(child, "close") };
  };
}

/** All that is wrong with what the writers left, in words. */
async function troubles(cluster: Cluster, said: ReadonlyMap<string, number>): Promise<{ readonly found: string[]; readonly size: number }> {
  const store = await openPostgresStore(cluster.url, { owner: "test" });
  const found: string[] = [];
  const { count, entries, leaves } = await store.read(async (r) => ({ count: await readNumber(r, "n", "count"), entries: await r.list("s", ""), leaves: await r.leaves(0) }));
  await store.close();
  const log = leaves.map((leaf) => Buffer.from(leaf).toString());
  const head = Number(await cluster.ask("SELECT size FROM mesh.head"));
  const numbers = await cluster.ask("SELECT count(*) || ' ' || coalesce(min(number), 0) || ' ' || coalesce(max(number) + 1, 0) FROM mesh.log");
  if (numbers !== `${log.length} 0 ${head}`) found.push(`gap: ${numbers}, the head says ${head}`);
  if (new Set(log).size !== log.length) found.push("duplicate");
  if (count !== log.length) found.push(`lost updates: ${count} counted, ${log.length} in the log`);
  for (const { key, value } of entries) if (log[Number(Buffer.from(value))] !== key) found.push(`fork: ${key} was told index ${Buffer.from(value).toString()}`);
  for (const [key, index] of said) if (log[index] !== key) found.push(`acknowledged and not there: ${key} at ${index}`);
  if (entries.length !== log.length) found.push(`${entries.length} entries, ${log.length} leaves`);
  return { found, size: log.length };
}

describe("postgres: several processes", { skip: withoutPostgres }, async () => {
  if (withoutPostgres !== false) return;
  const cluster = await openCluster();
  after(() => cluster.close());
  afterEach(() => {
    for (const child of children) child.kill("SIGKILL");
    children.clear();
  });
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

  test("the same without the comparison goes wrong, and is found out", async () => {
    await emptied();
    const said = new Map<string, number>();
    const start = writers(cluster.url, said, true);
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
