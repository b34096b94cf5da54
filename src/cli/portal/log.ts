import { appendFileSync } from "node:fs";

import type { ServeEvent } from "../../http/serve.ts";
import type { PortalEvent } from "../../portal/portal.ts";

/** How much is written, each with all before it: what failed here; what clients were told to leave or repeat; each request; each connection that came to nothing. */
export const logLevels = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof logLevels)[number];

/** An operator's log: structured lines without secret, name, address or identifier (decision 8.4). */
export type Log = {
  /** One request; `fault` is what failed in the portal. */
  request(event: PortalEvent, fault?: unknown): void;
  /** What became of a connection before there was a request. */
  wire(event: ServeEvent): void;
  /** Something that the portal did by itself, or that failed in it. */
  note(level: LogLevel, event: string, facts?: Readonly<Record<string, number | string>>): void;
};

/** Writes to a file, or with `-` or none to standard error, which faults reach in any case. */
export function makeLog(path: string | undefined, most: LogLevel, standardError: (line: string) => void, now: () => number): Log {
  let failing = false;
  const keep = (file: string, line: string): void => {
    try {
      appendFileSync(file, line, { mode: 0o600 });
      failing = false;
    } catch (error) {
      // A full disk stops the log, never the portal: what it has written for its members stands. Said once.
      if (!failing) standardError(`${JSON.stringify({ at: new Date(now()).toISOString(), level: "error", event: "log-failed", fault: messageOf(error) })}\n`);
      failing = true;
    }
  };
  const write = (level: LogLevel, facts: object): void => {
    if (logLevels.indexOf(level) > logLevels.indexOf(most)) return;
    const line = `${JSON.stringify({ at: new Date(now()).toISOString(), level, ...facts })}\n`;
    if (path === undefined || path === "-" || level === "error") standardError(line);
    // Opened anew for each line, so that a file may be moved away at any time.
    if (path !== undefined && path !== "-") keep(path, line);
  };
  return {
    request: (event, fault) => write(levelOf(event, fault), { ...event, ms: Math.round(event.ms * 100) / 100, ...(fault === undefined ? {} : { fault: messageOf(fault) }) }),
    wire: (event) => {
      if (event.kind === "fault") write("error", { event: "fault", fault: messageOf(event.error) });
      else if (event.kind === "refused") write("debug", { event: "refused", status: event.status });
      else if (event.kind === "dropped") write("warn", { event: "dropped" });
      else if (event.kind === "handshake-failed") write("debug", { event: "handshake-failed" });
    },
    note: (level, event, facts = {}) => write(level, { event, ...facts }),
  };
}

function levelOf({ outcome }: PortalEvent, fault: unknown): LogLevel {
  if (fault !== undefined) return "error";
  return outcome === "service-busy" || outcome === "service-rate-limited" || outcome === "account-quota" ? "warn" : "info";
}

function messageOf(fault: unknown): string {
  return fault instanceof Error ? fault.message : "unknown";
}
