import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { EpochEntry, LogEntry, PublicEntry } from "./entry.ts";
import type { MapLabel } from "./currency.ts";
import type { MapKind, MapValue } from "./map.ts";

/** What an entry makes the newest in the map. */
export type Change = MapLabel & { readonly value: MapValue };

/** Which version of what something is. */
export type Versioned = { readonly k: "master" | "suspension"; readonly n: number } | { readonly k: "personal"; readonly g: number; readonly n: number };

/** How far the number of a Personal Profile may step (`docs/decisions/0010-version-steps.md`). */
const MAX_STEP = 16;

/** Of which kind the map has what an entry names. */
export const kindOf: Readonly<Record<PublicEntry["k"], MapKind>> = { master: "master", personal: "personal", suspension: "suspensions" };

/** What an entry at an index changes in the map: nothing, unless it names an object. The map is a function of the entries, and this is the function. */
export function changeOf(entry: LogEntry, index: number): Change | undefined {
  if (!("id" in entry)) return undefined;
  return { kind: kindOf[entry.k], id: entry.id, value: { ...versionIn(entry), digest: fromBase64url(entry.obj), index } };
}

/** Whether an object is news to a log that has this as the newest of its kind: what it has already it does not take again. */
export function isNews(entry: Versioned, newest: MapValue | undefined): boolean {
  const { g, n } = versionIn(entry);
  return newest === undefined || g > newest.g || (g === newest.g && n > newest.n);
}

/**
 * Whether the map over all entries of a run that is for a version contradicts it: has not heard of it, has another object under its number, or has it from after
 * the run. What the log had before the run it need not take again.
 */
export function contradicts(newest: MapValue | undefined, version: Versioned & { readonly obj: string }, { to }: { readonly to: number }): boolean {
  if (newest === undefined || isNews(version, newest)) return true;
  const { g, n } = versionIn(version);
  return g === newest.g && n === newest.n && (version.obj !== toBase64url(newest.digest) || newest.index >= to);
}

/**
 * Demands that an entry may follow what is the newest of its kind in the map; `portal-wrong-entry`.
 *
 * The first of an identifier may be any: it may have lived elsewhere. What is judged here needs no object; that they are signed, whoever has them judges.
 */
export function checkSuccession(entry: PublicEntry, newest: MapValue | undefined, master: MapValue | undefined): void {
  if (entry.k === "personal") demand(master?.g === entry.g, "portal-wrong-entry", "A Personal Profile is in the log under another Master Profile than the newest.");
  demand(newest === undefined || isNext(entry, newest), "portal-wrong-entry", `An entry of kind ${entry.k} does not follow the one before it.`);
}

/** Demands that an epoch leaf follows the one before, and closes over no Master Profile without the first Personal Profile under it; `portal-wrong-entry`. */
export function checkEpoch(epoch: Pick<EpochEntry, "n" | "t">, before: Pick<EpochEntry, "n" | "t"> | undefined, unpaired: ReadonlySet<string>): void {
  demand(epoch.n === (before?.n ?? 0) + 1 && epoch.t > (before?.t ?? 0), "portal-wrong-entry", "An epoch does not follow the one before it.");
  demand(unpaired.size === 0, "portal-wrong-entry", "A Master Profile is in the log without the first Personal Profile under it.");
}

/** Whose Master Profile is newer than the Personal Profile, after one more entry. */
export function pair(unpaired: Set<string>, entry: LogEntry): void {
  if (entry.k === "master") unpaired.add(entry.id);
  if (entry.k === "personal") unpaired.delete(entry.id);
}

function isNext(entry: PublicEntry, newest: MapValue): boolean {
  const { g, n } = versionIn(entry);
  const follows = entry.prev === toBase64url(newest.digest);
  if (entry.k !== "personal") return follows && g + n === newest.g + newest.n + 1;
  // The first under a new Master Profile may follow any of those before: an override.
  return g === newest.g ? follows && n > newest.n && n <= newest.n + MAX_STEP : g === newest.g + 1 && n <= MAX_STEP;
}

function versionIn(entry: Versioned): { readonly g: number; readonly n: number } {
  switch (entry.k) {
    case "master":
      return { g: entry.n, n: 0 };
    case "personal":
      return { g: entry.g, n: entry.n };
    case "suspension":
      return { g: 0, n: entry.n };
  }
}
