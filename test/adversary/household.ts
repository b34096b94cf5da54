import assert from "node:assert/strict";

import { change, current, isRemoved } from "../../src/catalogs/merge.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { catalogOf, type CatalogType, editEntries, readEntries } from "../../src/client/catalog.ts";
import { memberSelf, type Self, selfOf, signerOf } from "../../src/client/client.ts";
import { EntryRows } from "../../src/client/entry-rows.ts";
import { loadCatalog, loadMesh } from "../../src/client/known.ts";
import { acceptConnection } from "../../src/client/operations/accept.ts";
import { createMesh } from "../../src/client/operations/create.ts";
import { joinMesh } from "../../src/client/operations/join.ts";
import { headsOf } from "../../src/client/operations/versions.ts";
import { sync } from "../../src/client/sync.ts";
import { type Jws, signObject } from "../../src/envelope/signed.ts";
import { type Mesh, personalOf } from "../../src/profiles/mesh.ts";
import type { Head, Role } from "../../src/profiles/personal.ts";
import { suspension } from "../../src/profiles/suspension.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import type { Udf } from "../../src/udf/udf.ts";
import { type DeviceOptions, newDevice, startPortal, type TestDevice, type TestPortal } from "../support/world.ts";

export const address = "alice@example.com";

/** Alice's mesh at a portal: a desktop that administers it, with the Master key, and the devices that joined. */
export type Household = { readonly portal: TestPortal; readonly at: { readonly url: string; readonly pin: string }; readonly desktop: TestDevice; readonly devices: Readonly<Record<string, TestDevice>> };

/** Makes a mesh with further devices, each with its role, and everybody in sync. */
export async function household(others: Readonly<Record<string, Role>> = {}, portal?: TestPortal, deviceFor?: (name: string) => TestDevice): Promise<Household> {
  const there = portal ?? (await startPortal());
  const at = { url: there.url, pin: there.pin };
  const desktop = deviceFor?.("desktop") ?? newDevice(there, { holdsMaster: true });
  await createMesh(desktop.client, desktop.master, { address, portal: at, deviceName: "desktop" });
  const devices: Record<string, TestDevice> = {};
  const home = { portal: there, at, desktop, devices };
  for (const [name, role] of Object.entries(others)) devices[name] = await join(home, name, role, {}, deviceFor?.(name));
  for (const device of [...Object.values(devices), desktop]) await sync(device.client);
  return home;
}

/** Joins a device whose owner knows the fingerprint of her mesh. */
export async function join({ at, desktop, portal }: Pick<Household, "at" | "desktop" | "portal">, deviceName: string, role: Role = "member", options: DeviceOptions = {}, made?: TestDevice): Promise<TestDevice> {
  const device = made ?? newDevice(portal, options);
  const { master } = await selfOf(desktop.client);
  const asked = await joinMesh(device.client, { address, master, portal: at, deviceName });
  await acceptConnection(desktop.client, asked.witness, role);
  assert.equal((await joinMesh(device.client, { address, master, portal: at, deviceName })).status, "connected");
  return device;
}

/** A device of a household by its name. */
export function deviceOf({ devices }: Pick<Household, "devices">, name: string): TestDevice {
  const device = devices[name];
  assert.ok(device !== undefined, name);
  return device;
}

/** Says yes where a device falls with the one that it disables. */
export async function agreed(): Promise<void> {}

/** Saves a password and sends it. */
export async function save(device: TestDevice, name: string, password = `${name}-secret`): Promise<void> {
  await keep(device, name, password);
  await sync(device.client);
}

/** Saves a password, for the next sync to send it. */
export async function keep(device: TestDevice, name: string, password = `${name}-secret`): Promise<void> {
  await editEntries(device.client, "passwords", () => [change(newEntryId(), undefined, { name, password })]);
}

/** The names of the passwords that a device has. */
export async function names(device: TestDevice): Promise<readonly string[]> {
  return (await readEntries(device.client, "passwords")).filter((entry) => !isRemoved(entry)).map((entry) => String(current(entry, "name"))).sort();
}

/** The mesh as a device knows it. */
export async function meshOf(device: TestDevice): Promise<Mesh> {
  const self = await selfOf(device.client);
  return device.client.rows.read((rows) => loadMesh(rows, self.master));
}

/** Who a device is. */
export function whoIs(device: TestDevice): Promise<Self> {
  return selfOf(device.client);
}

/** The identifier of a catalog, as a device knows it. */
export function idOf(device: TestDevice, type: CatalogType): Promise<string> {
  return device.client.rows.read((rows) => catalogOf(rows, type));
}

/** All that a device holds true: versions, heads, keys and entries; what no refused answer of a portal may change. */
export async function beliefs(device: TestDevice): Promise<unknown> {
  const mesh = await meshOf(device);
  const applications = mesh.history.length === 0 ? [] : personalOf(mesh).payload.applications;
  const catalogs = await device.client.rows.read((rows) => Promise.all(applications.map(({ id }) => loadCatalog(rows, id))));
  const entries = await device.client.rows.read((rows) => Promise.all(applications.map(({ id }) => new EntryRows(rows, id).all())));
  return {
    self: await selfOf(device.client),
    masters: mesh.masters.map((one) => one.digest),
    personals: mesh.history.map((one) => one.profile.digest),
    suspensions: mesh.suspensions.map((one) => one.object.digest),
    catalogs,
    entries,
  };
}

/** Demands that something fails with one of these codes, with exit 6 for what only a cheating portal does, and changes nothing that a device holds true. */
export async function refused(device: TestDevice, work: () => Promise<unknown>, ...codes: readonly string[]): Promise<MeshError> {
  const before = await beliefs(device);
  const error = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof MeshError, `not refused as ${codes.join(" or ")}: ${String(error)}`);
  assert.ok(codes.includes(error.code), `refused as ${error.code} (${error.message}), not as ${codes.join(" or ")}`);
  if (error.code.startsWith("portal-")) assert.equal(error.exit, 6);
  assert.deepEqual(await beliefs(device), before, "what the device holds true was changed");
  return error;
}

/** The desktop's signed suspension of a device under the version that it knows, for it to be sent later; `heads` as it knows them now, unless others are given. */
export async function suspending({ desktop, devices }: Household, name: string, heads?: readonly Head[]): Promise<Jws> {
  const self = await memberSelf(desktop.client);
  const { payload } = personalOf(await meshOf(desktop));
  const { device } = await whoIs(deviceOf({ devices }, name));
  const word = { action: "suspend" as const, g: payload.g, heads: heads === undefined ? await headsOf(desktop.client, payload) : [...heads], master: self.master, n: payload.n, target: device as string as Udf<"suspended">, v: 1 as const };
  return (await signObject(suspension, word, signerOf(desktop.client.keyring, self.administrationKey))).jws;
}
