import type { LogEntry } from "./entry.ts";

const HOUR_MS = 3_600_000;

/** So many identifiers are counted at once in an hour; what more there are is counted in all and not each by itself. */
const MOST = 200_000;

/** What a log was told in the hours that were replayed: against what a portal lets one account do, and strangers begin (decision 8.4). */
export type Tallied = {
  /** Entries that tell of an account that was made or given up. */
  readonly accounts: number;
  /** Versions of profiles and suspensions. */
  readonly versions: number;
  /** Who had the most versions in one hour by the epochs' time, and how many; undefined where there were none. */
  readonly busiest: { readonly id: string; readonly versions: number; readonly hour: number } | undefined;
};

/** Counts what a replay reads: an entry has the time of the epoch that closes over it. Anybody who replays the same entries counts the same. */
export class Tally {
  #accounts = 0;
  #versions = 0;
  #busiest: Tallied["busiest"];
  #hour = 0;
  #waiting: string[] = [];
  readonly #counts = new Map<string, number>();

  /** Counts an entry, in order. */
  add(entry: LogEntry): void {
    if (entry.k === "epoch") return this.#close(Math.floor(entry.t / HOUR_MS));
    if (entry.k === "account") this.#accounts++;
    if (!("id" in entry)) return;
    this.#versions++;
    this.#waiting.push(entry.id);
  }

  /** What was counted so far. */
  get tallied(): Tallied {
    return { accounts: this.#accounts, busiest: this.#busiest, versions: this.#versions };
  }

  #close(hour: number): void {
    if (hour !== this.#hour) this.#counts.clear();
    this.#hour = hour;
    for (const id of this.#waiting) {
      const before = this.#counts.get(id);
      if (before === undefined && this.#counts.size >= MOST) continue;
      const versions = (before ?? 0) + 1;
      this.#counts.set(id, versions);
      if (versions > (this.#busiest?.versions ?? 0)) this.#busiest = { hour: hour * HOUR_MS, id, versions };
    }
    this.#waiting = [];
  }
}
