import type { AlarmRow } from "../client/alarms.ts";

/** An alarm of a sync that nobody watched, in words; `then` is what finds out whether it still stands. */
export function alarmText({ at, code, hint, message }: AlarmRow, then: string): string {
  const when = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  return `! ${when} UTC, while this device was kept in step: ${message} (${code})${hint === null ? "" : ` ${hint}`} To see whether it still is so: ${then}`;
}
