import { canonicalJson, type Json } from "../../bytes/canonical-json.ts";
import { type Jws, readSigned, signObject, type Signed } from "../../envelope/signed.ts";
import { signatureKeyId } from "../../profiles/keys.ts";
import type { MasterProfile } from "../../profiles/master.ts";
import { type Mesh, masterOf, namedSuspensions, personalOf } from "../../profiles/mesh.ts";
import { type ApplicationEntry, type DeviceEntry, type Head, MAX_DEVICES, type PersonalProfile, personalProfile, type Role } from "../../profiles/personal.ts";
import type { DeviceId } from "../../profiles/types.ts";
import { demand } from "../../refusals/mesh-error.ts";
import type { Client, Self } from "../client.ts";
import { signerOf } from "../client.ts";
import { loadHeads } from "../known.ts";
import type { RowsReading } from "../rows.ts";

/** What a new version of the Personal Profile changes. */
export type Changes = { readonly devices: readonly DeviceEntry[]; readonly applications: readonly ApplicationEntry[] };

/** The last version under one g that this device signed, whatever became of it, and the object itself: it never signs two for one (g, n) (decision 4.2). */
type SignedRow = { readonly g: number; readonly n: number; readonly object?: Jws };

/** Whether this device holds an Administration Key of the current Master Profile. */
export function isAdministrator(mesh: Mesh, self: Self): boolean {
  return masterOf(mesh).payload.administrationKeys.some((key) => signatureKeyId(key.signatureKey) === self.administrationKey);
}

/** Refuses what only an administration device may do. */
export function requireAdministrator(mesh: Mesh, self: Self): void {
  demand(isAdministrator(mesh, self), "device-not-administrator", "This device is no administration device.", "Do this on one of your administration devices; `mesh device list` names them.");
}

/**
 * The next Personal Profile, signed by this administration device: (g, n+1), or (g+1, 1) under a new Master Profile.
 *
 * Where it would say the same as the last that this device signed under g, it is that very object.
 */
export async function nextPersonal(client: Client, self: Self, mesh: Mesh, changes: Changes, master: Pick<Signed<MasterProfile>, "digest" | "payload"> = masterOf(mesh)): Promise<Signed<PersonalProfile>> {
  const last = personalOf(mesh);
  const g = master.payload.version;
  const before = await client.rows.read((rows) => signedIn(rows, g));
  const payload: PersonalProfile = {
    ...last.payload,
    applications: [...changes.applications],
    devices: [...changes.devices],
    g,
    heads: await headsOf(client, last.payload),
    master: master.digest,
    n: before?.n ?? 1,
    previous: last.digest,
    suspensions: namedSuspensions(mesh),
  };
  if (before?.object !== undefined) {
    const again = readSigned(before.object, personalProfile);
    if (again.kid === self.administrationKey && canonicalJson(again.payload as Json) === canonicalJson(payload as Json)) return again;
  }
  // Taken in one step, before it is signed: neither a device that dies now nor another command on it signs anything else for it.
  const n = await client.rows.transact(async (rows) => {
    const next = Math.max(g === last.payload.g ? last.payload.n : 0, (await signedIn(rows, g))?.n ?? 0) + 1;
    await rows.put("signed", "signed", g, { g, n: next } satisfies SignedRow);
    return next;
  });
  const signed = await signObject(personalProfile, { ...payload, n }, signerOf(client.keyring, self.administrationKey));
  await client.rows.transact(async (rows) => {
    if ((await signedIn(rows, g))?.n === n) await rows.put("signed", "signed", g, { g, n, object: signed.jws } satisfies SignedRow);
  });
  return signed;
}

/** What was signed under one g; homes of before kept the last of all. */
async function signedIn(rows: RowsReading, g: number): Promise<SignedRow | undefined> {
  const row = (await rows.get<SignedRow>("signed", "signed", g)) ?? (await rows.get<SignedRow>("signed", "signed"));
  return row?.g === g ? row : undefined;
}

/** The heads of the catalogs as this device knows them. */
export async function headsOf(client: Client, personal: PersonalProfile): Promise<Head[]> {
  return client.rows.read((rows) => loadHeads(rows, personal.applications));
}

/** Refuses with `device-too-many` where no further device can be let in. */
export function requireRoom(mesh: Pick<Mesh, "history">): void {
  const active = personalOf(mesh).payload.devices.filter((device) => device.status === "active").length;
  const hint = "Disable one that you do not use any more, then accept again: `mesh device list`, `mesh device disable NAME`.";
  demand(active < MAX_DEVICES, "device-too-many", `You have ${active} devices, as many as a mesh can have at once.`, hint);
}

/** The devices with a further one; where the list is full, disabled ones make room for it, those listed longest first. */
export function withDevice(devices: readonly DeviceEntry[], entry: DeviceEntry): readonly DeviceEntry[] {
  const others = devices.filter((device) => device.id !== entry.id);
  const surplus = Math.max(0, others.length + 1 - MAX_DEVICES);
  const leaving = new Set(others.filter((device) => device.status === "disabled").slice(0, surplus));
  return [...others.filter((device) => !leaving.has(device)), entry];
}

/** The applications with a device let in: every catalog for an administration device, all but that of administration for a member (decision 4.9). */
export function withReader(applications: readonly ApplicationEntry[], device: DeviceId, role: Role, administration: string): readonly ApplicationEntry[] {
  return applications.map((entry) => {
    if (role === "member" && entry.id === administration) return entry;
    const administrators = role === "admin" ? [...entry.administrators, device] : entry.administrators;
    return { ...entry, administrators, editors: [...entry.editors, device], readers: [...entry.readers, device] };
  });
}

/** The applications without a device. */
export function withoutReader(applications: readonly ApplicationEntry[], device: string): readonly ApplicationEntry[] {
  const others = (list: readonly DeviceId[]) => list.filter((one) => one !== device);
  return applications.map((entry) => ({ ...entry, administrators: others(entry.administrators), editors: others(entry.editors), readers: others(entry.readers) }));
}
