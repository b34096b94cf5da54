import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { atLeast, atMost, type Bench, median, type Measurement, reported } from "./bench.ts";
import { copyPortal, type Fixture, openFixture, portalId } from "./portal/fixture.ts";
import { freePort } from "../test/support/free-port.ts";
import { servePortal } from "./portal/process.ts";
import { p99, rate, type Round } from "./portal/round.ts";
import { startWorker, type Worker } from "./portal/worker-process.ts";

const PAIRS = 5;
const IN_FLIGHT = 128;
const CONNECTIONS = 64;
const CLIENTS = 200;
const [BAR_INSIDE, BAR_TLS, BAR_P99_MS] = [0.8, 0.6, 300];

/** What part of its time a portal spends on what it must: verifying signatures. */
export const bench: Bench = {
  name: "portal-throughput",
  about: `Personal Profiles accepted, durable and verified, of thousands of accounts in random order, against bare verification of their signatures; medians of ${PAIRS} interleaved pairs`,
  run: async () => {
    const fixture = await openFixture(console.error);
    const place = mkdtempSync(join(tmpdir(), "mesh-bench-"));
    const ended: (() => unknown)[] = [];
    const start = async (role: string, args: readonly string[], threads: number): Promise<Worker> => {
      const worker = await startWorker(role, args, threads);
      ended.push(worker.end);
      return worker;
    };
    try {
      const threads = await bestThreads(fixture, start);
      const bare = await start("bare", [fixture.folder], threads);
      return [...(await inside(fixture, place, bare, start)), ...(await overTls(fixture, place, bare, start, ended))];
    } finally {
      for (const end of ended) await end();
      rmSync(place, { recursive: true, force: true });
    }
  },
};

type Start = (role: string, args: readonly string[], threads: number) => Promise<Worker>;

/** The size of the thread pool with which bare verification is fastest here: the portal is not measured against a handicapped limit. */
async function bestThreads(fixture: Fixture, start: Start): Promise<number> {
  const cores = availableParallelism();
  const tried: { threads: number; rate: number }[] = [];
  for (const threads of [cores, cores + 1, 2 * cores]) {
    const worker = await start("bare", [fixture.folder], threads);
    await worker.round(0, IN_FLIGHT);
    tried.push({ threads, rate: rate(await worker.round(0, IN_FLIGHT)) });
    worker.end();
  }
  return tried.sort((a, b) => b.rate - a.rate)[0]?.threads ?? cores;
}

async function inside(fixture: Fixture, place: string, bare: Worker, start: Start): Promise<readonly Measurement[]> {
  const floor = await start("floor", [fixture.folder, place, portalId(fixture)], availableParallelism());
  const least = await pairs(bare, floor, IN_FLIGHT);
  floor.end();
  const portal = await start("inside", [fixture.folder, copyPortal(fixture, place, 1), portalId(fixture)], portalThreads());
  const { ratio, against } = await pairs(bare, portal, IN_FLIGHT);
  portal.end();
  return [
    reported({ name: "the least a service does: MAC, JSON, verification, one row", value: least.ratio, unit: "x bare verification", against: least.against }),
    atLeast(BAR_INSIDE, { name: "updates a second without HTTP", value: ratio, unit: "x bare verification", against: `${against}; ${(ratio / least.ratio).toFixed(2)} of the least` }),
  ];
}

async function overTls(fixture: Fixture, place: string, bare: Worker, start: Start, ended: (() => unknown)[]): Promise<readonly Measurement[]> {
  const port = await freePort();
  const served = await servePortal(copyPortal(fixture, place, port));
  ended.push(served.end);
  const load = await start("load", [fixture.folder, String(port), portalId(fixture)], availableParallelism());
  const { ratio, against, rounds } = await pairs(bare, load, CONNECTIONS);
  const crowd = await load.round(PAIRS + 1, CLIENTS);
  const wrong = [...rounds, crowd].reduce((sum, one) => sum + one.wrong, 0);
  return [
    atLeast(BAR_TLS, { name: "updates a second over TLS 1.3", value: ratio, unit: "x bare verification", against }),
    atMost(BAR_P99_MS, { name: `99 of 100 answers to ${CLIENTS} clients within`, value: p99([crowd]), unit: "ms", against: `${rate(crowd).toFixed(0)} updates a second` }),
    atMost(0, { name: "requests that ended otherwise than they must", value: wrong, unit: "", against: `${[...rounds, crowd].reduce((sum, one) => sum + one.accepted, 0)} accepted` }),
  ];
}

/** As many as the launcher gives a portal: one core is left to its main thread. */
function portalThreads(): number {
  return Math.max(1, availableParallelism() - 1);
}

/** Lets a portal and bare verification take turns; the first round warms both up and does not count. */
async function pairs(bare: Worker, portal: Worker, atOnce: number): Promise<{ readonly ratio: number; readonly against: string; readonly rounds: readonly Round[] }> {
  const [limits, rounds]: [number[], Round[]] = [[], []];
  for (let round = 0; round <= PAIRS; round++) {
    const limit = await bare.round(round, IN_FLIGHT);
    const mine = await portal.round(round, atOnce);
    if (mine.wrong > 0) throw new Error(`${mine.wrong} requests ended otherwise than they must; if the protocol has changed, remove the fixture in ${tmpdir()}`);
    if (round === 0) continue;
    limits.push(rate(limit));
    rounds.push(mine);
  }
  const ratios = rounds.map((one, at) => rate(one) / (limits[at] ?? Number.NaN));
  return { ratio: median(ratios), against: `${median(rounds.map(rate)).toFixed(0)} against ${median(limits).toFixed(0)} a second`, rounds };
}
