import type { Json } from "../bytes/canonical-json.ts";
import { type Entry, type Write, writes } from "../catalogs/merge.ts";
import type { Mesh } from "../profiles/mesh.ts";

/** What of a mesh says whose word on the name of a device counts. */
type Masters = Pick<Mesh, "masters">;

/** The name of a device, and the entry that gives it. */
type Named = { readonly entry: Entry; readonly write: Write };

/** The names in the catalog of devices, by device: each as the device itself, or one that administered the mesh, wrote it. */
export function namesIn(entries: readonly Entry[], mesh: Masters): ReadonlyMap<string, string> {
  return new Map([...named(entries, mesh)].map(([device, { write }]) => [device, String(write.value)]));
}

/** The entry of one device in the catalog of devices. */
export function ownEntry(entries: readonly Entry[], device: string, mesh: Masters): Entry | undefined {
  return named(entries, mesh).get(device)?.entry;
}

/** Who accuses whom of a false snapshot, by the names of the devices; it is said by whoever wrote it, wherever it stands. */
export function accusations(entries: readonly Entry[], mesh: Masters): readonly { readonly by: string; readonly maker: string }[] {
  const names = namesIn(entries, mesh);
  const said = new Map<string, Json>();
  for (const entry of entries) for (const { author, value } of writes(entry, "accuses")) if (!said.has(author)) said.set(author, value);
  return [...said].flatMap(([author, value]) => {
    if (typeof value !== "object" || value === null || !("maker" in value)) return [];
    return [{ by: names.get(author) ?? author, maker: names.get(String(value["maker"])) ?? String(value["maker"]) }];
  });
}

/**
 * The names that count, by device. All members write in this catalog: were each believed about all, a thief would swap two
 * names, and the person cut off the wrong device.
 */
function named(entries: readonly Entry[], { masters }: Masters): ReadonlyMap<string, Named> {
  const administrators = new Set<string>(masters.flatMap((one) => one.payload.administrationKeys.map((key) => key.device)));
  const found = new Map<string, Named>();
  for (const entry of entries) {
    const claims = writes(entry, "device");
    const assigned = claims.find((one) => administrators.has(one.author))?.value;
    for (const write of writes(entry, "name")) {
      // Whoever claims another's entry for itself gets none of the names that others wrote there.
      const itself = assigned === write.author || claims.some((one) => one.author === write.author && one.value === write.author);
      const device = itself ? write.author : administrators.has(write.author) ? assigned : undefined;
      if (typeof device !== "string" || typeof write.value !== "string") continue;
      const before = found.get(device);
      if (before === undefined || isLater(write, before.write)) found.set(device, { entry, write });
    }
  }
  return found;
}

function isLater(a: Write, b: Write): boolean {
  return a.counter === b.counter ? a.author > b.author : a.counter > b.counter;
}
