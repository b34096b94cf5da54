import { current, type Entry, isRemoved, REMOVED } from "../../catalogs/merge.ts";

/** Whether nothing is left of a removed login but that it was removed: there is nothing to bring back. */
export function isGone(entry: Entry): boolean {
  return isRemoved(entry) && Object.keys(entry.fields).every((field) => field === REMOVED || (current(entry, field) ?? null) === null);
}
