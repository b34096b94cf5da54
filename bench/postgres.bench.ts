import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, openCluster } from "../test/support/cluster.ts";
import { freePort } from "../test/support/free-port.ts";
import { atMost, type Bench, median, type Measurement, reported } from "./bench.ts";
import { copyPortal, type Fixture, openFixture, portalId } from "./portal/fixture.ts";
import { copyToPostgres } from "./portal/on-postgres.ts";
import { servePortal } from "./portal/process.ts";
import { rate } from "./portal/round.ts";
import { startWorker } from "./portal/worker-process.ts";

const PAIRS = 3;
const CONNECTIONS = 64;
const PROCESSES = 4;

/** What the other engine costs a portal, and what more processes on it are worth. */
export const bench: Bench = {
  name: "postgres",
  about: `Personal Profiles that a portal accepts over TLS 1.3, ${CONNECTIONS} connections, its records in PostgreSQL, by one process and by ${PROCESSES}, against the same portal on SQLite, and against commits of one row by PostgreSQL's own pgbench; by turns, medians of ${PAIRS} rounds`,
  run: async () => {
    const [fixture, cluster, place] = [await openFixture(console.error), await openCluster(), mkdtempSync(join(tmpdir(), "mesh-bench-"))];
    const ended: (() => unknown)[] = [() => cluster.close(), () => rmSync(place, { recursive: true, force: true })];
    try {
      const port = await freePort();
      const all = { sqlite: await startSide(fixture, [{ directory: copyPortal(fixture, place, port), port }], ended) } as { [name in "sqlite" | "one" | "four"]: Side };
      for (const [name, processes] of [["one", 1], ["four", PROCESSES]] as const) {
        await cluster.ask(`CREATE DATABASE ${name}`);
        all[name] = await startSide(fixture, await copyToPostgres(fixture, place, cluster.url.replace("/postgres?", `/${name}?`), processes), ended);
      }
      const rounds: { readonly [name in keyof typeof all | "commits"]: Spent }[] = [];
      for (let round = 0; round <= PAIRS; round++) {
        const spent = { sqlite: await all.sqlite(round, cluster), one: await all.one(round, cluster), four: await all.four(round, cluster), commits: await commits(cluster, place) };
        // The first warms all up.
        if (round > 0) rounds.push(spent);
      }
      return measurements(rounds);
    } finally {
      for (const end of ended) await end();
    }
  },
};

/** Updates, or commits, a second; milliseconds of processor for each, of the portal's processes and of the server's; what went wrong. */
type Spent = { readonly rate: number; readonly portal: number; readonly server: number; readonly wrong: number };
type Side = (round: number, cluster: Cluster) => Promise<Spent>;

async function startSide(fixture: Fixture, copies: readonly { readonly directory: string; readonly port: number }[], ended: (() => unknown)[]): Promise<Side> {
  const portals: number[] = [];
  for (const { directory } of copies) {
    const portal = await servePortal(directory);
    ended.unshift(portal.end);
    portals.push(portal.pid);
  }
  const load = await startWorker("load", [fixture.folder, copies.map((one) => one.port).join(","), portalId(fixture)], availableParallelism());
  ended.unshift(load.end);
  return async (round, cluster) => {
    const server = await cluster.pids();
    const before = [processorOf(portals), processorOf(server)];
    const done = await load.round(round, CONNECTIONS);
    const [portal = 0, service = 0] = [processorOf(portals), processorOf(server)].map((after, at) => (after - (before[at] ?? 0)) / done.accepted);
    return { rate: rate(done), portal, server: service, wrong: done.wrong };
  };
}

/** Commits a second of one row that each of them changes, one after the other on one connection: what waits for the disk, and nothing else. */
async function commits(cluster: Cluster, place: string): Promise<Spent> {
  const script = join(cluster.folder, "one-row.sql");
  writeFileSync(script, "UPDATE one.row SET version = version + 1;\n", { mode: 0o644 });
  await cluster.ask("CREATE SCHEMA IF NOT EXISTS one; CREATE TABLE IF NOT EXISTS one.row (version bigint); INSERT INTO one.row SELECT 0 WHERE NOT EXISTS (SELECT FROM one.row)");
  const said = await cluster.run("pgbench", ["-h", cluster.socket, "-U", "mesh", "-n", "-c", "1", "-T", "2", "-f", script, "postgres"]);
  const found = /^tps = ([\d.]+)/m.exec(said)?.[1];
  if (found === undefined) throw new Error(`pgbench says no number in ${place}: ${said}`);
  return { rate: Number(found), portal: 0, server: 0, wrong: 0 };
}

function measurements(rounds: readonly { readonly [name in "sqlite" | "one" | "four" | "commits"]: Spent }[]): readonly Measurement[] {
  type Round = (typeof rounds)[number];
  const middle = (of: (round: Round) => number): number => median(rounds.map(of));
  const against = (name: "one" | "four"): string => `${middle((r) => r[name].rate).toFixed(0)} against ${middle((r) => r.sqlite.rate).toFixed(0)} a second; pgbench commits one row ${middle((r) => r.commits.rate).toFixed(0)} times a second`;
  const cost = (name: "one" | "four"): Measurement => reported({ name: `processor an update takes, by ${name === "one" ? "one process" : `${PROCESSES} processes`}`, value: middle((r) => r[name].portal + r[name].server), unit: "ms", against: `${middle((r) => r[name].server).toFixed(2)} of it the server's; on SQLite ${middle((r) => r.sqlite.portal).toFixed(2)}` });
  return [
    reported({ name: "updates a second on PostgreSQL, by one process", value: middle((r) => r.one.rate / r.sqlite.rate), unit: "x SQLite", against: against("one") }),
    reported({ name: `the same by ${PROCESSES} processes on one server`, value: middle((r) => r.four.rate / r.sqlite.rate), unit: "x SQLite", against: against("four") }),
    cost("one"),
    cost("four"),
    atMost(0, { name: "requests that ended otherwise than they must", value: rounds.reduce((sum, { sqlite, one, four }) => sum + sqlite.wrong + one.wrong + four.wrong, 0), unit: "", against: "the portal's" }),
  ];
}

/** Milliseconds of processor that processes have taken so far. */
function processorOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ticksOf(pid) * (1000 / TICKS), 0);
}

/** What Linux counts in. */
const TICKS = 100;

function ticksOf(pid: number): number {
  try {
    const [user = 0, system = 0] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ").slice(11, 13).map(Number) ?? [];
    return user + system;
  } catch {
    return 0;
  }
}
