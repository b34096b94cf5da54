// Several processes of one portal, stopped and killed at random, and a client that asks any of them.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, openConnection, type Trust } from "../../src/http/call.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import type { Cluster } from "./cluster.ts";
import { freePort } from "./free-port.ts";
import type { Place, PortalProcess } from "./processes.ts";

/** A portal of several processes on one database, each with a port of its own. */
export type Portals = { readonly pin: string; readonly directory: string; readonly processes: readonly PortalProcess[]; readonly ports: readonly number[] };

/** Makes a portal on a database, and with a depot where one is named, and starts so many processes of it. */
export async function startPortals(place: Place, cluster: Pick<Cluster, "url">, count: number, depot?: string): Promise<Portals> {
  const directory = place.home("portal-0");
  const { fingerprint } = await place.json<{ fingerprint: string }>("operator", ["portal", "init", "--data", directory, "--domain", "example.com", "--accounts", "open", "--database", cluster.url, ...(depot === undefined ? [] : ["--depot", depot])]);
  const settings = readFileSync(join(directory, "portal.json"), "utf8");
  const { port: first } = JSON.parse(settings) as { port: number };
  const ports: number[] = [];
  for (let at = 0; at < count; at++) {
    const one = place.home(`portal-${at}`);
    if (at > 0) cpSync(directory, one, { recursive: true });
    ports.push(await freePort());
    writeFileSync(join(one, "portal.json"), settings.replace(`"port":${first}`, `"port":${ports[at]}`));
  }
  const processes = ports.map((_, at) => place.made(place.home(`portal-${at}`), ["--writes-per-hour", "100000000"]));
  await Promise.all(processes.map((one) => one.start()));
  return { pin: fingerprint, directory, processes, ports };
}

/** A way to a portal that takes another of its processes with each request, as if a balancer stood between. */
export function hopping({ ports }: Portals, trust: Trust): Connection {
  const ways = ports.map((port) => openConnection(`https://127.0.0.1:${port}`, { trust }));
  const any = (): Connection => ways[Math.floor(Math.random() * ways.length)] as Connection;
  return {
    post: (path, headers, body) => any().post(path, headers, body),
    get: (path, headers) => any().get(path, headers),
    stream: (path, headers, body, bounds) => any().stream(path, headers, body, bounds),
    counters: { sent: 0, received: 0 },
    close: () => {
      for (const way of ways) way.close();
    },
  };
}

/** What a kill, or a standstill, may be met with: nobody was there who could. */
const AWAY: ReadonlySet<string> = new Set(["service-unreachable", "service-timeout", "service-busy", "service-handshake-failed"]);

/** So long nobody may be there before it is no kill and no standstill, in milliseconds. */
const PATIENCE = 600_000;

/** Does something again until a portal was there that could, and for no other reason. */
export async function insisting<T>(act: () => Promise<T>): Promise<T> {
  for (const begun = performance.now(); ; ) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof MeshError) || !AWAY.has(error.code) || performance.now() - begun > PATIENCE) throw error;
      await sleep(20);
    }
  }
}

/** Stops processes for a while, and kills and starts them, one at a time, until it is told to end; says how often. */
export async function strike({ processes }: Portals, over: AbortSignal): Promise<{ readonly stopped: number; readonly killed: number }> {
  let [stopped, killed] = [0, 0];
  while (!over.aborted) {
    await sleep(20 + Math.random() * 200);
    const victim = processes[Math.floor(Math.random() * processes.length)] as PortalProcess;
    if (Math.random() < 0.7) {
      stopped += 1;
      victim.signal("SIGSTOP");
      await sleep(Math.random() * 600);
      victim.signal("SIGCONT");
    } else {
      killed += 1;
      await victim.stop("SIGKILL");
      await victim.start();
    }
  }
  return { stopped, killed };
}
