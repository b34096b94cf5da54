import { type ApplicationEntry, applicationEntry, deviceEntry, type Head, type PersonalProfile } from "./personal.ts";
import type { Correct } from "./stages.ts";
import type { Admission } from "./suspension.ts";
import { isAfter, isSame, type Version } from "./version.ts";

/** One version of a Personal Profile with the time at which the portal received it, in milliseconds. */
export type KnownVersion = { readonly profile: Correct<PersonalProfile>; readonly arrived: number };

/** All versions of one Personal Profile known here, oldest first; the last is the greatest (g, n). */
export type History = readonly KnownVersion[];

/** The greatest version known. */
export function latest(history: History): Correct<PersonalProfile> | undefined {
  return history.at(-1)?.profile;
}

/** The profile of a version. */
export function at(history: History, version: Version): Correct<PersonalProfile> | undefined {
  return history.find((one) => isSame(one.profile.payload, version))?.profile;
}

/** Whether a later Master Profile overrode a version: (g+1, 1) named an earlier one as its predecessor (decision 4.6). */
export function isVoid(history: History, version: Version): boolean {
  const over = history.find((one) => one.profile.payload.g === version.g + 1 && one.profile.payload.n === 1)?.profile.payload;
  const base = over === undefined ? undefined : history.find((one) => one.profile.digest === over.previous)?.profile.payload;
  return base !== undefined && isAfter(version, base);
}

/** Who admitted each device first, and when. */
export function admissions(history: History): readonly Admission[] {
  const seen = new Map<string, Admission>();
  for (const { profile, arrived } of history) {
    for (const device of profile.payload.devices) if (!seen.has(device.id)) seen.set(device.id, { device: device.id, by: profile.kid, arrived });
  }
  return [...seen.values()];
}

/** The first version in which a device is disabled and stays so, with the heads that its signer knew. */
export function disabledIn(history: History, device: string): Correct<PersonalProfile> | undefined {
  let found: Correct<PersonalProfile> | undefined;
  for (const { profile } of history) {
    const gone = deviceEntry(profile.payload, device)?.status !== "active";
    const known = found !== undefined || history.some((one) => deviceEntry(one.profile.payload, device)?.status === "active" && isAfter(profile.payload, one.profile.payload));
    found = gone && known ? (found ?? profile) : undefined;
  }
  return found;
}

/** The newest version in which an application lost a reader: no epoch older than it may be written under (decision 6.2). */
export function lastRemoval(history: History, application: string): Version | undefined {
  let removal: Version | undefined;
  let before: ApplicationEntry | undefined;
  for (const { profile } of history) {
    const entry = applicationEntry(profile.payload, application);
    const lost = before?.readers.some((reader) => entry?.readers.includes(reader) !== true) === true;
    if (lost) removal = { g: profile.payload.g, n: profile.payload.n };
    before = entry ?? before;
  }
  return removal;
}

/** The head of a catalog among heads that somebody named. */
export function headIn(heads: readonly Head[], catalog: string): Head | undefined {
  return heads.find((head) => head.catalog === catalog);
}
