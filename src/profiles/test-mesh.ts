import assert from "node:assert/strict";

import { generateEd25519 } from "../crypto/ed25519.ts";
import { type DecapsulationKey, generateDecapsulationKey, generateSigningKey, type SigningKey } from "../crypto/key-pair.ts";
import { randomBytes } from "../crypto/random.ts";
import { sign } from "../crypto/sign.ts";
import { digestOf, signObject, type Signer, type Verified } from "../envelope/signed.ts";
import type { Code } from "../refusals/codes.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { type Udf, udfOf, udfOfKey } from "../udf/udf.ts";
import { baseKeyOf, type DeviceProfile, deviceProfile } from "./device.ts";
import { encapsulationJwk, signatureJwk } from "./keys.ts";
import { type AdministrationKey, type MasterProfile, masterProfile } from "./master.ts";
import { emptyMesh, masterOf, type Mesh, personalOf, withMaster, withPersonal, withSuspension } from "./mesh.ts";
import { type ApplicationEntry, type DeviceEntry, type PersonalProfile, personalProfile } from "./personal.ts";
import { type Suspension, suspension } from "./suspension.ts";
import type { ApplicationId, DeviceId, MasterId, PortalId } from "./types.ts";

/** One hour of portal time, in milliseconds. */
export const HOUR = 60 * 60 * 1000;

/** A device with all its keys; the one for administration is used only if a Master Profile lists it. */
export type TestDevice = { readonly id: DeviceId; readonly profile: Verified<DeviceProfile>; readonly device: Signer; readonly administration: Signer; readonly listed: AdministrationKey; readonly encryption: DecapsulationKey; readonly everyKey: readonly DecapsulationKey[] };

/** A person: the keys that stand above all devices. */
export type TestPerson = { readonly id: MasterId; readonly master: Signer; readonly recovery: Signer; readonly first: MasterProfile };

/** A signer by a key at hand. */
export function signerWith(key: SigningKey): Signer {
  return { kid: udfOfKey(key.publicKey.spki), sign: (message) => sign(key, message) };
}

/** A portal that nobody runs. */
export const HOME: PortalId = udfOf("application/test", new Uint8Array(1));

/** Some digest. */
export const SOME_DIGEST = digestOf(new Uint8Array(2));

/** Some identifier. */
export function someId(): ApplicationId {
  return udfOf("application/mmm-application", randomBytes(32));
}

export async function makeDevice(): Promise<TestDevice> {
  const [key, administrationKey] = [generateSigningKey(), generateSigningKey()];
  const [encryption, authentication, sealed] = [generateDecapsulationKey(), generateDecapsulationKey(), generateDecapsulationKey()];
  const device = signerWith(key);
  const id = udfOfKey<"device">(key.publicKey.spki);
  const payload: DeviceProfile = {
    authenticationKey: encapsulationJwk(authentication.publicKey),
    baseKeys: [baseKeyOf(id, "ssh", generateEd25519()), baseKeyOf(id, "ssh-authority", generateEd25519())],
    encryptionKey: encapsulationJwk(encryption.publicKey),
    id,
    signatureKey: signatureJwk(key.publicKey),
    v: 1,
    version: 1,
  };
  const listed = { device: id, encryptionKey: encapsulationJwk(sealed.publicKey), signatureKey: signatureJwk(administrationKey.publicKey) };
  return { id, profile: await signObject(deviceProfile, payload, device), device, administration: signerWith(administrationKey), listed, encryption, everyKey: [encryption, authentication, sealed] };
}

export function makePerson(administrators: readonly TestDevice[]): TestPerson {
  const [master, recovery] = [generateSigningKey(), generateSigningKey()];
  const id = udfOfKey<"master">(master.publicKey.spki);
  const first: MasterProfile = { administrationKeys: administrators.map((one) => one.listed), escrowKeys: [], id, recoveryKey: signatureJwk(recovery.publicKey), signatureKey: signatureJwk(master.publicKey), v: 1, version: 1 };
  return { id, master: signerWith(master), recovery: signerWith(recovery), first };
}

export function entryOf(device: TestDevice, role: "admin" | "member", status: "active" | "disabled" = "active"): DeviceEntry {
  return { digest: device.profile.digest, id: device.id, role, status };
}

/** An application that all devices given read and edit, and the first `administrators` of them administer. */
export function applicationOf(id: ApplicationId, devices: readonly TestDevice[], administrators: number): ApplicationEntry {
  const ids = devices.map((one) => one.id);
  return { administrators: ids.slice(0, administrators), editors: ids, id, readers: ids };
}

/** The Master Profile that follows the last one known. */
export function nextMaster(mesh: Mesh, changes: Partial<MasterProfile>): MasterProfile {
  const last = masterOf(mesh);
  return { ...last.payload, previous: last.digest, version: last.payload.version + 1, ...changes };
}

/** The Personal Profile that follows the last one known, under the last Master Profile known. */
export function nextPersonal(mesh: Mesh, changes: Partial<PersonalProfile> = {}): PersonalProfile {
  const [master, last] = [masterOf(mesh), personalOf(mesh)];
  const g = master.payload.version;
  return { ...last.payload, g, heads: [], master: master.digest, n: g === last.payload.g ? last.payload.n + 1 : 1, previous: last.digest, suspensions: mesh.suspensions.map((one) => one.object.digest), ...changes };
}

/** A suspension that names the version current. */
export function suspensionOf(mesh: Mesh, target: string, changes: Partial<Suspension> = {}): Suspension {
  const { g, n } = personalOf(mesh).payload;
  return { action: "suspend", g, heads: [], master: mesh.id, n, target: target as Udf<"suspended">, v: 1, ...changes };
}

/** A mesh at (1, 1), which the first administrator signed at the time given. */
export async function beginMesh(person: TestPerson, administrators: readonly TestDevice[], members: readonly TestDevice[], applications: readonly ApplicationEntry[] = [], arrived = 0): Promise<Mesh> {
  const mesh = await withMaster(emptyMesh(person.id), await signObject(masterProfile, person.first, person.master));
  const devices = [...administrators.map((one) => entryOf(one, "admin")), ...members.map((one) => entryOf(one, "member"))];
  const payload: PersonalProfile = { applications: [...applications], devices, g: 1, heads: [], home: HOME, id: person.id, master: masterOf(mesh).digest, n: 1, suspensions: [], v: 1 };
  return addPersonal(mesh, payload, administrators[0]?.administration as Signer, [...administrators, ...members], arrived);
}

export async function addPersonal(mesh: Mesh, payload: PersonalProfile, by: Signer, offered: readonly TestDevice[] = [], arrived = 0): Promise<Mesh> {
  return withPersonal(mesh, await signObject(personalProfile, payload, by), new Map(offered.map((one) => [one.id as string, one.profile])), arrived);
}

export async function addMaster(mesh: Mesh, payload: MasterProfile, by: Signer): Promise<Mesh> {
  return withMaster(mesh, await signObject(masterProfile, payload, by));
}

export async function addSuspension(mesh: Mesh, target: string, by: Signer, arrived = 0, changes: Partial<Suspension> = {}): Promise<Mesh> {
  return withSuspension(mesh, await signObject(suspension, suspensionOf(mesh, target, changes), by), arrived);
}

/** The devices of the last version, with one of them otherwise. */
export function devicesWith(mesh: Mesh, id: DeviceId, change: Partial<DeviceEntry>): DeviceEntry[] {
  return personalOf(mesh).payload.devices.map((one) => (one.id === id ? { ...one, ...change } : one));
}

/** How something ends: `ok`, or the code with which it is refused; any other error is the test's own. */
export async function outcome(action: () => unknown): Promise<Code | "ok"> {
  try {
    await action();
    return "ok";
  } catch (error) {
    if (error instanceof MeshError) return error.code;
    throw error;
  }
}

/** Asserts that something is refused with a code. */
export async function refused(code: Code, action: () => unknown): Promise<void> {
  assert.equal(await outcome(action), code);
}
