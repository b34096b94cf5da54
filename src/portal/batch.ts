import { fromBase64url } from "../bytes/base64url.ts";
import { authorityOf, nextCommit } from "../catalogs/chain.ts";
import { checkBody, commit as commitType } from "../catalogs/commits.ts";
import { owed } from "../catalogs/freshness.ts";
import { type Jws, readSigned, type Verified } from "../envelope/signed.ts";
import { applicationProfile } from "../profiles/application.ts";
import { pinNotice } from "../profiles/connection.ts";
import { countersignature } from "../profiles/countersignature.ts";
import { type DeviceProfile, deviceProfile } from "../profiles/device.ts";
import { at, latest } from "../profiles/history.ts";
import { masterProfile } from "../profiles/master.ts";
import { checkNewSuspension, masterOf, personalOf, suspendedIn, withMaster, withPersonal, withSuspension } from "../profiles/mesh.ts";
import { type Head, personalProfile } from "../profiles/personal.ts";
import { rosterOf } from "../profiles/roster.ts";
import { partyOf, suspension } from "../profiles/suspension.ts";
import { correctApplication, correctPinNotice, verifyDevice } from "../profiles/validity.ts";
import type { Part } from "../protocol/parts.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Reading, Writing } from "../store/store.ts";
import { ordinal, parseRow, type PinRecord, putObject, putRow, row, shelf, type Stamped } from "./records.ts";
import type { View } from "./view.ts";

/** One write that a batch makes once it is accepted whole. */
export type Effect = (writing: Writing) => Promise<void>;

/** A view with what must be written to make it true, and the octets that this adds to the account. */
export type Applied = { readonly view: View; readonly effects: readonly Effect[]; readonly octets: number };

type Draft = { view: View; effects: Effect[]; octets: number; readonly offered: Map<string, Verified<DeviceProfile>>; readonly now: number };

/**
 * Judges the parts of a batch one after another, each against the mesh as the parts before it leave it (decision 8.2).
 *
 * A part that is already true, octet for octet, is passed over: a batch may be sent again. Throws the refusal of the first
 * part that does not hold; nothing is written here.
 */
export async function applyParts(view: View, parts: readonly Part[], now: number): Promise<Applied> {
  const draft: Draft = { view, effects: [], octets: 0, offered: new Map(), now };
  for (const part of parts) {
    const before = draft.effects.length;
    await applyPart(draft, part);
    // A PIN is a row that expires: no object stays of it.
    if (draft.effects.length > before && part.kind !== "pin") draft.octets += octetsOf(part.object) + (part.kind === "commit" ? (part.body?.length ?? 0) : 0);
  }
  const last = latest(draft.view.history);
  demand(last !== undefined && last.payload.g === masterOf(draft.view).payload.version, "profile-out-of-order", "A new Master Profile comes together with the first Personal Profile under it.");
  return { view: draft.view, effects: draft.effects, octets: draft.octets };
}

/** What an object counts for in the room that an account has: octets as sent. */
export function octetsOf({ payload, signature }: Pick<Jws, "payload" | "signature">): number {
  return payload.length + signature.length;
}

async function applyPart(draft: Draft, part: Part): Promise<void> {
  switch (part.kind) {
    case "master":
      return applyMaster(draft, part);
    case "personal":
      return applyPersonal(draft, part);
    case "device": {
      const device = await verifyDevice(readSigned(part.object, deviceProfile));
      draft.offered.set(device.payload.id, device);
      return;
    }
    case "application":
      return applyApplication(draft, part);
    case "suspension":
      return applySuspension(draft, part);
    case "pin":
      return applyPin(draft, part);
    case "commit":
      return applyCommit(draft, part);
  }
}

async function applyMaster(draft: Draft, part: Extract<Part, { kind: "master" }>): Promise<void> {
  const { view } = draft;
  const consent = part.countersignature === undefined ? undefined : readSigned(part.countersignature, countersignature);
  // Nobody could verify it, and nothing is kept that was not verified.
  demand(consent === undefined || view.masters.length > 0, "profile-wrong-signer", "A first Master Profile has nobody to countersign it.");
  draft.view = { ...view, ...(await withMaster(view, readSigned(part.object, masterProfile), consent)) };
  if (draft.view.masters === view.masters) return;
  const master = masterOf(draft.view);
  draft.effects.push(async (w) => {
    await putObject(w, master);
    if (consent !== undefined) await putObject(w, consent);
    await putRow(w, shelf.masters, `${view.id}/${ordinal(master.payload.version)}`, { arrived: draft.now, digest: master.digest, ...(consent === undefined ? {} : { countersignature: consent.digest }) });
  });
}

async function applyPersonal(draft: Draft, part: Extract<Part, { kind: "personal" }>): Promise<void> {
  const { view, now } = draft;
  const signed = readSigned(part.object, personalProfile);
  const taken = at(view.history, signed.payload);
  // Two administration devices that sign the next version at once are honest; one that signs it twice is not.
  demand(taken === undefined || taken.digest === signed.digest || taken.kid === signed.kid, "profile-out-of-order", "Another administration device was quicker with this version of the Personal Profile.");
  draft.view = { ...view, ...(await withPersonal(view, signed, draft.offered, now)) };
  if (draft.view.history === view.history) return;
  const personal = personalOf(draft.view);
  const fresh = [...draft.view.devices.values()].filter((device) => view.devices.get(device.payload.id) !== device);
  draft.effects.push(async (w) => {
    // Before anything of this batch is written: its signer knew what was here before.
    await checkHeads(w, view, personal.payload.heads);
    await putObject(w, personal);
    await putRow(w, shelf.personals, `${view.id}/${ordinal(personal.payload.g)}/${ordinal(personal.payload.n)}`, { arrived: now, digest: personal.digest });
    for (const device of fresh) await putObject(w, device);
  });
}

/** The heads that a version names are on the chains that are here, with the Application Profile of now: else whoever signs it could make every device take this portal for a liar. */
async function checkHeads(reading: Reading, view: View, heads: readonly Head[]): Promise<void> {
  for (const { catalog, index, digest, profile } of heads) {
    const commit = await row<Stamped>(reading, shelf.commits, `${view.id}/${catalog}/${ordinal(index)}`);
    const now = view.applications.get(catalog);
    const same = profile === undefined || (now?.digest === profile.digest && now.payload.version === profile.version);
    demand(commit?.digest === digest && same, "profile-out-of-order", "This Personal Profile names a head of a catalog that is not here.");
  }
}

async function applyApplication(draft: Draft, part: Extract<Part, { kind: "application" }>): Promise<void> {
  const { view, now } = draft;
  const signed = readSigned(part.object, applicationProfile);
  const before = view.applications.get(signed.payload.id);
  if (before?.digest === signed.digest) return;
  const personal = latest(view.history);
  const author = view.devices.get(signed.kid);
  demand(personal !== undefined && author !== undefined, "profile-wrong-signer", "The signer of this Application Profile is no device of this mesh.");
  // Under the version that its suspension names, too: whoever is suspended now adds nothing.
  const [roster, suspended] = [rosterOf(masterOf(view)), suspendedIn(view, now)];
  demand(!suspended.has(partyOf(author.payload.id, roster).id), "signer-suspended", "The author of this Application Profile is suspended.");
  const application = await correctApplication(signed, personal, author, before, roster, suspended);
  draft.view = { ...view, applications: new Map(view.applications).set(application.payload.id, application) };
  if (before !== undefined) draft.octets -= octetsOf(before.jws);
  draft.effects.push(async (w) => {
    await putObject(w, application);
    await putRow(w, shelf.applications, `${view.id}/${application.payload.id}`, { arrived: now, digest: application.digest });
  });
}

async function applySuspension(draft: Draft, part: Extract<Part, { kind: "suspension" }>): Promise<void> {
  const { view, now } = draft;
  const signed = readSigned(part.object, suspension);
  if (view.suspensions.some((one) => one.object.digest === signed.digest)) return;
  checkNewSuspension(view, signed, now);
  draft.view = { ...view, ...(await withSuspension(view, signed, now)) };
  const key = `${view.id}/${ordinal(draft.view.suspensions.length)}`;
  draft.effects.push(async (w) => {
    await putObject(w, signed);
    await putRow(w, shelf.suspensions, key, { arrived: now, digest: signed.digest });
  });
}

async function applyPin(draft: Draft, part: Extract<Part, { kind: "pin" }>): Promise<void> {
  const { view, now } = draft;
  const notice = await correctPinNotice(readSigned(part.object, pinNotice), rosterOf(masterOf(view)), suspendedIn(view, now));
  const { pin, expires, status } = notice.payload;
  draft.effects.push(async (w) => {
    for (const { key, value } of await w.list(shelf.pins, `${view.id}/`)) if (parseRow<PinRecord>(value).expires <= now) await w.remove(shelf.pins, key);
    const known = await row<PinRecord>(w, shelf.pins, `${view.id}/${pin}`);
    // A notice that opens a PIN may be shown again by anybody who saw it: one that was closed stays closed.
    if (known?.status !== "closed") await putRow(w, shelf.pins, `${view.id}/${pin}`, { expires: status === "closed" ? Math.max(expires, known?.expires ?? 0) : expires, status } satisfies PinRecord);
  });
}

async function applyCommit(draft: Draft, part: Extract<Part, { kind: "commit" }>): Promise<void> {
  const { view, now } = draft;
  const signed = readSigned(part.object, commitType);
  const before = view.chains.get(signed.payload.catalog);
  if (before?.index === signed.payload.index && before.digest === signed.digest) return;
  const current = latest(view.history)?.payload.devices.find((entry) => entry.id === (signed.kid as string));
  demand(current?.status === "active", "commit-wrong-author", "The author of this commit is no active device.");
  const authority = authorityOf(view, now);
  demand(!authority.suspended.has(partyOf(signed.kid, authority.roster).id), "signer-suspended", "The author of this commit is suspended.");
  // Nobody writes under an epoch that a device cut off by now can read: a roll comes first (decision 6.2).
  const stale = signed.payload.kind === "entries" && owed(before, signed.payload.catalog, view.history, authority.suspended, authority.roster).roll;
  demand(!stale, "commit-wrong-epoch", "This catalog is owed a new epoch before any more entries.");
  const { commit, chain, standing } = await nextCommit(before, signed, authority);
  demand(standing === "stands", "commit-wrong-author", "The author of this commit was cut off before it.");
  const body = part.body === undefined ? undefined : fromBase64url(part.body);
  checkBody(commit.payload, body);
  draft.view = { ...view, chains: new Map(view.chains).set(chain.catalog, chain) };
  draft.effects.push(async (w) => {
    await putObject(w, commit);
    if (body !== undefined && commit.payload.kind === "entries") await w.put(shelf.bodies, commit.payload.digest, body);
    await putRow(w, shelf.commits, `${view.id}/${chain.catalog}/${ordinal(chain.index)}`, { arrived: now, digest: commit.digest });
    await putRow(w, shelf.chains, `${view.id}/${chain.catalog}`, chain);
  });
}
