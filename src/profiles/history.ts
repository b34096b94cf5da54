import { type ApplicationEntry, applicationEntry, deviceEntry, type Head, type PersonalProfile } from "./personal.ts";
import type { Roster } from "./roster.ts";
import type { Correct } from "./stages.ts";
import { type Admission, partyOf } from "./suspension.ts";
import { isAfter, isSame, type Version } from "./version.ts";

/** What a version of a Personal Profile says, without the octets that were signed: all that rules ask of it. */
export type PersonalWords = Pick<Correct<PersonalProfile>, "digest" | "kid" | "payload">;

/** One version of a Personal Profile with the time at which the portal received it, in milliseconds. */
export type KnownWords = { readonly profile: PersonalWords; readonly arrived: number };
export type KnownVersion = { readonly profile: Correct<PersonalProfile>; readonly arrived: number };

/** Versions of one Personal Profile known here, oldest first; the last is the greatest (g, n). */
export type HistoryWords = readonly KnownWords[];
export type History = readonly KnownVersion[];

/** The greatest version known. */
export function latest<V extends KnownWords>(history: readonly V[]): V["profile"] | undefined {
  return history.at(-1)?.profile;
}

/** The profile of a version. */
export function at<V extends KnownWords>(history: readonly V[], version: Version): V["profile"] | undefined {
  return history.find((one) => isSame(one.profile.payload, version))?.profile;
}

/** Every admission of a device: a version that lists it as active while the version that it names before it does not. */
export function admissions(history: HistoryWords, rosters: readonly Roster[]): readonly Admission[] {
  const byDigest = new Map(history.map(({ profile }) => [profile.digest as string, profile.payload]));
  return history.flatMap(({ profile: { kid, payload }, arrived }) => {
    const roster = rosters[payload.g - 1];
    const before = byDigest.get(payload.previous ?? "");
    const fresh = payload.devices.filter((device) => device.status === "active" && (before === undefined || deviceEntry(before, device.id)?.status !== "active"));
    return fresh.map((device) => {
      const named = roster?.administrators.some((one) => one.device === device.id) === true;
      const by = roster === undefined ? kid : named ? roster.id : partyOf(kid, roster).id;
      return { device: device.id, by, at: { g: payload.g, n: payload.n }, arrived };
    });
  });
}

/** The versions that were not overridden. */
export function soundOf<V extends KnownWords>(history: readonly V[]): readonly V[] {
  const overridden = new Set<V>();
  for (const [index, { profile }] of history.entries()) {
    const before = history[index - 1];
    if (before === undefined || before.profile.payload.g === profile.payload.g) continue;
    const base = history.findIndex((one) => one.profile.digest === profile.payload.previous);
    for (const one of base < 0 ? [] : history.slice(base + 1, index)) overridden.add(one);
  }
  return overridden.size === 0 ? history : history.filter((one) => !overridden.has(one));
}

/**
 * The version from which on a device that was active is so no more, with the heads that its signer knew; `never` if none but overridden
 * versions list it as active, `undefined` while it is active, or not known.
 */
export function disabledIn<V extends KnownWords>(history: readonly V[], device: string): V["profile"] | "never" | undefined {
  const isActive = (one: V): boolean => deviceEntry(one.profile.payload, device)?.status === "active";
  const sound = soundOf(history);
  const last = sound.findLastIndex(isActive);
  if (last < 0) return history.some(isActive) ? "never" : undefined;
  return sound[last + 1]?.profile;
}

/** The newest version in which an application lost a reader: no epoch older than it may be written under (decision 6.2). */
export function lastRemoval(history: HistoryWords, application: string): Version | undefined {
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

/**
 * The index of the last commit of a catalog that whoever cut somebody off knew of: as he names it in `heads`; if he does
 * not, since he does not read that catalog, as the newest version up to `cut` names it that is neither void nor signed by
 * whom he cut off; else 0, which leaves no commit standing.
 */
export function knownIndex(history: HistoryWords, catalog: string, heads: readonly Head[], cut: Version, signedByTheirs: (kid: string) => boolean): number {
  const named = heads.find((head) => head.catalog === catalog);
  if (named !== undefined) return named.index;
  const sound = soundOf(history).filter(({ profile }) => !isAfter(profile.payload, cut) && !signedByTheirs(profile.kid));
  return sound.findLast(({ profile }) => profile.payload.heads.some((head) => head.catalog === catalog))?.profile.payload.heads.find((head) => head.catalog === catalog)?.index ?? 0;
}
