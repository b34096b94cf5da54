import * as v from "valibot";

import type { Json } from "../bytes/canonical-json.ts";
import { newEntryId } from "../catalogs/entry-id.ts";
import { change, current, type Entry, isRemoved } from "../catalogs/merge.ts";
import { countField, digestField } from "../envelope/fields.ts";
import { isActive, masterOf, type Mesh, personalOf } from "../profiles/mesh.ts";
import { at } from "../profiles/history.ts";
import { type Head, headsField } from "../profiles/personal.ts";
import { demand } from "../refusals/mesh-error.ts";
import { editEntries, readEntries } from "./catalog.ts";
import type { Client, Self } from "./client.ts";
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
  const mine = ownEntry(await readEntries(client, "devices"), self.device);
  const last = mine === undefined ? undefined : seenBy(mine);
  if (mine === undefined || (last !== undefined && now - last.at < DAY_MS)) return;
  const [master, personal] = [masterOf(mesh), personalOf(mesh)];
  const readable = personal.payload.applications.filter((one) => one.readers.includes(self.device));
  const heads = await client.rows.read((rows) => loadHeads(rows, readable));
  const seen: Seen = { at: now, heads, master: { digest: master.digest, version: master.payload.version }, personal: { digest: personal.digest, g: personal.payload.g, n: personal.payload.n } };
  await editEntries(client, "devices", (entries) => {
    const entry = ownEntry(entries, self.device);
    return [change(entry?.id ?? newEntryId(), entry, { seen: seen as unknown as Json })];
  });
}

/** Compares what the other devices say they have seen with what the portal showed this one; refuses with `portal-forked-catalog` or `profile-two-versions`. */
export async function compareHeads(client: Client, mesh: Mesh, now: number): Promise<void> {
  for (const entry of await readEntries(client, "devices")) {
    const seen = seenBy(entry);
    // A device that was cut off raises no alarm any more.
    if (seen === undefined || !isActive(mesh, String(current(entry, "device")), now)) continue;
    const master = mesh.masters[seen.master.version - 1];
    const personal = at(mesh.history, seen.personal);
    const same = (master === undefined || master.digest === seen.master.digest) && (personal === undefined || personal.digest === seen.personal.digest);
    demand(same, "profile-two-versions", "Another of your devices was shown another version of your mesh than this one.", "Your portal cheats, or a device was cloned. Do not rely on this portal.");
    await compareCatalogs(client, seen.heads);
  }
}

/** When each device was last heard of, in milliseconds of portal time. */
export function lastSeen(entries: readonly Entry[]): ReadonlyMap<string, number> {
  return new Map(entries.flatMap((entry) => {
    const [device, seen] = [current(entry, "device"), seenBy(entry)];
    return typeof device === "string" && seen !== undefined ? [[device, seen.at] as const] : [];
  }));
}

async function compareCatalogs(client: Client, heads: readonly Head[]): Promise<void> {
  for (const head of heads) {
    const known = await client.rows.read((rows) => rows.get<{ digest: string }>("digests", head.catalog, head.index));
    demand(known === undefined || known.digest === head.digest, "portal-forked-catalog", "Another of your devices was shown another history of a catalog than this one.", "Your portal cheats. Do not rely on it.");
  }
}

function ownEntry(entries: readonly Entry[], device: string): Entry | undefined {
  return entries.find((entry) => current(entry, "device") === device && !isRemoved(entry));
}

/** What an entry says was seen; what a device wrote there that is no such statement counts as nothing. */
function seenBy(entry: Entry): Seen | undefined {
  const read = v.safeParse(seenShape, current(entry, "seen"));
  return read.success ? read.output : undefined;
}
