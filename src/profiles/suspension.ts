import * as v from "valibot";

import { countField, digestField, formatField, udfField } from "../envelope/fields.ts";
import type { ObjectType, Verified } from "../envelope/signed.ts";
import { signatureKeyId } from "./keys.ts";
import type { MasterProfile } from "./master.ts";
import { headsField } from "./personal.ts";
import { CONTEST_MS } from "./types.ts";
import { isAfter, type Version } from "./version.ts";

const shape = v.strictObject({
  action: v.picklist(["suspend", "confirm", "lift"]),
  g: countField(),
  heads: headsField,
  master: udfField<"master">(),
  n: countField(),
  subject: v.optional(digestField),
  target: udfField<"suspended">(),
  v: formatField,
});

/**
 * A suspension (decision 4.5): nothing that the target signs after (g, n) is Correct, its sessions end, epochs roll.
 *
 * `target` is a device, an Administration Key or the Master Signature Key. `confirm` and `lift` name the suspension they
 * are about by digest in `subject`. `heads` are the catalogs' heads as the signer knew them.
 */
export type Suspension = v.InferOutput<typeof shape>;
export const suspension: ObjectType<Suspension> = { typ: "mesh-suspension+json", shape, maxBytes: 64 * 1024 };

/** A party that can suspend or be suspended, and its rank: the smaller, the higher (Recovery 0, Master 1, Administration Keys from 2 in listed order, others last). */
export type Party = { readonly id: string; readonly rank: number };

/** The rank of all who hold no Administration Key. */
export const OTHERS = Number.MAX_SAFE_INTEGER;

/** A suspension with the time at which the portal received it, in milliseconds. */
export type SuspensionEvent = { readonly object: Verified<Suspension>; readonly arrived: number };

/** Who first admitted a device to the mesh, and when the portal received that version. */
export type Admission = { readonly device: string; readonly by: string; readonly arrived: number };

type Standing = { readonly by: Party; readonly since: Version; readonly digest: string; readonly until: number | undefined };

/** Who is suspended at one moment. */
export type Suspended = ReadonlyMap<string, Standing>;

/** Nobody. */
export const NOBODY: Suspended = new Map();

/** The party that a target or a signature's key identifier stands for: an administration device and its key are one. */
export function partyOf(id: string, master: MasterProfile): Party {
  if (id === signatureKeyId(master.recoveryKey)) return { id, rank: 0 };
  if (id === master.id) return { id, rank: 1 };
  const at = master.administrationKeys.findIndex((key) => key.device === id || signatureKeyId(key.signatureKey) === id);
  const device = master.administrationKeys[at]?.device;
  return device === undefined ? { id, rank: OTHERS } : { id: device, rank: 2 + at };
}

/** The rank with which a signature speaks: an administration device that signs with its device key speaks as any device. */
function speaker(kid: string, master: MasterProfile): Party {
  const party = partyOf(kid, master);
  return party.id === kid && party.rank >= 2 ? { id: party.id, rank: OTHERS } : party;
}

/**
 * Who is suspended at `now`, from all suspensions in the order in which the portal received them (decision 4.5).
 *
 * A suspended signer's suspensions count for nothing. A suspension of a lower rank is firm; one of an equal or higher rank
 * suspends the signer firmly and the target for 72 h unless confirmed from above the target. Devices that the target
 * admitted in the 72 h before fall with it. A rank above the signer of a suspension, or Recovery, lifts it.
 */
export function suspendedAt(master: MasterProfile, events: readonly SuspensionEvent[], admissions: readonly Admission[], now: number): Suspended {
  const standing = new Map<string, Standing>();
  for (const event of events) {
    dropLapsed(standing, event.arrived);
    const { payload, digest, kid } = event.object;
    const by = speaker(kid, master);
    if (standing.has(by.id) || payload.master !== master.id) continue;
    const target = partyOf(payload.target, master);
    const since = { g: payload.g, n: payload.n };
    if (payload.action === "suspend") suspendOne(standing, { by, target, since, digest, arrived: event.arrived }, admissions, master);
    else changeOne(standing, payload.action, payload.subject, by, master);
  }
  dropLapsed(standing, now);
  return standing;
}

type Order = { readonly by: Party; readonly target: Party; readonly since: Version; readonly digest: string; readonly arrived: number };

function suspendOne(standing: Map<string, Standing>, order: Order, admissions: readonly Admission[], master: MasterProfile): void {
  const { by, target, since, digest, arrived } = order;
  const firm = by.rank < target.rank || by.id === target.id;
  const until = firm ? undefined : arrived + CONTEST_MS;
  const recent = admissions.filter((one) => partyOf(one.by, master).id === target.id && arrived - one.arrived <= CONTEST_MS && one.arrived <= arrived);
  for (const id of [target.id, ...recent.map((one) => one.device)]) {
    const already = standing.get(id);
    // A firm suspension is never weakened by a later, contested one.
    if (already !== undefined && already.until === undefined) continue;
    standing.set(id, { by, since, digest, until });
  }
  if (!firm) standing.set(by.id, { by, since, digest, until: undefined });
}

function changeOne(standing: Map<string, Standing>, action: "confirm" | "lift", subject: string | undefined, by: Party, master: MasterProfile): void {
  for (const [id, one] of standing) {
    if (one.digest !== subject) continue;
    if (action === "lift" && (by.rank < one.by.rank || by.rank === 0)) standing.delete(id);
    if (action === "confirm" && by.rank < partyOf(id, master).rank) standing.set(id, { ...one, until: undefined });
  }
}

function dropLapsed(standing: Map<string, Standing>, now: number): void {
  for (const [id, one] of standing) if (one.until !== undefined && one.until <= now) standing.delete(id);
}

/** Whether what a key or device signed at a version is void because it was suspended before that. */
export function isSuspended(suspended: Suspended, id: string, master: MasterProfile, at: Version): boolean {
  const one = suspended.get(partyOf(id, master).id);
  return one !== undefined && isAfter(at, one.since);
}
