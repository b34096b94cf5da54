import type { Digest } from "../../envelope/fields.ts";
import type { Signed, Verified } from "../../envelope/signed.ts";
import type { DeviceProfile } from "../../profiles/device.ts";
import { emptyMesh, type Mesh, withMaster, withPersonal, withSuspension } from "../../profiles/mesh.ts";
import type { PersonalProfile } from "../../profiles/personal.ts";
import type { Suspension } from "../../profiles/suspension.ts";
import { verifyDevice } from "../../profiles/validity.ts";
import { compareVersions } from "../../profiles/version.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { KindName, PayloadOf, Read } from "./kinds.ts";

/** What objects that were handed over make of each other; `refused` says of each that did not fit why not. */
export type Assembled = { readonly meshes: ReadonlyMap<string, Mesh>; readonly refused: ReadonlyMap<Digest, MeshError> };

// Objects do not tell when they arrived at a portal; taken as if all had arrived at one moment, in the order that they name themselves.
const ARRIVED = 0;

/** Puts objects together to the meshes that they are of, by the same functions as portal and client; what comes first in the list holds where two contradict. */
export async function assemble(objects: readonly Read[]): Promise<Assembled> {
  const refused = new Map<Digest, MeshError>();
  const meshes = new Map<string, Mesh>();
  const attempt = async <T>(digest: Digest, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      const made = await work();
      refused.delete(digest);
      return made;
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      refused.set(digest, error);
      return undefined;
    }
  };
  const grow = async (id: string, digest: Digest, work: (mesh: Mesh) => Promise<Mesh>): Promise<void> => {
    const mesh = meshes.get(id) ?? emptyMesh(id as Mesh["id"]);
    meshes.set(id, (await attempt(digest, () => work(mesh))) ?? mesh);
  };

  const consents = all(objects, "countersignature");
  for (const master of all(objects, "Master Profile").sort((a, b) => a.payload.version - b.payload.version)) {
    await grow(master.payload.id, master.digest, (mesh) => withMaster(mesh, master, consents.find((one) => one.payload.digest === master.digest)));
  }
  const devices = new Map<string, Verified<DeviceProfile>>();
  for (const device of all(objects, "Device Profile")) {
    const verified = await attempt(device.digest, () => verifyDevice(device));
    if (verified !== undefined) devices.set(verified.digest, verified);
  }
  const suspensions = new Map(all(objects, "suspension").map((one) => [one.digest as string, one]));
  const suspend = (one: Signed<Suspension>): Promise<void> => grow(one.payload.master, one.digest, (mesh) => withSuspension(mesh, one, ARRIVED));
  for (const personal of all(objects, "Personal Profile").sort((a, b) => compareVersions(a.payload, b.payload))) {
    for (const one of named(personal.payload, suspensions)) await suspend(one);
    await grow(personal.payload.id, personal.digest, (mesh) => withPersonal(mesh, personal, offered(personal.payload, devices), ARRIVED));
  }
  for (const one of suspensions.values()) await suspend(one);
  return { meshes, refused };
}

/** A suspension names the version current when it arrived, so it must be in its place before the next one: the versions after it name it. */
function named(personal: PersonalProfile, suspensions: ReadonlyMap<string, Signed<Suspension>>): readonly Signed<Suspension>[] {
  return personal.suspensions.flatMap((digest) => suspensions.get(digest) ?? []).filter((one) => one.payload.master === personal.id);
}

function offered(personal: PersonalProfile, devices: ReadonlyMap<string, Verified<DeviceProfile>>): ReadonlyMap<string, Verified<DeviceProfile>> {
  return new Map(personal.devices.flatMap(({ digest, id }) => {
    const device = devices.get(digest);
    return device === undefined ? [] : [[id as string, device] as const];
  }));
}

function all<K extends KindName>(objects: readonly Read[], kind: K): Signed<PayloadOf<K>>[] {
  return objects.flatMap((one) => (one.kind === kind ? [one.signed as Signed<unknown> as Signed<PayloadOf<K>>] : []));
}
