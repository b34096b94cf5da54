import { monitorEventLoopDelay, performance } from "node:perf_hooks";

import type { ServeEvent } from "../../http/serve.ts";
import type { PortalEvent } from "../../portal/portal.ts";
import type { Census } from "../../portal/upkeep/census.ts";
import type { Purged } from "../../portal/upkeep/purge.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { Store } from "../../store/store.ts";
import { Counts, Histograms, type Metric } from "./exposition.ts";

const RESOLUTION_MS = 10;

/** What a running portal counts of itself: sums and times, by command and code. No name, address or identifier comes near it. */
export class Meter {
  readonly #requests = new Counts();
  readonly #seconds = new Histograms();
  readonly #wire = new Counts();
  readonly #works = new Counts();
  readonly #workSeconds = new Histograms();
  readonly #purged = new Counts();
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #inFlight = 0;
  #working = { read: 0, transact: 0 };
  #census: Census | undefined;

  constructor() {
    this.#delay.enable();
  }

  /** One request, as the portal tells it. */
  request({ command, outcome, ms }: PortalEvent): void {
    this.#requests.add({ command, outcome });
    this.#seconds.observe(command, ms / 1000);
  }

  /** What became of a connection before there was a request. */
  wire(event: ServeEvent): void {
    if (event.kind === "refused") this.#wire.add({ what: String(event.status) });
    else if (event.kind === "handshake-failed" || event.kind === "dropped") this.#wire.add({ what: event.kind });
  }

  purged({ accounts, commits, sessions }: Purged & { readonly commits: number }): void {
    this.#purged.add({ what: "account" }, accounts);
    this.#purged.add({ what: "session" }, sessions);
    this.#purged.add({ what: "commit" }, commits);
  }

  counted(census: Census): void {
    this.#census = census;
  }

  /** Counts a request while it is answered. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#inFlight += 1;
    try {
      return await work();
    } finally {
      this.#inFlight -= 1;
    }
  }

  /** The same store, whose works are counted and timed, waiting for their turn included. */
  store<S extends Store>(store: S): Store {
    const timed = async <T>(kind: "read" | "transact", work: () => Promise<T>): Promise<T> => {
      const started = performance.now();
      this.#working[kind] += 1;
      let outcome = "ok";
      try {
        return await work();
      } catch (error) {
        outcome = error instanceof MeshError && error.code.startsWith("store-") ? error.code : "refused";
        throw error;
      } finally {
        this.#working[kind] -= 1;
        this.#works.add({ kind, outcome });
        this.#workSeconds.observe(kind, (performance.now() - started) / 1000);
      }
    };
    return { read: (work) => timed("read", () => store.read(work)), transact: (work) => timed("transact", () => store.transact(work)), close: () => store.close() };
  }

  /** Everything, as it stands; `connections` is what the listener has open, `watching` how many wait to be told of changes. */
  metrics(connections: number, { watching, told }: { readonly watching: number; readonly told: number }): readonly Metric[] {
    return [
      { name: "mesh_portal_requests_total", help: "Requests answered, by command and outcome.", type: "counter", samples: this.#requests.samples() },
      { name: "mesh_portal_request_seconds", help: "Time from a whole request to its answer, by command.", type: "histogram", samples: this.#seconds.samples("command") },
      { name: "mesh_portal_requests_in_flight", help: "Requests that are being answered.", type: "gauge", samples: [{ value: this.#inFlight }] },
      { name: "mesh_portal_connections", help: "TLS connections that are open.", type: "gauge", samples: [{ value: connections }] },
      { name: "mesh_portal_watching", help: "Devices that wait to be told of changes.", type: "gauge", samples: [{ value: watching }] },
      { name: "mesh_portal_told_total", help: "How often a device that waited was told of a change.", type: "counter", samples: [{ value: told }] },
      { name: "mesh_portal_wire_refusals_total", help: "Connections and requests turned away before the portal saw them, by HTTP status or reason.", type: "counter", samples: this.#wire.samples() },
      { name: "mesh_portal_store_works_total", help: "Reads and transactions of the store, by outcome.", type: "counter", samples: this.#works.samples() },
      { name: "mesh_portal_store_work_seconds", help: "Time of reads and transactions, waiting for their turn included.", type: "histogram", samples: this.#workSeconds.samples("kind") },
      { name: "mesh_portal_store_works_in_flight", help: "Reads and transactions that run or wait.", type: "gauge", samples: Object.entries(this.#working).map(([kind, value]) => ({ labels: { kind }, value })) },
      { name: "mesh_portal_purged_total", help: "Closed accounts, old sessions and released commits taken away.", type: "counter", samples: this.#purged.samples() },
      ...censusMetrics(this.#census),
      ...processMetrics(),
      ...this.#delays(),
    ];
  }

  #delays(): readonly Metric[] {
    // What is measured is the time between two looks, which are a resolution apart when nothing is late.
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000);
    const quantiles = [0.5, 0.99, 1].map((quantile) => ({ labels: { quantile: String(quantile) }, value: late(quantile === 1 ? this.#delay.max : this.#delay.percentile(quantile * 100)) }));
    this.#delay.reset();
    return [{ name: "mesh_portal_event_loop_delay_seconds", help: "How late the event loop was since the last scrape.", type: "summary", samples: quantiles }];
  }
}

function censusMetrics(census: Census | undefined): readonly Metric[] {
  if (census === undefined) return [];
  return [
    { name: "mesh_portal_accounts", help: "Accounts that are kept, by state.", type: "gauge", samples: Object.entries(census.accounts).map(([state, value]) => ({ labels: { state }, value })) },
    { name: "mesh_portal_kept_bytes", help: "Octets that all accounts have used up of their room.", type: "gauge", samples: [{ value: census.octets }] },
    { name: "mesh_portal_sessions", help: "Sessions that are kept.", type: "gauge", samples: [{ value: census.sessions }] },
    { name: "mesh_portal_connection_requests", help: "Devices that wait to be let in.", type: "gauge", samples: [{ value: census.waiting }] },
  ];
}

function processMetrics(): readonly Metric[] {
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    { name: "process_resident_memory_bytes", help: "Memory in use.", type: "gauge", samples: [{ value: rss }] },
    { name: "nodejs_heap_size_used_bytes", help: "Memory in use by objects.", type: "gauge", samples: [{ value: heapUsed }] },
    { name: "nodejs_external_memory_bytes", help: "Memory in use by buffers.", type: "gauge", samples: [{ value: external }] },
    { name: "process_cpu_seconds_total", help: "Processor time.", type: "counter", samples: [{ value: (user + system) / 1e6 }] },
    { name: "process_start_time_seconds", help: "When this process began, in seconds since 1970.", type: "gauge", samples: [{ value: performance.timeOrigin / 1000 }] },
  ];
}
