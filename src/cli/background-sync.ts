import { keepAlarm } from "../client/alarms.ts";
import type { Client } from "../client/client.ts";
import { unsentMark, waitAfter } from "../client/in-step.ts";
import { sync } from "../client/sync.ts";

/** So long after it was told, in milliseconds: what comes in a burst is fetched once. */
const GATHER_MS = 100;
/** So long nothing of what is unsent may have moved until this sends it: a command that is sending is not to be overtaken. In milliseconds, and as long again at most, drawn, since all devices of a mesh are told at once. */
const QUIET_MS = 5_000;
/** How often it is sent and done what is due, though nobody was told of anything; milliseconds. */
const DUE_MS = 3_600_000;

/** What it may touch of the world. */
export type Parts = { readonly open: () => Promise<Client | undefined>; readonly now: () => number; readonly chance: () => number };

/**
 * The syncs that an agent makes of itself, one at a time: what it is told of it takes at once; what is unsent it sends once it lay still for a while.
 *
 * Errors are nobody's to see: an alarm is kept for whoever comes next, all else is tried again, later each time.
 */
export class BackgroundSync {
  readonly #parts: Parts;
  #wanted: "take" | "both" | undefined;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #over = false;
  #seen: { readonly mark: string | undefined; readonly at: number } = { mark: undefined, at: 0 };
  #sent: { readonly mark: string | undefined; readonly at: number } | undefined;
  #received = false;
  /** Whether the last one ended well. */
  well = false;
  /** When something was last taken or sent. */
  workedAt = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Has it fetch what is new. */
  told(): void {
    this.#want("take", this.#failures === 0 ? GATHER_MS : undefined);
  }

  /** Forgets what went wrong, and tries what is to be tried again at once. */
  hurry(): void {
    this.#failures = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#wanted !== undefined) this.#want(this.#wanted, 0);
  }

  /** Looks whether something is to be sent; every few seconds, while the portal is heard. */
  async look(): Promise<void> {
    if (this.#over || this.#running !== undefined) return;
    const client = await this.#parts.open();
    if (client === undefined) return;
    const now = this.#parts.now();
    const mark = await unsentMark(client);
    if (mark !== this.#seen.mark || now < this.#seen.at) this.#seen = { mark, at: now };
    const still = now - this.#seen.at >= QUIET_MS * (1 + this.#parts.chance());
    const due = this.#received || this.#sent === undefined || mark !== this.#sent.mark || Math.abs(now - this.#sent.at) >= DUE_MS;
    if (still && due && this.#failures === 0) this.#want("both", 0);
  }

  /** Ends it: one that is under way is cut off where it stands, which harms nothing. */
  stop(): void {
    this.#over = true;
    clearTimeout(this.#timer);
  }

  #want(what: "take" | "both", delay: number | undefined): void {
    this.#wanted = this.#wanted === "both" ? "both" : what;
    if (this.#running !== undefined || this.#timer !== undefined || this.#over) return;
    const met = { kind: "failed", retryMs: undefined } as const;
    const pause = delay ?? waitAfter({ way: "stream", failures: this.#failures, spread: 0, tryAt: 0 }, met, this.#parts.chance());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#once().finally(() => {
        this.#running = undefined;
        if (this.#wanted !== undefined) this.#want(this.#wanted, this.#failures === 0 ? GATHER_MS : undefined);
      });
    }, pause);
  }

  async #once(): Promise<void> {
    const what = this.#wanted ?? "take";
    this.#wanted = undefined;
    const client = await this.#parts.open().catch(() => undefined);
    if (client === undefined || this.#over) return;
    try {
      const { received, sent } = await sync(client, what);
      const now = this.#parts.now();
      if (received + sent > 0) this.workedAt = now;
      // What came may ask for something of this device.
      this.#received = what === "take" && (this.#received || received > 0);
      if (what === "both") this.#sent = { mark: await unsentMark(client), at: now };
      this.#failures = 0;
      this.well = true;
    } catch (error) {
      this.well = false;
      this.#failures += 1;
      if (this.#over) return;
      await keepAlarm(client, error).catch(() => false);
      this.#wanted ??= what;
    }
  }
}
