import { takeCensus } from "../../portal/upkeep/census.ts";
import { forget } from "../../portal/upkeep/forget.ts";
import { purge } from "../../portal/upkeep/purge.ts";
import type { Store } from "../../store/store.ts";
import type { Log } from "./log.ts";
import type { Meter } from "./meter.ts";
import type { PortalDepot } from "./store.ts";

const HOUR_MS = 3_600_000;
const CENSUS_MS = 5 * 60_000;

/** What a portal does by itself while it serves: takes away what is over, and counts what there is. Both may be cut off at any time. */
export function beginUpkeep(store: Store, depot: PortalDepot | undefined, written: () => Promise<void>, meter: Meter | undefined, log: Log, now: () => number): () => void {
  let stopped = false;
  let under = Promise.resolve();
  const turn = (work: () => Promise<void>) => (): void => {
    under = under.then(() => (stopped ? undefined : work())).catch((error: unknown) => {
      if (!stopped) log.note("error", "upkeep-failed", { fault: error instanceof Error ? error.message : "unknown" });
    });
  };
  const clean = turn(async () => {
    const purged = { ...(await purge(store, now(), written)), commits: await forget(store, now()) };
    await depot?.sweep(now());
    meter?.purged(purged);
    if (purged.accounts + purged.sessions + purged.commits > 0) log.note("info", "purged", purged);
  });
  const count = turn(async () => meter?.counted(await takeCensus(store, now())));
  const timers = [setTimeout(clean, 60_000).unref(), setInterval(clean, HOUR_MS).unref()];
  if (meter !== undefined) {
    timers.push(setInterval(count, CENSUS_MS).unref());
    count();
  }
  return () => {
    stopped = true;
    for (const timer of timers) clearTimeout(timer);
  };
}
