import { canonicalBytes } from "../bytes/canonical-json.ts";
import type { Digest } from "../envelope/fields.ts";
import { digestOf, type Signed, type Verified, verifySigned } from "../envelope/signed.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Countersignature } from "./countersignature.ts";
import type { DeviceProfile } from "./device.ts";
import { admissions, at, type History, type HistoryWords, latest, type PersonalWords } from "./history.ts";
import { verifyingKey } from "./keys.ts";
import type { MasterProfile } from "./master.ts";
import { deviceEntry, MAX_SUSPENSIONS, type PersonalProfile } from "./personal.ts";
import { checkLeftOut } from "./personal-rules.ts";
import { type Roster, rosterOf } from "./roster.ts";
import type { Correct } from "./stages.ts";
import { isSuspended, NOBODY, partyOf, type Suspended, suspendedAt, type Suspension, type SuspensionEvent } from "./suspension.ts";
import { CONTEST_MS, type MasterId } from "./types.ts";
import { correctDevice, correctMaster, correctPersonal, sameOrEvidence, verifyMaster, verifyPersonal, verifySuspension } from "./validity.ts";
import { isAfter, isSame, showVersion, type Version } from "./version.ts";

/**
 * One person's mesh as it is known: all versions of Master and Personal Profile, every device ever listed, all suspensions.
 *
 * Portal and client grow it by the same functions, so that neither takes what the other refuses.
 */
export type Mesh = {
  readonly id: MasterId;
  readonly masters: readonly Correct<MasterProfile>[];
  readonly history: History;
  readonly devices: ReadonlyMap<string, Correct<DeviceProfile>>;
  readonly suspensions: readonly SuspensionEvent[];
};

/** The same with what its Personal Profiles say, without the octets that were signed. */
export type MeshWords = Omit<Mesh, "history"> & { readonly history: HistoryWords };

/** A mesh of which nothing but its identifier is known. */
export function emptyMesh(id: MasterId): Mesh {
  return { id, masters: [], history: [], devices: new Map(), suspensions: [] };
}

/** The Master Profile that counts now. */
export function masterOf(mesh: Pick<Mesh, "masters">): Correct<MasterProfile> {
  const last = mesh.masters.at(-1);
  if (last === undefined) throw new RangeError("a mesh has a Master Profile");
  return last;
}

/** The Personal Profile that counts now. */
export function personalOf(mesh: Pick<Mesh, "history">): Correct<PersonalProfile> {
  const last = latest(mesh.history);
  if (last === undefined) throw new RangeError("a mesh has a Personal Profile");
  return last;
}

/** Who is suspended at a time, in milliseconds of portal time. */
export function suspendedIn(mesh: Mesh, now: number): Suspended {
  if (mesh.suspensions.length === 0) return NOBODY;
  const rosters = mesh.masters.map(rosterOf);
  return suspendedAt(rosters, mesh.suspensions, admissions(mesh.history, rosters), now);
}

/**
 * Whether a device was suspended at some moment at which a version was current: what an epoch made then may leave it out
 * for. What came later, a lapse, a lift or another suspension, changes nothing in the answer.
 */
export function wasSuspended(mesh: MeshWords, device: string, when: Version): boolean {
  const rosters = mesh.masters.map(rosterOf);
  const roster = rosters[when.g - 1];
  const admitted = admissions(mesh.history, rosters);
  return mesh.suspensions.some(({ object, arrived }, index) => {
    const next = mesh.suspensions[index + 1];
    const current = !isAfter(object.payload, when) && (next === undefined || !isAfter(when, next.object.payload));
    return current && roster !== undefined && suspendedAt(rosters, mesh.suspensions.slice(0, index + 1), admitted, arrived).has(partyOf(device, roster).id);
  });
}

/** Whether a device is listed as active and not suspended. */
export function isActive(mesh: Mesh, device: string, now: number): boolean {
  const listed = deviceEntry(latest(mesh.history)?.payload ?? { devices: [] }, device)?.status === "active";
  return listed && !suspendedIn(mesh, now).has(partyOf(device, rosterOf(masterOf(mesh))).id);
}

/** Adds a version of the Master Profile; the same mesh if it is known already, octet for octet. */
export async function withMaster(mesh: Mesh, signed: Signed<MasterProfile>, consent?: Signed<Countersignature>): Promise<Mesh> {
  const known = mesh.masters[signed.payload.version - 1];
  if (known?.digest === signed.digest) return mesh;
  demand(signed.payload.id === mesh.id, "profile-wrong-id", "This Master Profile is another person's.");
  // Verified before it is held against anybody: a false one is evidence of nothing.
  const verified = await verifyMaster(signed);
  sameOrEvidence(known, verified, "Master Profile");
  const before = mesh.masters.at(-1);
  const countersigned = consent === undefined || before === undefined ? undefined : await verifySigned(consent, verifyingKey(before.payload.recoveryKey));
  return { ...mesh, masters: [...mesh.masters, correctMaster(verified, before, countersigned)] };
}

/**
 * Adds a version of the Personal Profile that arrived at a time; `offered` are Device Profiles that it may list.
 *
 * Refuses what validity refuses, `profile-not-connected` if the profile of a device it lists was not offered,
 * `profile-override-late` for an override of versions older than 72 h (decision 4.6), and `profile-out-of-order` if it
 * does not name exactly the suspensions that arrived before it: so their place among the versions is signed, and nobody
 * can withhold one from some devices, or slip one in later.
 */
export async function withPersonal(mesh: Mesh, signed: Signed<PersonalProfile>, offered: ReadonlyMap<string, Verified<DeviceProfile>>, arrived: number): Promise<Mesh> {
  const known = at(mesh.history, signed.payload);
  if (known?.digest === signed.digest) return mesh;
  const master = mesh.masters[signed.payload.g - 1];
  demand(master !== undefined, "profile-out-of-order", `Personal Profile ${showVersion(signed.payload)} names a Master Profile that is not known.`);
  const ground = { known, roster: rosterOf(master), previous: () => namedPrevious(mesh, signed.payload, arrived), suspended: () => suspendedIn(mesh, arrived), suspensions: namedSuspensions(mesh) };
  const personal = await judgePersonal(signed, ground);
  checkLeftOut(personal.payload, latest(mesh.history)?.payload, (device) => mesh.devices.has(device));
  const devices = new Map(mesh.devices);
  for (const entry of personal.payload.devices) {
    const before = devices.get(entry.id);
    if (before?.digest === entry.digest) continue;
    // Commits of every version are judged by it: what a device's keys are does not change, in no version.
    demand(before === undefined, "profile-wrong-role", "A device's profile was exchanged for another.");
    const device = offered.get(entry.id);
    demand(device !== undefined, "profile-not-connected", "A Personal Profile lists a device whose profile was not sent.");
    // Else nothing could be sealed to both, and no epoch begin.
    const copied = [...devices.values()].some((one) => one.payload.encryptionKey.pub === device.payload.encryptionKey.pub);
    demand(!copied, "profile-malformed", "Two devices have one encryption key.");
    devices.set(entry.id, correctDevice(device, personal));
  }
  return { ...mesh, devices, history: [...mesh.history, { profile: personal, arrived }] };
}

/**
 * What a version of the Personal Profile is judged against: the version `known` under its number, the roster of the Master
 * Profile that it names, the version before it, who is suspended, and the newest suspensions, oldest first.
 */
export type Ground = {
  readonly known: { readonly digest: Digest } | undefined;
  readonly roster: Roster;
  readonly previous: () => PersonalWords | undefined;
  readonly suspended: () => Suspended;
  readonly suspensions: readonly Digest[];
};

/** Judges a version by all that need not know the whole mesh; the profiles of devices that it lists for the first time are the caller's to check. */
export async function judgePersonal(signed: Signed<PersonalProfile>, ground: Ground): Promise<Correct<PersonalProfile>> {
  // Verified before it is held against anybody: a false one is evidence of nothing.
  const verified = await verifyPersonal(signed, ground.roster);
  sameOrEvidence(ground.known, verified, "Personal Profile");
  const personal = correctPersonal(verified, ground.roster, ground.previous(), ground.suspended());
  demand(equalLists(ground.suspensions, personal.payload.suspensions), "profile-out-of-order", `Personal Profile ${showVersion(signed.payload)} does not name the suspensions that arrived before it.`);
  return personal;
}

/** The suspensions that a version made now names: the newest, oldest first. */
export function namedSuspensions({ suspensions }: Pick<Mesh, "suspensions">): Digest[] {
  return suspensions.slice(-MAX_SUSPENSIONS).map((one) => one.object.digest);
}

/** One digest of all of them, by which two can tell whether they mean the same: of the JCS of their list. */
export function digestOfSuspensions(named: readonly Digest[]): Digest {
  return digestOf(canonicalBytes([...named]));
}

/**
 * The suspensions that a Personal Profile names and that are not known here: a portal that shows the version must show them.
 *
 * `withPersonal` refuses such a version anyway; asked first, this tells what is missing from what is out of order.
 */
export function missingSuspensions(mesh: Pick<Mesh, "suspensions">, personal: Pick<PersonalProfile, "suspensions">): readonly Digest[] {
  const known = new Set<string>(mesh.suspensions.map((one) => one.object.digest));
  return personal.suspensions.filter((digest) => !known.has(digest));
}

/**
 * Adds a suspension that arrived at a time; it names the version current then, in which a device that signs it is active.
 *
 * So a device disabled since cannot slip in an earlier one, whatever portal helps it.
 */
export async function withSuspension(mesh: Mesh, signed: Signed<Suspension>, arrived: number): Promise<Mesh> {
  if (mesh.suspensions.some((one) => one.object.digest === signed.digest)) return mesh;
  const current = latest(mesh.history)?.payload;
  const master = mesh.masters[signed.payload.g - 1];
  demand(current !== undefined && isSame(signed.payload, current) && master !== undefined, "profile-out-of-order", "A suspension names the Personal Profile current when it is signed.");
  const active = deviceEntry(current, signed.kid)?.status === "active";
  const object = await verifySuspension(signed, master, active ? mesh.devices.get(signed.kid) : undefined);
  return { ...mesh, suspensions: [...mesh.suspensions, { object, arrived }] };
}

/** What a portal asks of a new suspension besides: whoever signs it still may. Those of suspended signers count for nothing anyway. */
export function checkNewSuspension(mesh: Mesh, signed: Signed<Suspension>, now: number): void {
  const { g, n } = personalOf(mesh).payload;
  demand(!isSuspended(suspendedIn(mesh, now), signed.kid, rosterOf(masterOf(mesh)), { g, n: n + 1 }), "signer-suspended", "Whoever is suspended suspends nobody.");
}

function equalLists(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}

/** The version that a new one names as its predecessor: the last, or in a first version under a new Master Profile one whose successors are not older than 72 h. */
function namedPrevious(mesh: Mesh, payload: PersonalProfile, arrived: number): Correct<PersonalProfile> | undefined {
  const last = latest(mesh.history);
  // Else a key that g+1 took away could go on under g, where it still stands.
  demand(last === undefined || isAfter(payload, last.payload), "profile-out-of-order", `Personal Profile ${showVersion(payload)} comes after one that supersedes it.`);
  if (last === undefined || payload.g === last.payload.g) return last;
  const index = mesh.history.findIndex((one) => one.profile.digest === payload.previous);
  const named = mesh.history[index];
  const firstVoid = mesh.history[index + 1];
  if (named === undefined || firstVoid === undefined) return last;
  demand(arrived - firstVoid.arrived <= CONTEST_MS, "profile-override-late", `Versions after ${showVersion(named.profile.payload)} are older than 72 hours and can no longer be overridden.`);
  return named.profile;
}
