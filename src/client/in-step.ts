import { applications } from "../applications/index.ts";
import type { Client } from "./client.ts";
import type { JournalRow } from "./outbox.ts";

/** How a device hears of changes: as the portal tells them, by answers that wait for one, or only by asking from time to time. */
export type Way = "stream" | "answers" | "asking";

/** How a device goes on: its way, how often it failed in a row, over how many milliseconds the portal wants coming back spread, and when a better way is tried again. */
export type Pace = { readonly way: Way; readonly failures: number; readonly spread: number; readonly tryAt: number };

/** What came of it: the other side ended what stood, or it failed, with what the portal said of when to come back. */
export type Met = { readonly kind: "ended" } | { readonly kind: "failed"; readonly retryMs: number | undefined } | { readonly kind: "held-back" | "unknown" };

/** As a device begins. */
export const beginning: Pace = { way: "stream", failures: 0, spread: 1_000, tryAt: 0 };

/** A worse way is kept for so long, in milliseconds. */
const WORSE_MS = 3_600_000;
/** The most to wait after failures, and the most that a portal can have a device wait; milliseconds. */
const [MOST_MS, MOST_SAID_MS] = [300_000, 3_600_000];
/** How often a device asks that is not told. */
export const ASKING_MS = 30_000;

/** How to go on at a time of this device's clock. */
export function paceAfter(pace: Pace, met: Met, now: number): Pace {
  if (met.kind === "ended") return { ...pace, failures: 0, ...(now >= pace.tryAt ? { way: "stream" } : {}) };
  if (met.kind === "failed") return { ...pace, failures: pace.failures + 1 };
  // What a proxy holds back comes by answers that wait, or not at all; a portal that knows no Watch tells nothing.
  const way = met.kind === "held-back" && pace.way === "stream" ? "answers" : "asking";
  return { ...pace, way, failures: 0, tryAt: now + WORSE_MS };
}

/** How many milliseconds to wait before going on, with `chance` drawn evenly from 0 to 1: full jitter, so that those who were cut off together do not come back together. */
export function waitAfter({ failures, spread }: Pace, met: Met, chance: number): number {
  if (met.kind === "ended") return chance * Math.min(spread, MOST_MS);
  if (met.kind !== "failed") return 0;
  const said = Math.min(met.retryMs ?? 0, MOST_SAID_MS);
  return said + chance * Math.min(Math.max(spread, 1_000 * 2 ** Math.min(failures, 20)), MOST_MS);
}

/** What a home has not sent, as a text that is another one once the oldest of it went; undefined where it sent everything. */
export async function unsentMark(client: Client): Promise<string | undefined> {
  return client.rows.read(async (rows) => {
    const marks: string[] = [];
    for (const type of ["devices", "administration", ...applications.map((one) => one.type)]) {
      const catalog = await rows.get<{ id: string }>("types", type);
      const [oldest] = catalog === undefined ? [] : await rows.list<JournalRow>("journal", catalog.id, { limit: 1 });
      if (oldest !== undefined) marks.push(`${type} ${oldest.row.sequence}`);
    }
    return marks.length === 0 ? undefined : marks.join("; ");
  });
}
