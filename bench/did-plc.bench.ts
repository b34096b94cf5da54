import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { openCluster } from "../test/support/cluster.ts";
import { atLeast, atMost, type Bench, median, reported } from "./bench.ts";
import { createAll, creations, installDidPlc, startPeer } from "./peers/did-plc.ts";
import { copyPortal, openFixture, portalId } from "./portal/fixture.ts";
import { freePort } from "../test/support/free-port.ts";
import { servePortal } from "./portal/process.ts";
import { rate } from "./portal/round.ts";
import { startWorker } from "./portal/worker-process.ts";

const BAR = 8;
const PAIRS = 5;
const CONNECTIONS = 64;
const CREATIONS = 400;
/** The peer refuses transactions that meet: it is fastest with few connections, and is measured with the best of these. */
const FEW = [1, 2, 3, 4];

/** A portal beside the other server that keeps people's keys by signed operations. */
export const bench: Bench = {
  name: "did-plc",
  about: `Personal Profiles that a portal with its log accepts over TLS 1.3, ${CONNECTIONS} connections, against identities that a did:plc server creates over plain HTTP, on PostgreSQL; each by turns alone on the machine, medians of ${PAIRS} pairs`,
  run: async () => {
    const [fixture, folder, cluster, place] = [await openFixture(console.error), await installDidPlc(console.error), await openCluster(), mkdtempSync(join(tmpdir(), "mesh-bench-"))];
    const ended: (() => unknown)[] = [() => cluster.close(), () => rmSync(place, { recursive: true, force: true })];
    try {
      const peer = await startPeer(folder, cluster.url);
      ended.unshift(peer.end);
      const port = await freePort();
      const served = await servePortal(copyPortal(fixture, place, port));
      ended.unshift(served.end);
      const load = await startWorker("load", [fixture.folder, String(port), portalId(fixture)], availableParallelism());
      ended.unshift(load.end);
      const created = async (atOnce: number): Promise<number> => rate(await createAll(peer.port, await creations(folder, CREATIONS), atOnce));
      // The first rounds warm both up.
      await created(1);
      await load.round(0, CONNECTIONS);
      const tried = [];
      for (const atOnce of FEW) tried.push({ atOnce, rate: await created(atOnce) });
      const best = tried.sort((a, b) => b.rate - a.rate)[0]?.atOnce ?? 1;
      const pairs: { readonly mine: number; readonly few: number; readonly many: number; readonly wrong: number }[] = [];
      for (let round = 1; round <= PAIRS; round++) {
        const [few, many] = [await created(best), await created(CONNECTIONS)];
        const updated = await load.round(round, CONNECTIONS);
        pairs.push({ few, many, mine: rate(updated), wrong: updated.wrong });
      }
      const middle = (of: (pair: (typeof pairs)[number]) => number): number => median(pairs.map(of));
      return [
        atLeast(BAR, { name: "updates a second over TLS 1.3", value: middle(({ few, mine }) => mine / few), unit: "x did:plc creations", against: `${middle(({ mine }) => mine).toFixed(0)} against ${middle(({ few }) => few).toFixed(0)} a second on ${best} connection${best === 1 ? "" : "s"}` }),
        reported({ name: `the same, the peer too with ${CONNECTIONS} connections`, value: middle(({ many, mine }) => mine / many), unit: "x did:plc creations", against: `${middle(({ many }) => many).toFixed(0)} a second, and most refused` }),
        atMost(0, { name: "requests that ended otherwise than they must", value: pairs.reduce((sum, { wrong }) => sum + wrong, 0), unit: "", against: "the portal's" }),
      ];
    } finally {
      for (const end of ended) await end();
    }
  },
};
