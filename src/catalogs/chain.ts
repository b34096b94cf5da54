import type { Digest } from "../envelope/fields.ts";
import { recipientsOf } from "../envelope/sealed.ts";
import type { Signed } from "../envelope/signed.ts";
import { at, disabledIn, type HistoryWords, knownIndex, lastRemoval, latest } from "../profiles/history.ts";
import { encapsulationKeyId } from "../profiles/keys.ts";
import { masterOf, type Mesh, type MeshWords, suspendedIn, wasSuspended } from "../profiles/mesh.ts";
import { type ApplicationEntry, applicationEntry, deviceEntry } from "../profiles/personal.ts";
import { type Roster, rosterOf } from "../profiles/roster.ts";
import type { Correct } from "../profiles/stages.ts";
import { isSuspended, partyOf, type Suspended } from "../profiles/suspension.ts";
import type { DeviceId } from "../profiles/types.ts";
import { verifyByDevice } from "../profiles/validity.ts";
import { compareVersions, isAfter, showVersion, type Version } from "../profiles/version.ts";
import { demand } from "../refusals/mesh-error.ts";
import { type Commit, type EpochCommit, type GrantCommit, wrapSubject } from "./commits.ts";

/** Where a catalog's chain stands: its head, and the epoch under which the next entries are written. */
export type Chain = {
  readonly catalog: string;
  readonly index: number;
  readonly digest: Digest;
  readonly version: Version;
  readonly epoch: number;
  readonly epochVersion: Version;
  /** The devices that were given the key of the current epoch. */
  readonly holders: readonly DeviceId[];
};

/** The authority by which commits are judged: the mesh as it is known, and who is suspended in it now. */
export type Authority = MeshWords & { readonly roster: Roster; readonly suspended: Suspended };

/** The authority of a mesh at a time, in milliseconds of portal time. */
export function authorityOf(mesh: Mesh, now: number): Authority {
  return { ...mesh, roster: rosterOf(masterOf(mesh)), suspended: suspendedIn(mesh, now) };
}

/** A commit in its place: `quarantined` ones hold their place in the chain but their entries do not count (decision 4.6). */
export type Placed = { readonly commit: Correct<Commit>; readonly standing: "stands" | "quarantined"; readonly chain: Chain };

/**
 * Judges the next commit of a chain (decisions 6.1, 6.2); `before` is `undefined` for the first.
 *
 * Refuses with `commit-out-of-order` (place, predecessor, or a (g, n) that falls), `commit-unknown-version` (fetch the
 * Personal Profile first), `commit-wrong-author`, `signer-suspended`, `commit-wrong-epoch`, `commit-wrong-readers`, or as
 * `verifySigned`.
 */
export async function nextCommit(before: Chain | undefined, signed: Signed<Commit>, authority: Authority): Promise<Placed> {
  const { payload } = signed;
  const version = { g: payload.g, n: payload.n };
  demand(payload.index === (before?.index ?? 0) + 1 && payload.previous === before?.digest && (before === undefined || before.catalog === payload.catalog), "commit-out-of-order", `Commit ${payload.index} does not follow commit ${before?.index ?? 0} of its catalog.`);
  demand(before === undefined || compareVersions(version, before.version) >= 0, "commit-out-of-order", `Commit ${payload.index} goes back to Personal Profile ${showVersion(version)}.`);
  const personal = at(authority.history, version);
  demand(personal !== undefined, "commit-unknown-version", `Commit ${payload.index} is made under Personal Profile ${showVersion(version)}, which is not known.`);
  const entry = applicationEntry(personal.payload, payload.catalog);
  const author = authority.devices.get(signed.kid);
  demand(entry !== undefined && author !== undefined && entry.editors.includes(author.payload.id), "commit-wrong-author", `The author of commit ${payload.index} may not edit this catalog.`);
  demand(!isSuspended(authority.suspended, author.payload.id, authority.roster, version), "signer-suspended", `The author of commit ${payload.index} was suspended before.`);
  const holders = holdersAfter(before, payload, entry, author.payload.id, authority);
  const commit = (await verifyByDevice(signed, author)) as Correct<Commit>;
  const epochVersion = payload.kind === "epoch" || before === undefined ? version : before.epochVersion;
  const chain: Chain = { catalog: payload.catalog, index: payload.index, digest: signed.digest, version, epoch: payload.epoch, epochVersion, holders };
  return { commit, standing: isQuarantined(commit, authority) ? "quarantined" : "stands", chain };
}

function holdersAfter(before: Chain | undefined, payload: Commit, entry: ApplicationEntry, author: DeviceId, authority: Authority): readonly DeviceId[] {
  if (payload.kind === "epoch") return epochReaders(before, payload, entry, author, authority);
  demand(before !== undefined && payload.epoch === before.epoch, "commit-wrong-epoch", `Commit ${payload.index} is not under the chain's latest epoch.`);
  if (payload.kind === "entries") {
    // Whoever was not given the key cannot have encrypted under it; whoever knew of a removal had to make a new one first.
    demand(before.holders.includes(author), "commit-wrong-author", `The author of commit ${payload.index} was not given the key of its epoch.`);
    demand(!isStale(before, before.holders, payload, authority.history), "commit-wrong-epoch", `Commit ${payload.index} is under an epoch older than a removal that its author knew.`);
    return before.holders;
  }
  demand(entry.administrators.includes(author), "commit-wrong-author", `The author of grant ${payload.index} does not administer this catalog.`);
  return [...before.holders, ...grantedReaders(before, payload, entry, authority)];
}

/** The wraps of an epoch are for exactly the readers of its version less the suspended: one more is a silent reader, one less a silent lock-out. */
function epochReaders(before: Chain | undefined, payload: EpochCommit, entry: ApplicationEntry, author: DeviceId, authority: Authority): readonly DeviceId[] {
  demand(payload.epoch === (before?.epoch ?? 0) + 1 && (payload.previousKey === undefined) === (before === undefined), "commit-wrong-epoch", `Commit ${payload.index} does not begin the next epoch.`);
  // Said only where it is not the epoch before: one spelling.
  const skips = payload.previousEpoch === undefined || (payload.previousKey !== undefined && payload.previousEpoch < payload.epoch - 1);
  demand(skips, "commit-wrong-epoch", `Commit ${payload.index} goes on from an epoch that it may not name.`);
  const unfounded = payload.excluded.find((device) => !entry.readers.includes(device) || !wasSuspended(authority, device, payload));
  demand(unfounded === undefined, "commit-wrong-readers", `Epoch ${payload.epoch} excludes a device that was not suspended.`);
  const readers = entry.readers.filter((device) => !payload.excluded.includes(device));
  const due = before === undefined || isStale(before, readers, payload, authority.history) || isLocked(before.holders, entry.administrators, readers);
  demand(due || entry.administrators.includes(author), "commit-wrong-author", `Epoch ${payload.epoch} was not owed, and its author does not administer this catalog.`);
  const wanted = readers.map((device) => encryptionKeyOf(device, authority)).sort();
  const given = recipientsOf(payload.wraps, wrapSubject(payload.catalog, payload.epoch));
  demand(wanted.length === given.length && wanted.every((key, index) => key === given[index]), "commit-wrong-readers", `Epoch ${payload.epoch} is not for exactly the readers of this catalog.`);
  return readers;
}

function grantedReaders(before: Chain, payload: GrantCommit, entry: ApplicationEntry, authority: Authority): readonly DeviceId[] {
  const byKey = new Map<string, DeviceId>(entry.readers.filter((device) => !before.holders.includes(device)).map((device) => [encryptionKeyOf(device, authority), device]));
  return recipientsOf(payload.wraps, wrapSubject(payload.catalog, payload.epoch)).map((key) => {
    const device = byKey.get(key);
    demand(device !== undefined, "commit-wrong-readers", `Grant ${payload.index} is for a key that no new reader of this catalog has.`);
    return device;
  });
}

function encryptionKeyOf(device: DeviceId, authority: Authority): string {
  const profile = authority.devices.get(device);
  demand(profile !== undefined, "commit-unknown-version", "A reader's Device Profile is not known.");
  return encapsulationKeyId(profile.payload.encryptionKey);
}

/** Whether an epoch is too old at a version: a holder of its key may not read any more, or a reader was removed since (decision 6.2). */
function isStale(chain: Chain, readers: readonly DeviceId[], when: Version, history: HistoryWords): boolean {
  const removal = lastRemoval(history.filter((one) => !isAfter(one.profile.payload, when)), chain.catalog);
  return chain.holders.some((device) => !readers.includes(device)) || (removal !== undefined && isAfter(removal, chain.epochVersion));
}

/**
 * Whether administrators of a catalog wait for a key that none of them holds, as after a suspension that lapsed: nobody could
 * grant it to them, so that any editor begins an epoch for all readers (decision 6.2).
 */
export function isLocked(holders: readonly DeviceId[], administrators: readonly DeviceId[], readers: readonly DeviceId[]): boolean {
  return !administrators.some((device) => holders.includes(device)) && administrators.some((device) => readers.includes(device));
}

/** The commit of a catalog after which nothing counts that a device appended, none if it was let in by overridden versions only; `undefined` while it is not disabled (decisions 4.6, 5.4). */
export function cutOf(mesh: MeshWords, device: string, catalog: string): number | undefined {
  const disabling = disabledIn(mesh.history, device);
  if (disabling === undefined) return undefined;
  if (disabling === "never") return 0;
  return knownIndex(mesh.history, catalog, disabling.payload.heads, disabling.payload, theirs(mesh, device));
}

/** Whether entries do not count: appended after the heads that whoever cut the author off knew, or by a device that only overridden versions let in. */
export function isQuarantined(commit: Pick<Correct<Commit>, "kid" | "payload">, authority: Authority): boolean {
  const { payload, kid } = commit;
  if (payload.kind !== "entries") return false;
  const last = lastCounted(kid, payload.catalog, authority);
  return last !== undefined && payload.index > last;
}

/** The commit of a catalog after which nothing counts that a device appended, disabled or suspended as it is now; `undefined` while it is neither. */
export function lastCounted(device: string, catalog: string, authority: Authority): number | undefined {
  const disabled = isListed(device, authority) ? undefined : cutOf(authority, device, catalog);
  const cuts = [...(disabled === undefined ? [] : [disabled]), ...suspensionCuts(device, catalog, authority)];
  return cuts.length === 0 ? undefined : Math.min(...cuts);
}

function isListed(device: string, { history }: Authority): boolean {
  return deviceEntry(latest(history)?.payload ?? { devices: [] }, device)?.status === "active";
}

function suspensionCuts(device: string, catalog: string, authority: Authority): readonly number[] {
  const digests = authority.suspended.get(partyOf(device, authority.roster).id)?.digests ?? [];
  const holding = authority.suspensions.filter((one) => digests.includes(one.object.digest));
  return holding.map(({ object: { payload } }) => knownIndex(authority.history, catalog, payload.heads, payload, theirs(authority, device)));
}

/** Whether a key is of the same party as a device: what somebody who is cut off signed says nothing of where to cut. */
function theirs(mesh: Pick<Mesh, "masters">, device: string): (kid: string) => boolean {
  const roster = rosterOf(masterOf(mesh));
  const party = partyOf(device, roster).id;
  return (kid) => partyOf(kid, roster).id === party;
}
