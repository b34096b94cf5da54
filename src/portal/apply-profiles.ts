import { ordinal } from "../bytes/ordinal.ts";
import type { ApplicationProfile } from "../profiles/application.ts";
import { at } from "../profiles/history.ts";
import { checkNewSuspension, judgePersonal, masterOf, type Mesh, withMaster, withPersonal, withSuspension } from "../profiles/mesh.ts";
import type { Head } from "../profiles/personal.ts";
import { rosterOf } from "../profiles/roster.ts";
import type { Correct } from "../profiles/stages.ts";
import { NOBODY, partyOf } from "../profiles/suspension.ts";
import { correctApplication, correctPinNotice } from "../profiles/validity.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Reading } from "../store/store.ts";
import { applicationIn, type Draft, deviceIn, octetsOf, personalNow, rosterNow, suspendedNow } from "./draft.ts";
import { objectOf, sealedOf } from "./logged.ts";
import type { ReadPart } from "./read-part.ts";
import { putPersonal, wordsOf } from "./personals.ts";
import { type ApplicationRow, type MasterRow, parseRow, type PinRecord, putObject, putRow, row, shelf, type Stamped } from "./records.ts";

type Of<K extends ReadPart["kind"]> = Extract<ReadPart, { kind: K }>;

/** Takes a version of the Master Profile. */
export async function applyMaster(draft: Draft, { signed, consent }: Of<"master">): Promise<void> {
  const mesh = wholeOf(draft);
  // Nobody could verify it, and nothing is kept that was not verified.
  demand(consent === undefined || mesh.masters.length > 0, "profile-wrong-signer", "A first Master Profile has nobody to countersign it.");
  const grown = await withMaster(mesh, signed, consent);
  if (grown.masters === mesh.masters) return;
  const master = masterOf(grown);
  const roster = rosterOf(master);
  draft.mesh = grown;
  draft.roster = roster;
  draft.recordings.push(objectOf(draft.id, { k: "master", n: roster.version }, master, mesh.masters.at(-1)?.digest));
  draft.effects.push(async (w) => {
    await putObject(w, master);
    if (consent !== undefined) await putObject(w, consent);
    await putRow(w, shelf.masters, `${draft.id}/${ordinal(roster.version)}`, { arrived: draft.now, digest: master.digest, roster, ...(consent === undefined ? {} : { countersignature: consent.digest }) } satisfies MasterRow);
  });
}

/** Takes a version of the Personal Profile, and the profiles of the devices that it lists first. */
export async function applyPersonal(draft: Draft, { signed }: Of<"personal">): Promise<void> {
  const { id, mesh, now, versions } = draft;
  const before = personalNow(draft);
  if (before?.digest === signed.digest) return;
  // Two administration devices that sign the next version at once are honest; one that signs it twice is not.
  const taken = mesh === undefined ? undefined : at(mesh.history, signed.payload);
  demand(taken === undefined || taken.digest === signed.digest || taken.kid === signed.kid, "profile-out-of-order", "Another administration device was quicker with this version of the Personal Profile.");
  const grown = mesh === undefined ? undefined : await withPersonal(mesh, signed, draft.offered, now);
  if (grown !== undefined && grown.history === mesh?.history) return;
  demand(signed.payload.g === rosterNow(draft).version, "profile-out-of-order", "This Personal Profile is under an older Master Profile than the one that counts.");
  const profile = grown?.history.at(-1)?.profile ?? (await judgePersonal(signed, { known: undefined, roster: rosterNow(draft), previous: () => before, suspended: () => NOBODY, suspensions: [] }));
  const fresh = [...(grown?.devices.values() ?? [])].filter((device) => mesh?.devices.get(device.payload.id) !== device);
  const held = await applicationsIn(draft, profile.payload.heads);
  draft.mesh = grown;
  versions.push({ arrived: now, profile: wordsOf(profile) });
  const { g, n } = profile.payload;
  draft.recordings.push(...fresh.map(({ digest, payload }) => sealedOf(id, "device", { device: digest, id: payload.id })), objectOf(id, { k: "personal", g, n }, profile, before?.digest));
  draft.effects.push(async (w) => {
    // Before anything of this batch is written: its signer knew what was here before.
    await checkHeads(w, id, profile.payload.heads, held);
    await putPersonal(w, id, now, profile);
    for (const device of fresh) await putObject(w, device);
  });
}

async function applicationsIn(draft: Draft, heads: readonly Head[]): Promise<ReadonlyMap<string, Correct<ApplicationProfile> | undefined>> {
  const held = new Map<string, Correct<ApplicationProfile> | undefined>();
  for (const { catalog, profile } of heads) if (profile !== undefined) held.set(catalog, await applicationIn(draft, catalog));
  return held;
}

/** The heads that a version names are on the chains that are here, with the Application Profile of now: else whoever signs it could make every device take this portal for a liar. */
async function checkHeads(reading: Reading, id: string, heads: readonly Head[], held: ReadonlyMap<string, Correct<ApplicationProfile> | undefined>): Promise<void> {
  for (const { catalog, index, digest, profile } of heads) {
    const commit = await row<Stamped>(reading, shelf.commits, `${id}/${catalog}/${ordinal(index)}`);
    const now = held.get(catalog);
    const same = profile === undefined || (now?.digest === profile.digest && now.payload.version === profile.version);
    demand(commit?.digest === digest && same, "profile-out-of-order", "This Personal Profile names a head of a catalog that is not here.");
  }
}

/** Takes a version of an Application Profile. */
export async function applyApplication(draft: Draft, { signed }: Of<"application">): Promise<void> {
  const { id, now } = draft;
  const before = await applicationIn(draft, signed.payload.id);
  if (before?.digest === signed.digest) return;
  const personal = personalNow(draft);
  const author = await deviceIn(draft, signed.kid);
  demand(personal !== undefined && author !== undefined, "profile-wrong-signer", "The signer of this Application Profile is no device of this mesh.");
  // Under the version that its suspension names, too: whoever is suspended now adds nothing.
  const [roster, suspended] = [rosterNow(draft), suspendedNow(draft)];
  demand(!suspended.has(partyOf(author.payload.id, roster).id), "signer-suspended", "The author of this Application Profile is suspended.");
  const application = await correctApplication(signed, personal, author, before, roster, suspended);
  draft.applications.set(application.payload.id, application);
  draft.recordings.push(sealedOf(id, "application", { application: application.payload.id, digest: application.digest, version: application.payload.version }));
  if (before !== undefined) draft.octets -= octetsOf(before.jws);
  draft.effects.push(async (w) => {
    await putObject(w, application);
    await putRow(w, shelf.applications, `${id}/${application.payload.id}`, { arrived: now, digest: application.digest, version: application.payload.version } satisfies ApplicationRow);
  });
}

/** Takes a suspension, or what confirms or lifts one. */
export async function applySuspension(draft: Draft, { signed }: Of<"suspension">): Promise<void> {
  const { id, now } = draft;
  const mesh = wholeOf(draft);
  if (mesh.suspensions.some((one) => one.object.digest === signed.digest)) return;
  checkNewSuspension(mesh, signed, now);
  draft.mesh = await withSuspension(mesh, signed, now);
  const number = draft.mesh.suspensions.length;
  draft.recordings.push(objectOf(id, { k: "suspension", n: number }, signed, mesh.suspensions.at(-1)?.object.digest));
  const key = `${id}/${ordinal(number)}`;
  draft.effects.push(async (w) => {
    await putObject(w, signed);
    await putRow(w, shelf.suspensions, key, { arrived: now, digest: signed.digest });
  });
}

/** Takes a notice that opens or closes a PIN. */
export async function applyPin(draft: Draft, { signed }: Of<"pin">): Promise<void> {
  const { id, now } = draft;
  const { pin, expires, status } = (await correctPinNotice(signed, rosterNow(draft), suspendedNow(draft))).payload;
  draft.recordings.push(sealedOf(id, "connect", { notice: signed.digest, pin }));
  draft.effects.push(async (w) => {
    for (const { key, value } of await w.list(shelf.pins, `${id}/`)) if (parseRow<PinRecord>(value).expires <= now) await w.remove(shelf.pins, key);
    const known = await row<PinRecord>(w, shelf.pins, `${id}/${pin}`);
    // A notice that opens a PIN may be shown again by anybody who saw it: one that was closed stays closed.
    if (known?.status !== "closed") await putRow(w, shelf.pins, `${id}/${pin}`, { expires: status === "closed" ? Math.max(expires, known?.expires ?? 0) : expires, status } satisfies PinRecord);
  });
}

function wholeOf({ mesh }: Draft): Mesh {
  if (mesh === undefined) throw new RangeError("this part is judged by the mesh's past");
  return mesh;
}
