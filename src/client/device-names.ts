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

/** The entry of one device in the catalog of devices. */
export function ownEntry(entries: readonly Entry[], device: string): Entry | undefined {
  return entries.find((entry) => current(entry, "device") === device && !isRemoved(entry));
}

/** Who accuses whom of a false snapshot, by the names of the devices. */
export function accusations(entries: readonly Entry[]): readonly { readonly by: string; readonly maker: string }[] {
  const names = namesIn(entries);
  return entries.filter((entry) => !isRemoved(entry)).flatMap((entry) => {
    const [device, said] = [current(entry, "device"), current(entry, "accuses")];
    if (typeof device !== "string" || typeof said !== "object" || said === null || !("maker" in said)) return [];
    return [{ by: names.get(device) ?? device, maker: names.get(String(said.maker)) ?? String(said.maker) }];
  });
}
