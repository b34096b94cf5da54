import { demand } from "../refusals/mesh-error.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a time like 30s, 15m, 12h or 7d, at most seven days; `usage-option-value` otherwise, naming the option. */
export function durationOf(text: string, option: string): number {
  const match = /^(\d{1,3})([smhd])$/.exec(text);
  const duration = Number(match?.[1]) * (UNITS[match?.[2] ?? ""] ?? Number.NaN);
  demand(duration > 0 && duration <= 7 * 86_400_000, "usage-option-value", `--${option} is a time like 30m, 12h or 7d, at most 7 days.`);
  return duration;
}
