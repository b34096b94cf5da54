import { change } from "../catalogs/merge.ts";
import { newEntryId } from "../catalogs/entry-id.ts";
import { isActive, type Mesh, personalOf } from "../profiles/mesh.ts";
import { deviceNameField } from "../profiles/connection.ts";
import { readShape } from "../envelope/shape.ts";
import { demand } from "../refusals/mesh-error.ts";
import { editEntries, readEntries } from "./catalog.ts";
import { type Client, memberSelf } from "./client.ts";
import { namesIn, ownEntry } from "./device-names.ts";
import { loadMesh } from "./known.ts";
import { requireAdministrator } from "./operations/versions.ts";
import type { SyncRow } from "./sync.ts";

/** A device as people see it. */
export type DeviceLine = { readonly name: string; readonly fingerprint: string; readonly roles: readonly string[]; readonly status: "active" | "suspended" | "disabled"; readonly this: boolean };

/** The names of all devices that this mesh has or had, by their fingerprints. */
export async function namesOfDevices(client: Client): Promise<ReadonlyMap<string, string>> {
  const self = await memberSelf(client);
  const entries = await readEntries(client, "devices");
  return namesIn(entries, await client.rows.read((rows) => loadMesh(rows, self.master)));
}

/** The devices of the mesh as this home knows them; their names are in the encrypted catalog of devices (decision 4.1). */
export async function listDevices(client: Client): Promise<readonly DeviceLine[]> {
  const self = await memberSelf(client);
  const entries = await readEntries(client, "devices");
  const { mesh, now } = await client.rows.read(async (rows) => ({ mesh: await loadMesh(rows, self.master), now: (await rows.get<SyncRow>("synced", "synced"))?.portalTime ?? client.now() }));
  const names = namesIn(entries, mesh);
  return personalOf(mesh).payload.devices.map((device) => ({
    name: names.get(device.id) ?? device.id.slice(0, 9),
    fingerprint: device.id,
    roles: [device.role],
    status: device.status === "disabled" ? "disabled" : isActive(mesh, device.id, now) ? "active" : "suspended",
    this: device.id === self.device,
  }));
}

/** The one device of a name; `device-not-found` (exit 3) or `device-ambiguous` name what there is. */
export function deviceNamed(devices: readonly DeviceLine[], name: string): DeviceLine {
  // A name may be written like the fingerprint of another.
  const exact = devices.filter((device) => device.fingerprint === name);
  const found = exact.length > 0 ? exact : devices.filter((device) => device.name === name);
  const live = found.length > 1 ? found.filter((device) => device.status !== "disabled") : found;
  demand(live.length > 0, "device-not-found", `There is no device called ${JSON.stringify(name)}.`, `There are: ${devices.map((device) => device.name).join(", ")}.`);
  demand(live.length === 1, "device-ambiguous", `Several devices are called ${JSON.stringify(name)}.`, "Name it by its fingerprint, from `mesh device list --json`.");
  return live[0] as DeviceLine;
}

/** Gives this device, or as an administration device any, another name (`device-not-administrator`); needs no portal now. */
export async function renameDevice(client: Client, device: string, name: string): Promise<void> {
  const wanted = readShape(deviceNameField, name, "device-name-malformed", "device name");
  const self = await memberSelf(client);
  const mesh = await client.rows.read((rows) => loadMesh(rows, self.master));
  // The others would not count it.
  if (device !== self.device) requireAdministrator(mesh, self);
  await editEntries(client, "devices", (entries) => {
    const entry = ownEntry(entries, device, mesh);
    return [change(entry?.id ?? newEntryId(), entry, { device, name: wanted })];
  });
}

/** A name that no live device has: the one wanted, or with a number after it. */
export function freeName(mesh: Mesh, names: ReadonlyMap<string, string>, wanted: string): string {
  const taken = new Set(personalOf(mesh).payload.devices.filter((device) => device.status === "active").map((device) => names.get(device.id)));
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    if (!taken.has(name)) return name;
  }
}
