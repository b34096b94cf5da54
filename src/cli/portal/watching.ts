import type { Watching } from "../../portal/watching.ts";
import type { PortalData } from "./data.ts";

/** How often it is looked what is due by the clock, in milliseconds. */
const TICK_MS = 1_000;

/** Has a portal tell devices of changes, by the clock and by what other processes on its database do; returns what ends it. */
export async function beginWatching(watching: Watching, { settings }: Pick<PortalData, "settings">): Promise<() => Promise<void>> {
  const ticking = setInterval(() => watching.tick(), TICK_MS);
  const { database } = settings;
  const following = database === undefined ? undefined : (await import("../../store/postgres-follow.ts")).followPostgres(database, (key) => void watching.changed(key));
  return async () => {
    clearInterval(ticking);
    watching.end();
    await following?.stop();
  };
}
