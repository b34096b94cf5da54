import { type HistoryWords, lastRemoval, latest } from "../profiles/history.ts";
import { applicationEntry } from "../profiles/personal.ts";
import type { Roster } from "../profiles/roster.ts";
import { partyOf, type Suspended } from "../profiles/suspension.ts";
import type { DeviceId } from "../profiles/types.ts";
import { isAfter } from "../profiles/version.ts";
import { type Chain, isLocked } from "./chain.ts";

/** What a catalog owes to the profiles: computed, never stored, so that any entitled device can discharge it (decision 5.4). */
export type Owed = { readonly roll: boolean; readonly grants: readonly DeviceId[]; readonly readers: readonly DeviceId[]; readonly excluded: readonly DeviceId[] };

/**
 * What is owed to a catalog now: a new epoch if a holder of the current key is no reader any more, is suspended, if the
 * epoch is older than the last removal, or if no administrator who waits for the key could be granted it; else grants to readers that do not hold the key (decision 6.2).
 */
export function owed(chain: Chain | undefined, application: string, history: HistoryWords, suspended: Suspended, roster: Roster): Owed {
  const entry = applicationEntry(latest(history)?.payload ?? { applications: [] }, application);
  if (entry === undefined) return { roll: false, grants: [], readers: [], excluded: [] };
  const excluded = entry.readers.filter((device) => suspended.has(partyOf(device, roster).id));
  const readers = entry.readers.filter((device) => !excluded.includes(device));
  const removal = lastRemoval(history, application);
  const stale = chain === undefined || chain.holders.some((device) => !readers.includes(device)) || (removal !== undefined && isAfter(removal, chain.epochVersion));
  const roll = stale || isLocked(chain.holders, entry.administrators, readers);
  return { roll, grants: roll ? [] : readers.filter((device) => !chain.holders.includes(device)), readers, excluded };
}
