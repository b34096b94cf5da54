import { current, type Entry, isRemoved } from "../catalogs/merge.ts";

/** The names in the catalog of devices, by device. */
export function namesIn(entries: readonly Entry[]): ReadonlyMap<string, string> {
  return new Map(
    entries.flatMap((entry) => {
      const [device, name] = [current(entry, "device"), current(entry, "name")];
      return typeof device === "string" && typeof name === "string" && !isRemoved(entry) ? [[device, name] as const] : [];
    }),
  );
}
