import { current, type Entry, isRemoved } from "../../catalogs/merge.ts";
import { signObject, type Signer } from "../../envelope/signed.ts";
import type { Keyring } from "../../keyring/keyring.ts";
import { masterOf, type Mesh, personalOf, suspendedIn } from "../../profiles/mesh.ts";
import { deviceEntry } from "../../profiles/personal.ts";
import { rosterOf } from "../../profiles/roster.ts";
import { OTHERS, partyOf, suspension } from "../../profiles/suspension.ts";
import { publish } from "../../protocol/profiles.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { Udf } from "../../udf/udf.ts";
import { readEntries } from "../catalog.ts";
import { acknowledge } from "../acknowledged.ts";
import { type Client, type Self, signerOf } from "../client.ts";
import { type DeviceLine, deviceNamed, listDevices } from "../devices.ts";
import { loadMesh } from "../known.ts";
import { requireSent, staleCatalogs } from "../keyless.ts";
import { unlessOvertaken } from "../overtaken.ts";
import { pull, pullAgain, push } from "../sync.ts";
import type { Synced } from "../synced.ts";
import { submit } from "./submit.ts";
import { groundOf, underNewMaster } from "./masters.ts";
import { headsOf, isAdministrator, nextPersonal, withoutReader } from "./versions.ts";

/** What was done at once, and what is still owed, in words for people (decision 5.4). */
export type Receipt = { readonly done: readonly string[]; readonly pending: readonly string[] };

/** Has the person agree to what she may not expect, said in a sentence; throws if she does not. */
export type Consent = (consequence: string) => Promise<void>;

/** Nobody was asked, so nobody agreed. */
export const noConsent: Consent = async (consequence) => {
  throw new MeshError("input-needed", consequence, "Nothing was changed. Add --yes if that is what you want.");
};

/**
 * Cuts a device off (decisions 4.5, 5.4); where this device would fall with it, not without `agree`.
 *
 * One signed object, a new Personal Profile or a suspension, closes its sessions and obliges everybody to new keys; all
 * that follows is computed from it, so this device may die at any moment and another finishes.
 */
export async function disableDevice(client: Client, name: string, agree: Consent = noConsent): Promise<Receipt> {
  return unlessOvertaken(client, () => disableOnce(client, name, agree));
}

async function disableOnce(client: Client, name: string, agree: Consent): Promise<Receipt> {
  let synced = await pull(client);
  try {
    const devices = await listDevices(client);
    const target = deviceNamed(devices, name);
    demand(!target.this, "device-is-this", "This is the device you are using.", "To take it out of your mesh, run `mesh device leave`.");
    demand(target.status !== "disabled", "device-already-disabled", `${target.name} is disabled already.`);
    const active = devices.filter((device) => device.status === "active" && device.fingerprint !== target.fingerprint);
    const done: string[] = [];
    const pending: string[] = [];
    const holdsKey = masterOf(synced.mesh).payload.administrationKeys.some((key) => key.device === target.fingerprint);
    const master = holdsKey && isAdministrator(synced.mesh, synced.self) ? await client.masterKeyring?.() : undefined;
    const below = target.status !== "suspended" && !outranks(synced, target.fingerprint);
    // The Master key stands above every device: where it is at hand, nobody need fall for another.
    const falls = below && master === undefined;
    if (!isAdministrator(synced.mesh, synced.self) || holdsKey) {
      if (falls) await agree(consequenceOf(synced.mesh, devices, target));
      const signer = below && master !== undefined ? signerOf(master, synced.self.master) : undefined;
      // One that left is believed in what it released before: whoever does not ends that, with the Master key by removing it.
      if (target.status !== "suspended" || (hasLeft(synced, target.fingerprint) && master === undefined && outranks(synced, target.fingerprint))) await suspend(client, synced, target.fingerprint, signer);
      // From here on this device is suspended too: the portal answers it no more (decision 4.5).
      if (falls) return contested(target.name, devices.find((device) => device.this)?.name ?? "");
      done.push(`${target.name} is suspended: its sessions are closed, and nothing it signs counts`);
      synced = await pullAgain(client, synced);
    }
    if (isAdministrator(synced.mesh, synced.self) && (!holdsKey || master !== undefined)) {
      await remove(client, synced, target.fingerprint, master);
      done.push(`${target.name} is removed from your devices`);
      synced = await pullAgain(client, synced);
    } else {
      pending.push(holdsKey ? `${target.name} is removed for good with the Master key` : `${target.name} is removed for good by an administration device`);
    }
    const fallen = (await listDevices(client)).filter((device) => device.status === "suspended" && active.some((one) => one.fingerprint === device.fingerprint));
    for (const device of fallen) pending.push(`${device.name}, which ${target.name} let in within the last 72 hours, is suspended with it. If it is in your hands: mesh device unsuspend ${JSON.stringify(device.name)}; else: mesh device disable ${JSON.stringify(device.name)}`);
    const rolled = await push(client, synced);
    const stale = await staleCatalogs(client, synced);
    if (rolled > 0) done.push(`${rolled} catalog${rolled === 1 ? "" : "s"} got new keys that ${target.name} does not have`);
    else if (stale === 0) done.push("every catalog already had new keys");
    if (stale > 0) pending.push(`${stale} catalog${stale === 1 ? " gets" : "s get"} new keys when another of your devices syncs: this one was not given the present ones`);
    const exposed = (await readEntries(client, "passwords")).filter((entry) => !isRemoved(entry)).map(nameIn).sort();
    if (exposed.length > 0) pending.push(`change the ${exposed.length} password${exposed.length === 1 ? "" : "s"} that ${target.name} could read: ${exposed.slice(0, 20).join(", ")}${exposed.length > 20 ? ", ..." : ""}`);
    return { done, pending };
  } finally {
    synced.link.close();
  }
}

/** What an entry is called; what another device wrote in another form has no name. */
function nameIn(entry: Entry): string {
  const name = current(entry, "name");
  return typeof name === "string" ? name : "?";
}

/** Whether a suspension of a device by this one is firm; of an equal or higher rank it takes the signer down as well. */
function outranks({ mesh, self }: Synced, target: string): boolean {
  const roster = rosterOf(masterOf(mesh));
  const mine = isAdministrator(mesh, self) ? partyOf(self.device, roster).rank : OTHERS;
  return mine < partyOf(target, roster).rank;
}

/** Whether a device took itself out, and nobody else holds anything against it. */
function hasLeft({ mesh, now }: Synced, target: string): boolean {
  return suspendedIn(mesh, now).get(partyOf(target, rosterOf(masterOf(mesh))).id)?.left === true;
}

/** What a person is told before she suspends a device that this one does not stand above: what it costs, and where it costs nothing. */
function consequenceOf(mesh: Mesh, devices: readonly DeviceLine[], { fingerprint, name }: DeviceLine): string {
  const roster = rosterOf(masterOf(mesh));
  const above = devices.filter((device) => device.status === "active" && partyOf(device.fingerprint, roster).rank < partyOf(fingerprint, roster).rank).map((device) => device.name);
  const instead = above.length > 0 ? `Do it on ${above.join(" or ")} if you can: that costs nothing.` : "No device of yours stands above it.";
  return `From here that suspends this device as well, and this one until a device above it or the Master key takes that back: it does not stand above ${name}, and nobody can tell from here which of the two is the thief's. ${name} comes back after 72 hours unless one that stands above both disables it. ${instead}`;
}

function contested(name: string, own: string): Receipt {
  return {
    done: [`${name} is suspended for 72 hours: its sessions are closed, and nothing it signs counts`, `this device is suspended with it, since it does not stand above ${name}: nobody can tell from here which of the two is the thief's`],
    pending: [`on a device that stands above both, within 72 hours: mesh device disable ${JSON.stringify(name)}`, `there, too, for this one to go on: mesh device unsuspend ${JSON.stringify(own)}`],
  };
}

/**
 * Takes this device itself out: it suspends itself, and an administration device removes it at its next sync.
 *
 * That it is leaving is written down first: cut off after the portal took its suspension, and turned away from then on, it goes on to
 * erase its keys when this is called again.
 */
export async function leaveMesh(client: Client): Promise<Receipt> {
  const { leaving, self } = await client.rows.read(async (rows) => ({ leaving: await rows.get("leaving", "leaving"), self: await rows.get<Self>("self", "self") }));
  if (self?.state === "left" && (await client.keyring.list()).length > 0) return eraseKeys(client, self);
  try {
    return await unlessOvertaken(client, () => leaveOnce(client));
  } catch (error) {
    if (leaving === undefined || self === undefined || !(error instanceof MeshError) || error.code !== "device-disabled") throw error;
    return eraseKeys(client, self);
  }
}

async function leaveOnce(client: Client): Promise<Receipt> {
  const synced = await pull(client);
  try {
    const { mesh, self } = synced;
    const others = personalOf(mesh).payload.devices.filter((device) => device.role === "admin" && device.status === "active" && device.id !== self.device);
    demand(others.length > 0, "device-last-administrator", "This is your only administration device: without it nobody could accept or disable a device.", "Accept another one with `mesh device accept ... --role admin` first.");
    await push(client, synced);
    // Its keys go, and with them what nobody else has.
    await requireSent(client, "passwords");
    await client.rows.transact((rows) => rows.put("leaving", "leaving", "", { at: client.now() }));
    await suspend(client, synced, self.device, signerOf(client.keyring, self.device));
    return await eraseKeys(client, self);
  } finally {
    synced.link.close();
  }
}

/** Erases the keys of this device and says what became of it; may be called again until they are all gone. */
async function eraseKeys(client: Client, self: Self): Promise<Receipt> {
  const mesh = await client.rows.transact(async (rows) => {
    await rows.put("self", "self", "", { ...self, state: "left" } satisfies Self);
    await rows.remove("leaving", "leaving", "");
    return loadMesh(rows, self.master);
  });
  const keeps = (await client.masterKeyring?.()) !== undefined;
  for (const { id } of await client.keyring.list()) await client.keyring.remove(id);
  const master = keeps ? ["your Master and Recovery keys are not erased: they lie in this home still, and nowhere else. Keep it, or no administration device can ever be added or removed"] : [];
  const removal = isAdministrator(mesh, self) ? ["its Administration Key is removed for good with the Master key; the other devices change the keys at their next sync"] : ["an administration device removes it from the list and changes the keys at its next sync"];
  return { done: ["this device has left: its keys are erased"], pending: [...master, ...removal] };
}

/** Signs and publishes a suspension, with the Administration Key if this device holds one, unless another signer is given; one that said the same before, which is over, counts how often. */
async function suspend(client: Client, { mesh, self, link, requester }: Synced, target: string, by?: Signer): Promise<void> {
  const personal = personalOf(mesh).payload;
  const signer = by ?? signerOf(client.keyring, isAdministrator(mesh, self) ? self.administrationKey : self.device);
  const payload = { action: "suspend" as const, g: personal.g, heads: await headsOf(client, personal), master: self.master, n: personal.n, target: target as Udf<"suspended">, v: 1 as const };
  let object = await signObject(suspension, payload, signer);
  for (let again = 1; mesh.suspensions.some((one) => one.object.digest === object.digest); again++) object = await signObject(suspension, { ...payload, again }, signer);
  const parts = [{ kind: "suspension" as const, object: object.jws }];
  await link.call(requester, publish, { parts });
  await client.rows.transact((rows) => acknowledge(rows, parts));
}

/** Publishes the version that lists a device as disabled; for an administration device together with a Master Profile without its key. */
async function remove(client: Client, { mesh, now, self, link, requester }: Synced, target: string, keyring: Keyring | undefined): Promise<void> {
  const ground = keyring === undefined ? groundOf(mesh) : await underNewMaster(client, self, mesh, keyring, now, (keys) => keys.filter((key) => key.device !== target));
  const { last, master, parts } = ground;
  const devices = last.devices.map((device) => (device.id === target ? { ...device, status: "disabled" as const } : device));
  const personal = await nextPersonal(client, self, ground.mesh, { applications: withoutReader(last.applications, target), devices }, master);
  await submit(client, link, requester, { parts: [...parts, { kind: "personal", object: personal.jws }] });
}

/** Removes one suspended device, as an administration device may: an obligation, discharged at sync, one version at a time (decision 5.4). Returns how many. */
export async function removeSuspended(client: Client, synced: Synced): Promise<number> {
  const [target] = isAdministrator(synced.mesh, synced.self) ? removable(synced.mesh, synced.now) : [];
  if (target === undefined) return 0;
  await remove(client, synced, target, undefined);
  return 1;
}

function removable(mesh: Mesh, now: number): readonly string[] {
  const suspended = suspendedIn(mesh, now);
  const holders = new Set<string>(masterOf(mesh).payload.administrationKeys.map((key) => key.device));
  return [...suspended].flatMap(([id, standing]) => {
    const active = deviceEntry(personalOf(mesh).payload, id)?.status === "active";
    // Those that fell with another, its signer or whom it had let in: a person says what becomes of them, not a sync.
    const named = mesh.suspensions.some((one) => one.object.digest === standing.digest && one.object.payload.target === id);
    const firm = standing.until === undefined && partyOf(id, rosterOf(masterOf(mesh))).id === id && named;
    return active && firm && !holders.has(id) ? [id] : [];
  });
}
