import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makePortalData } from "../src/cli/portal/data.ts";
import { atMost, type Bench, median, type Measurement } from "./bench.ts";
import { copyPortal, openFixture, portalId } from "./portal/fixture.ts";
import { freePort } from "../test/support/free-port.ts";
import { servePortal, type ServedPortal } from "./portal/process.ts";
import { startWorker } from "./portal/worker-process.ts";

const STARTS = 7;
const ROUNDS = 3;
const CLIENTS = 64;
/** How long a portal is left alone before its memory is read, in milliseconds. */
const [FRESH_MS, SETTLED_MS] = [1_000, 10_000];
const [BAR_READY_MS, BAR_FRESH_MB, BAR_SETTLED_MB] = [300, 75, 100];

/** What a portal costs that nobody asks: how soon it is ready and how much memory it holds, before and after work. */
export const bench: Bench = {
  name: "portal-process",
  about: `mesh portal serve from the bundle: from its start to its ready line (median of ${STARTS}), and its resident memory ${FRESH_MS / 1000} s after that, and ${SETTLED_MS / 1000} s after ${ROUNDS} rounds of updates`,
  run: async () => {
    const place = mkdtempSync(join(tmpdir(), "mesh-bench-"));
    try {
      return [...(await fresh(place)), await settled(place)];
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  },
};

async function fresh(place: string): Promise<readonly Measurement[]> {
  const directory = join(place, "empty");
  await makePortalData(directory, { accounts: "open", domain: "example.com", host: "127.0.0.1", port: await freePort() });
  await (await servePortal(directory)).end(); // builds the bundle where it is stale
  const [times, empties, sizes]: [number[], number[], number[]] = [[], [], []];
  for (let start = 0; start < STARTS; start++) {
    empties.push(emptyNode());
    const portal = await servePortal(directory);
    times.push(portal.readyMs);
    await sleep(FRESH_MS);
    sizes.push(megabytes(portal));
    await portal.end();
  }
  return [
    atMost(BAR_READY_MS, { name: "portal ready", value: median(times), unit: "ms", against: `empty Node process: ${median(empties).toFixed(0)} ms` }),
    atMost(BAR_FRESH_MB, { name: "memory of a fresh portal", value: median(sizes), unit: "MB", against: "resident, the shared Node binary included" }),
  ];
}

async function settled(place: string): Promise<Measurement> {
  const fixture = await openFixture(console.error);
  const port = await freePort();
  const portal = await servePortal(copyPortal(fixture, place, port));
  const load = await startWorker("load", [fixture.folder, String(port), portalId(fixture)], availableParallelism());
  try {
    let accepted = 0;
    for (let round = 0; round < ROUNDS; round++) accepted += (await load.round(round, CLIENTS)).accepted;
    const busy = megabytes(portal);
    await sleep(SETTLED_MS);
    return atMost(BAR_SETTLED_MB, { name: "memory of a portal settled after load", value: megabytes(portal), unit: "MB", against: `${busy.toFixed(0)} MB at the end of ${accepted} updates over ${CLIENTS} connections, which stay open` });
  } finally {
    load.end();
    await portal.end();
  }
}

function emptyNode(): number {
  const started = performance.now();
  spawnSync(process.execPath, ["-e", ""]);
  return performance.now() - started;
}

/** The resident memory of a process, in megabytes of a million octets. */
function megabytes({ pid }: ServedPortal): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kilobytes) * 1024) / 1e6;
}
