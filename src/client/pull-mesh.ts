import { readSigned, type Signed, type Verified } from "../envelope/signed.ts";
import { countersignature } from "../profiles/countersignature.ts";
import { type DeviceProfile, deviceProfile } from "../profiles/device.ts";
import { at, latest } from "../profiles/history.ts";
import { masterProfile } from "../profiles/master.ts";
import { digestOfSuspensions, type Mesh, missingSuspensions, namedSuspensions, withMaster, withPersonal, withSuspension } from "../profiles/mesh.ts";
import { personalProfile } from "../profiles/personal.ts";
import { type Suspension, suspension } from "../profiles/suspension.ts";
import { sameOrEvidence, verifyDevice } from "../profiles/validity.ts";
import { compareVersions } from "../profiles/version.ts";
import type { RequestOf, ResponseOf } from "../protocol/command.ts";
import { getProfiles, type status } from "../protocol/profiles.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import type { PortalLink, Requester } from "./portal-link.ts";

/** Where a portal says that a mesh stands. */
type Standing = Pick<ResponseOf<typeof status>, "master" | "now" | "personal" | "suspended" | "suspensions">;
/** What it shows of a mesh's history, and after what it is asked to. */
export type ShownHistory = Pick<ResponseOf<typeof getProfiles>, "devices" | "masters" | "personals" | "suspensions">;
export type KnownHistory = Pick<RequestOf<typeof getProfiles>, "mastersAfter" | "personalsAfter" | "suspensionsAfter">;
type Stamped<P> = { readonly object: Signed<P>; readonly arrived: number };

/** Refuses a portal that shows less than it showed before: a roll-back, whatever its reason. */
function checkNotBehind(mesh: Mesh, answer: Standing): void {
  const known = latest(mesh.history)?.payload ?? { g: 0, n: 0 };
  const behind = answer.master.version < mesh.masters.length || compareVersions(answer.personal, known) < 0 || answer.suspensions < mesh.suspensions.length;
  demand(!behind, "portal-older-profile", "The portal shows an older state of your mesh than this device has seen.", "It was restored from a backup or it cheats. Nothing here was changed; ask its operator, and see `mesh status`.");
}

/** Has a portal show what a device of the mesh does not know yet. */
export function asMember(link: PortalLink, requester: Requester): (known: KnownHistory) => Promise<ShownHistory> {
  return (known) => link.call(requester, getProfiles, { ...known, applications: [], devices: [] });
}

/** What of a mesh's history is known. */
export function knownOf({ history, masters, suspensions }: Mesh): KnownHistory {
  const { g, n } = latest(history)?.payload ?? { g: 0, n: 0 };
  return { mastersAfter: masters.length, personalsAfter: { g, n }, suspensionsAfter: suspensions.length };
}

/** Fetches every profile that is new, and judges each (decisions 4.2, 4.5); the mesh given is not changed. */
export async function pullMesh(ask: (known: KnownHistory) => Promise<ShownHistory>, mesh: Mesh, answer: Standing): Promise<Mesh> {
  checkNotBehind(mesh, answer);
  let grown = mesh;
  for (;;) {
    const known = latest(grown.history)?.payload ?? { g: 0, n: 0 };
    const complete = answer.master.version <= grown.masters.length && compareVersions(answer.personal, known) <= 0 && answer.suspensions <= grown.suspensions.length;
    // A Master Profile comes into force with the first version under it (docs/spec/profiles.md 3.2): one is not shown without the other.
    const inForce = grown.masters.length === (latest(grown.history)?.payload.g ?? 0);
    if (complete && inForce) {
      checkSame(grown, answer);
      return grown;
    }
    const before = grown;
    grown = await grow(grown, await ask(knownOf(grown)));
    const moved = grown.masters.length > before.masters.length || grown.history.length > before.history.length || grown.suspensions.length > before.suspensions.length;
    if (!moved) throw new MeshError("portal-missing-profile", "The portal says that there are newer profiles but does not show them.", "Nothing here was changed. It is broken or it cheats; ask its operator.");
  }
}

/** The versions that the portal names are the very objects that this device knows: two with one number are evidence (decision 4.2). */
function checkSame(mesh: Mesh, answer: Standing): void {
  sameOrEvidence(mesh.masters[answer.master.version - 1], answer.master, "Master Profile");
  sameOrEvidence(at(mesh.history, answer.personal), answer.personal, "Personal Profile");
  const suspended = digestOfSuspensions(namedSuspensions({ suspensions: mesh.suspensions.slice(0, answer.suspensions) }));
  demand(answer.suspended === suspended, "portal-older-profile", "The portal counts other suspensions than it showed this device: somebody who was cut off may be in again.", "It was restored from a backup or it cheats. Nothing here was changed; ask its operator, and see `mesh device list`.");
}

/** A mesh with a version of the Master Profile as a portal shows it. */
export async function withShownMaster(mesh: Mesh, { object, countersignature: consent }: ResponseOf<typeof getProfiles>["masters"][number]): Promise<Mesh> {
  return withMaster(mesh, readSigned(object, masterProfile), consent === undefined ? undefined : readSigned(consent, countersignature));
}

async function grow(mesh: Mesh, fetched: ShownHistory): Promise<Mesh> {
  let grown = mesh;
  for (const master of fetched.masters) grown = await withShownMaster(grown, master);
  const offered = new Map<string, Verified<DeviceProfile>>();
  for (const device of fetched.devices) {
    const verified = await verifyDevice(readSigned(device, deviceProfile));
    offered.set(verified.payload.id, verified);
  }
  const suspensions = fetched.suspensions.map(({ object, arrived }): Stamped<Suspension> => ({ object: readSigned(object, suspension), arrived }));
  for (const { object, arrived } of fetched.personals) {
    const personal = readSigned(object, personalProfile);
    // A suspension counts for every version after the one it names, in whichever order the portal lists them.
    grown = await withSuspensions(grown, suspensions, (one) => compareVersions(one.object.payload, personal.payload) < 0);
    demand(missingSuspensions(grown, personal.payload).length === 0, "portal-missing-profile", "The portal keeps from this device a suspension that your other devices know of.", "It cheats. Nothing here was changed; do not rely on this portal.");
    grown = await withPersonal(grown, personal, offered, arrived);
  }
  // Whatever was cut off comes after all that is there.
  return withSuspensions(grown, suspensions, () => true);
}

async function withSuspensions(mesh: Mesh, suspensions: readonly Stamped<Suspension>[], due: (one: Stamped<Suspension>) => boolean): Promise<Mesh> {
  let grown = mesh;
  for (const one of suspensions) {
    if (!due(one)) break;
    grown = await withSuspension(grown, one.object, one.arrived);
  }
  return grown;
}
