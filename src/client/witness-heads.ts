import * as v from "valibot";

import type { Json } from "../bytes/canonical-json.ts";
import { newEntryId } from "../catalogs/entry-id.ts";
import { change, type Entry, writes } from "../catalogs/merge.ts";
import { countField, digestField } from "../envelope/fields.ts";
import { isActive, masterOf, type Mesh, personalOf } from "../profiles/mesh.ts";
import { at } from "../profiles/history.ts";
import { type Head, headsField } from "../profiles/personal.ts";
import { demand } from "../refusals/mesh-error.ts";
import { editEntries, readEntries } from "./catalog.ts";
import type { Client, Self } from "./client.ts";
import { namesIn, ownEntry } from "./device-names.ts";
import { loadHeads } from "./known.ts";

/** How often a device writes down what it has seen (decision 6.5), in milliseconds of portal time. */
const DAY_MS = 24 * 60 * 60 * 1000;

const seenShape = v.strictObject({
  at: countField(),
  heads: headsField,
  master: v.strictObject({ digest: digestField, version: countField() }),
  personal: v.strictObject({ digest: digestField, g: countField(), n: countField() }),
});

/** What one device has seen, as it says to the others through the catalog of devices. */
type Seen = v.InferOutput<typeof seenShape>;

/** Once a day, writes down the heads that this device knows, for the others to compare with theirs (decision 6.5). */
export async function witnessHeads(client: Client, self: Self, mesh: Mesh, now: number): Promise<void> {
  const entries = await readEntries(client, "devices");
  const last = lastSeen(entries).get(self.device);
  if (ownEntry(entries, self.device, mesh) === undefined || (last !== undefined && now - last < DAY_MS)) return;
  const [master, personal] = [masterOf(mesh), personalOf(mesh)];
  const readable = personal.payload.applications.filter((one) => one.readers.includes(self.device));
  const heads = await client.rows.read((rows) => loadHeads(rows, readable));
  const seen: Seen = { at: now, heads, master: { digest: master.digest, version: master.payload.version }, personal: { digest: personal.digest, g: personal.payload.g, n: personal.payload.n } };
  await editEntries(client, "devices", (entries) => {
    const entry = ownEntry(entries, self.device, mesh);
    return [change(entry?.id ?? newEntryId(), entry, { seen: seen as unknown as Json })];
  });
}

/** Compares what the other devices say they have seen with what the portal showed this one; refuses with `portal-forked-catalog` or `profile-two-versions`. */
export async function compareHeads(client: Client, mesh: Mesh, now: number): Promise<void> {
  const entries = await readEntries(client, "devices");
  for (const [device, seen] of statements(entries)) {
    // A device that was cut off raises no alarm any more.
    if (!isActive(mesh, device, now)) continue;
    const name = namesIn(entries, mesh).get(device) ?? device.slice(0, 9);
    const hint = `Your portal cheats, or ${name} does, or was cloned. Do not rely on this portal; if ${name} is out of your hands: mesh device disable ${JSON.stringify(name)}`;
    const master = mesh.masters[seen.master.version - 1];
    const personal = at(mesh.history, seen.personal);
    const same = (master === undefined || master.digest === seen.master.digest) && (personal === undefined || personal.digest === seen.personal.digest);
    demand(same, "profile-two-versions", `${name} says that it was shown another version of your mesh than this device.`, hint);
    await compareCatalogs(client, seen.heads, name, hint);
  }
}

/** What the devices say last that they have seen, by who wrote it and not by where it stands: nobody speaks in the name of another. */
function statements(entries: readonly Entry[]): readonly (readonly [device: string, seen: Seen])[] {
  return entries.flatMap((entry) => {
    const newest = new Map<string, Seen>();
    for (const { author, value } of writes(entry, "seen")) {
      const read = v.safeParse(seenShape, value);
      if (read.success && !newest.has(author)) newest.set(author, read.output);
    }
    return [...newest];
  });
}

/** When each device was last heard of, in milliseconds of portal time. */
export function lastSeen(entries: readonly Entry[]): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const [device, seen] of statements(entries)) last.set(device, Math.max(seen.at, last.get(device) ?? 0));
  return last;
}

async function compareCatalogs(client: Client, heads: readonly Head[], name: string, hint: string): Promise<void> {
  for (const head of heads) {
    const known = await client.rows.read((rows) => rows.get<{ digest: string }>("digests", head.catalog, head.index));
    demand(known === undefined || known.digest === head.digest, "portal-forked-catalog", `${name} says that it was shown another history of a catalog than this device.`, hint);
  }
}

