import { demand } from "../../refusals/mesh-error.ts";

const UNITS = ["", "K", "M", "G", "T"] as const;

/** Reads a size: octets, or with K, M, G, T (powers of 1024; `iB` or `B` may follow). */
export function parseSize(text: string, what: string): number {
  const match = /^(\d{1,9})(?:([KMGT])?(?:i?B)?)$/i.exec(text);
  const unit = UNITS.indexOf((match?.[2] ?? "").toUpperCase() as (typeof UNITS)[number]);
  const octets = Number(match?.[1]) * 1024 ** unit;
  demand(match !== null && Number.isSafeInteger(octets), "usage-option-value", `${what} is a size like 500M or 2G, not ${JSON.stringify(text)}.`);
  return octets;
}

/** A size as people read it. */
export function showSize(octets: number): string {
  const power = octets < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(octets) / 10));
  const value = octets / 1024 ** power;
  return power === 0 ? `${octets} B` : `${value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}iB`;
}
