import { demand } from "../refusals/mesh-error.ts";
import type { PersonalWords } from "./history.ts";
import { deviceEntry, type PersonalProfile } from "./personal.ts";
import type { Roster } from "./roster.ts";
import { showVersion } from "./version.ts";

/**
 * How far n may step: a device whose version was refused signs no second object for that (g, n) and goes on with the next
 * number, so numbers may be missing; what follows what is said by `previous`, not by the number.
 */
export const MAX_STEP = 16;

const JOIN_ANEW = "It can be joined as a new device: `mesh join`, in an empty home.";

/** The rules of a Personal Profile that need no signature: its place in the order and what it may list (decisions 4.2, 4.3, 4.9). */
export function checkPersonal(profile: PersonalProfile, roster: Roster, previous: PersonalWords | undefined): void {
  checkOrder(profile, roster, previous);
  checkDevices(profile, roster, previous?.payload);
  checkApplications(profile);
}

function checkOrder(profile: PersonalProfile, roster: Roster, previous: PersonalWords | undefined): void {
  demand(profile.id === roster.id, "profile-wrong-id", "This Personal Profile belongs to another Master Profile.");
  demand(profile.g === roster.version && profile.master === roster.digest, "profile-out-of-order", "This Personal Profile names another version of the Master Profile.");
  demand(profile.previous === previous?.digest, "profile-out-of-order", `Personal Profile ${showVersion(profile)} does not follow the version known before it.`);
  const before = previous?.payload;
  // Else whoever has an Administration Key for an hour could leave behind the name of a portal of his.
  demand(before === undefined || profile.home === before.home, "profile-out-of-order", "This Personal Profile names another home portal: a mesh does not move yet.");
  const first = before === undefined && profile.g === 1 && profile.n === 1;
  const next = before !== undefined && before.g === profile.g && before.n < profile.n && profile.n <= before.n + MAX_STEP;
  const over = before !== undefined && before.g + 1 === profile.g && profile.n <= MAX_STEP;
  demand(first || next || over, "profile-out-of-order", `Personal Profile ${showVersion(profile)} does not follow ${before === undefined ? "nothing" : showVersion(before)}.`);
}

function checkDevices(profile: PersonalProfile, roster: Roster, before: PersonalProfile | undefined): void {
  unique(profile.devices.map((device) => device.id), "device");
  // A disabled one may be left out: a list that could only grow would end a lifelong identity at its limit.
  const forgotten = before?.g === profile.g && before.devices.some((device) => device.status === "active" && deviceEntry(profile, device.id) === undefined);
  demand(!forgotten, "profile-wrong-role", "An active device stays listed until a version lists it as disabled.");
  const administrators = new Set<string>(roster.administrators.map((one) => one.device));
  // Else a lower Administration Key could shut out a higher one without the price of suspending it (decisions 4.4, 4.5).
  const kept = roster.administrators.every((one) => profile.devices.some((device) => device.id === one.device && device.role === "admin" && device.status === "active"));
  demand(kept, "profile-wrong-role", "A device to which the Master Profile gives an Administration Key is listed as an active administration device.");
  for (const device of profile.devices) {
    const admin = device.role === "admin" && device.status === "active";
    demand(!admin || administrators.has(device.id), "profile-wrong-role", "A device is listed as administration device that the Master Profile does not name.");
    const known = before === undefined || before.g !== profile.g ? undefined : deviceEntry(before, device.id);
    demand(known?.status !== "disabled" || device.status === "disabled", "profile-wrong-role", "A disabled device is never listed as active again.", JOIN_ANEW);
    demand(known === undefined || known.digest === device.digest, "profile-wrong-role", "A device's profile was exchanged for another.");
  }
}

/**
 * A device that was left out once it was disabled is never listed again: no Administration Key revives a device. The first version
 * under a new Master Profile may, by the Master key's word. `wasListed` says which devices any version lists.
 */
export function checkLeftOut(profile: PersonalProfile, before: PersonalProfile | undefined, wasListed: (device: string) => boolean): void {
  if (before?.g !== profile.g) return;
  const back = profile.devices.some(({ id }) => deviceEntry(before, id) === undefined && wasListed(id));
  demand(!back, "profile-wrong-role", "A device that was disabled and left out is never listed again.", JOIN_ANEW);
}

function checkApplications(profile: PersonalProfile): void {
  unique(profile.applications.map((application) => application.id), "application");
  unique(profile.heads.map((head) => head.catalog), "catalog head");
  const active = new Set<string>(profile.devices.filter((device) => device.status === "active").map((device) => device.id));
  const admins = new Set<string>(profile.devices.filter((device) => device.role === "admin").map((device) => device.id));
  for (const application of profile.applications) {
    for (const list of [application.readers, application.editors, application.administrators]) {
      unique(list, "device");
      demand(list.every((device) => active.has(device)), "profile-wrong-role", "An application names a device that is not active.");
    }
    demand(application.editors.every((device) => application.readers.includes(device)), "profile-wrong-role", "Whoever edits an application also reads it.");
    demand(application.administrators.every((device) => application.editors.includes(device) && admins.has(device)), "profile-wrong-role", "Only an administration device administers an application.");
    demand(application.administrators.length > 0, "profile-wrong-role", "An application has at least one administrator.");
  }
}

function unique(names: readonly string[], what: string): void {
  demand(new Set(names).size === names.length, "profile-malformed", `A Personal Profile names one ${what} twice.`);
}
