import * as v from "valibot";

import { countField, digestField, formatField, udfField } from "../envelope/fields.ts";
import type { ObjectType, Verified } from "../envelope/signed.ts";
import { headsField } from "./personal.ts";
import type { Roster } from "./roster.ts";
import { CONTEST_MS } from "./types.ts";
import { isAfter, type Version } from "./version.ts";

const shape = v.pipe(
  v.strictObject({
    action: v.picklist(["suspend", "confirm", "lift"]),
    again: v.optional(countField()),
    g: countField(),
    heads: headsField,
    master: udfField<"master">(),
    n: countField(),
    subject: v.optional(digestField),
    target: udfField<"suspended">(),
    v: formatField,
  }),
  v.check((payload) => (payload.subject === undefined) === (payload.action === "suspend"), "names the suspension it is about if, and only if, it confirms or lifts one"),
);

/**
 * A suspension (decision 4.5): nothing that the target signs after (g, n) is Correct, its sessions end, epochs roll.
 *
 * `target` is a device, an Administration Key, the Master Signature Key or the Recovery Key. `confirm` and `lift` name in
 * `subject`, by digest, the suspension whose hold on `target` they make firm or end. (g, n) is the version current when
 * it is signed, and `heads` are the catalogs' heads as the signer knew them. `again` counts the same words of the same signer
 * that arrived before and hold no more: without it they would be one object, and the later taken for the earlier.
 */
export type Suspension = v.InferOutput<typeof shape>;
export const suspension: ObjectType<Suspension> = { typ: "mesh-suspension+json", shape, maxBytes: 64 * 1024 };

/** A party that can suspend or be suspended, and its rank: the smaller, the higher (Recovery 0, Master 1, Administration Keys from 2 in listed order, others last). */
export type Party = { readonly id: string; readonly rank: number };

/** The rank of all who hold no Administration Key. */
export const OTHERS = Number.MAX_SAFE_INTEGER;

/** A suspension with the time at which the portal received it, in milliseconds. */
export type SuspensionEvent = { readonly object: Verified<Suspension>; readonly arrived: number };

/**
 * A device that a version lists as active and the version before it did not: `by` is the party that let it in, the Master
 * key for a device to which the Master Profile gives an Administration Key.
 */
export type Admission = { readonly device: string; readonly by: string; readonly at: Version; readonly arrived: number };

/**
 * Why a party is suspended: by whom, since which version (the first if there are several reasons), until when if the
 * suspension is contested, and the digests of all suspensions that hold it, the first in `digest`. `left` says that it took itself out
 * and nobody else holds anything against it.
 */
export type Standing = { readonly by: Party; readonly since: Version; readonly digest: string; readonly until: number | undefined; readonly digests: readonly string[]; readonly left: boolean };

/** Who is suspended at one moment, by the identifier of the party. */
export type Suspended = ReadonlyMap<string, Standing>;

/** Nobody. */
export const NOBODY: Suspended = new Map();

/** The party that a target or a signature's key identifier stands for: an administration device and its key are one. */
export function partyOf(id: string, roster: Roster): Party {
  if (id === roster.recovery) return { id, rank: 0 };
  if (id === roster.id) return { id, rank: 1 };
  const at = roster.administrators.findIndex((one) => one.device === id || one.key === id);
  const device = roster.administrators[at]?.device;
  return device === undefined ? { id, rank: OTHERS } : { id: device, rank: 2 + at };
}

/** The rank with which a signature speaks: an administration device that signs with its device key speaks as any device. */
function speaker(kid: string, roster: Roster): Party {
  const party = partyOf(kid, roster);
  return party.id === kid && party.rank >= 2 ? { id: party.id, rank: OTHERS } : party;
}

/** One suspension's hold on one party; `leaves` where it suspended itself and nobody else by it. */
type Hold = { readonly id: string; readonly by: Party; readonly since: Version; readonly digest: string; readonly until: number | undefined; readonly leaves?: true };

/**
 * Who is suspended at `now`, from all suspensions in the order in which they arrived (decision 4.5).
 *
 * `rosters` are those of all versions of the Master Profile: a signature has the rank that it had in the version it was made under,
 * whatever later versions say. A suspended signer's suspensions count for nothing. A suspension of a lower rank, or of
 * oneself, is firm; one of an equal or higher rank suspends the signer firmly and the target for 72 h unless confirmed by a
 * rank above the target. Devices that a suspended party admitted in the 72 h before fall with it, as firmly. A rank above
 * whoever suspended, or Recovery, lifts one suspension's hold on one party.
 */
export function suspendedAt(rosters: readonly Roster[], events: readonly SuspensionEvent[], admissions: readonly Admission[], now: number): Suspended {
  let holds: readonly Hold[] = [];
  let clock = 0;
  for (const { object, arrived } of events) {
    const { payload, kid } = object;
    const roster = rosters[payload.g - 1];
    clock = Math.max(clock, arrived);
    holds = holds.filter((one) => one.until === undefined || one.until > clock);
    if (roster === undefined || payload.master !== roster.id) continue;
    const by = speaker(kid, roster);
    if (holds.some((one) => one.id === by.id)) continue;
    const target = partyOf(payload.target, roster);
    if (payload.action === "suspend") holds = [...holds, ...holdsOf(object, by, target, admissions, clock)];
    else holds = changed(holds, payload, by, target, roster);
  }
  return standingOf(holds.filter((one) => one.until === undefined || one.until > now));
}

function holdsOf({ payload, digest }: SuspensionEvent["object"], by: Party, target: Party, admissions: readonly Admission[], clock: number): readonly Hold[] {
  const since = { g: payload.g, n: payload.n };
  // Whoever leaves says nothing against those whom it let in.
  if (by.id === target.id) return [{ id: target.id, by, since, digest, until: undefined, leaves: true }];
  const firm = by.rank < target.rank;
  const hold = (party: string, until: number | undefined): readonly Hold[] => [party, ...admittedBy(party, since, admissions, clock)].map((id) => ({ id, by, since, digest, until }));
  return firm ? hold(target.id, undefined) : [...hold(target.id, clock + CONTEST_MS), ...hold(by.id, undefined)];
}

/** The devices whose last admission up to a version was by a party, in the 72 h before. */
function admittedBy(party: string, upTo: Version, admissions: readonly Admission[], clock: number): readonly string[] {
  const last = new Map(admissions.filter((one) => !isAfter(one.at, upTo)).map((one) => [one.device, one]));
  return [...last.values()].filter((one) => one.by === party && one.device !== party && clock - one.arrived <= CONTEST_MS).map((one) => one.device);
}

function changed(holds: readonly Hold[], { action, subject }: Suspension, by: Party, target: Party, roster: Roster): readonly Hold[] {
  const meant = (one: Hold) => one.digest === subject && one.id === target.id;
  if (action === "confirm") return holds.map((one) => (meant(one) && by.rank < target.rank ? { ...one, until: undefined } : one));
  return holds.filter((one) => !meant(one) || !(by.rank < rankNow(one.by, roster) || by.rank === 0));
}

/** The rank of a suspender as a lift counts it: an Administration Key that the Master Profile no longer lists has none any more; a device key that spoke never had one. */
function rankNow(by: Party, roster: Roster): number {
  return by.rank === OTHERS ? OTHERS : partyOf(by.id, roster).rank;
}

/** The rank above which somebody must stand to lift a suspension under the newest Master Profile, which the Recovery Key does in any case; `rosters` as in `suspendedAt`. */
export function liftableAbove({ kid, payload }: SuspensionEvent["object"], rosters: readonly Roster[]): number {
  const [then, now] = [rosters[payload.g - 1], rosters.at(-1)];
  return then === undefined || now === undefined ? 0 : rankNow(speaker(kid, then), now);
}

function standingOf(holds: readonly Hold[]): Suspended {
  const standing = new Map<string, Standing>();
  for (const { id, by, leaves, since, digest, until } of holds) {
    const before = standing.get(id);
    const left = leaves === true && before?.left !== false;
    const firm = until === undefined || (before !== undefined && before.until === undefined);
    const merged = before === undefined ? { by, since, digest, until, digests: [digest], left } : { ...before, left, until: firm ? undefined : Math.max(until, before.until ?? 0), digests: [...before.digests, digest] };
    standing.set(id, merged);
  }
  return standing;
}

/**
 * Whether what a party said before is still to be believed: nobody suspends it, or nobody but itself, as when it leaves.
 *
 * Of one that others suspend, nobody can tell how long a thief had it already, nor from what it signed when that was.
 */
export function isBelieved(suspended: Suspended, id: string, roster: Roster): boolean {
  return suspended.get(partyOf(id, roster).id)?.left !== false;
}

/** Whether what a key or device signed at a version is void because it was suspended before that. */
export function isSuspended(suspended: Suspended, id: string, roster: Roster, at: Version): boolean {
  const one = suspended.get(partyOf(id, roster).id);
  return one !== undefined && isAfter(at, one.since);
}
