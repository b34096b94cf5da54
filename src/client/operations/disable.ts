import { current, type Entry, isRemoved } from "../../catalogs/merge.ts";
import { signObject } from "../../envelope/signed.ts";
import { masterOf, type Mesh, personalOf, suspendedIn } from "../../profiles/mesh.ts";
import { deviceEntry } from "../../profiles/personal.ts";
import { rosterOf } from "../../profiles/roster.ts";
import { OTHERS, partyOf, suspension } from "../../profiles/suspension.ts";
import { publish } from "../../protocol/profiles.ts";
import { demand } from "../../refusals/mesh-error.ts";
import type { Udf } from "../../udf/udf.ts";
import { readEntries } from "../catalog.ts";
import { acknowledge } from "../acknowledged.ts";
import { type Client, signerOf } from "../client.ts";
import { deviceNamed, listDevices } from "../devices.ts";
import { unlessOvertaken } from "../overtaken.ts";
import { pull, pullAgain, push } from "../sync.ts";
import type { Synced } from "../synced.ts";
import { submit } from "./submit.ts";
import { headsOf, isAdministrator, nextMaster, nextPersonal, withoutReader } from "./versions.ts";

/** What was done at once, and what is still owed, in words for people (decision 5.4). */
export type Receipt = { readonly done: readonly string[]; readonly pending: readonly string[] };

/**
 * Cuts a device off (decisions 4.5, 5.4).
 *
 * One signed object, a new Personal Profile or a suspension, closes its sessions and obliges everybody to new keys; all
 * that follows is computed from it, so this device may die at any moment and another finishes.
 */
export async function disableDevice(client: Client, name: string): Promise<Receipt> {
  return unlessOvertaken(() => disableOnce(client, name));
}

async function disableOnce(client: Client, name: string): Promise<Receipt> {
  let synced = await pull(client);
  try {
    const devices = await listDevices(client);
    const target = deviceNamed(devices, name);
    demand(!target.this, "device-is-this", "This is the device you are using.", "To take it out of your mesh, run `mesh device leave`.");
    demand(target.status !== "disabled", "device-already-disabled", `${target.name} is disabled already.`);
    const active = devices.filter((device) => device.status === "active" && device.name !== target.name);
    const done: string[] = [];
    const pending: string[] = [];
    const holdsKey = masterOf(synced.mesh).payload.administrationKeys.some((key) => key.device === target.fingerprint);
    const master = holdsKey && isAdministrator(synced.mesh, synced.self) ? await client.masterKeyring?.() : undefined;
    if (!isAdministrator(synced.mesh, synced.self) || holdsKey) {
      if (target.status !== "suspended") await suspend(client, synced, target.fingerprint);
      // From here on this device is suspended too: the portal answers it no more (decision 4.5).
      if (target.status !== "suspended" && !outranks(synced, target.fingerprint)) return contested(target.name);
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
    for (const device of fallen) pending.push(`${device.name}, which ${target.name} let in within the last 72 hours, is suspended with it: disable it too, or join it anew`);
    const rolled = await push(client, synced);
    done.push(rolled === 0 ? "every catalog already had new keys" : `${rolled} catalog${rolled === 1 ? "" : "s"} got new keys that ${target.name} does not have`);
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

function contested(name: string): Receipt {
  return {
    done: [`${name} is suspended for 72 hours: its sessions are closed, and nothing it signs counts`, `this device is suspended with it, since it does not stand above ${name}: nobody can tell from here which of the two is the thief's`],
    pending: [`on a device that stands above both, within 72 hours: mesh device disable ${JSON.stringify(name)}`],
  };
}

/** Takes this device itself out: it suspends itself, and an administration device removes it at its next sync. */
export async function leaveMesh(client: Client): Promise<Receipt> {
  return unlessOvertaken(() => leaveOnce(client));
}

async function leaveOnce(client: Client): Promise<Receipt> {
  const synced = await pull(client);
  try {
    const { mesh, self } = synced;
    const others = personalOf(mesh).payload.devices.filter((device) => device.role === "admin" && device.status === "active" && device.id !== self.device);
    demand(others.length > 0, "device-last-administrator", "This is your only administration device: without it nobody could accept or disable a device.", "Accept another one with `mesh device accept ... --role admin` first.");
    const keeps = (await client.masterKeyring?.()) !== undefined;
    await push(client, synced);
    await suspend(client, synced, self.device, self.device);
    await client.rows.transact((rows) => rows.put("self", "self", "", { ...self, state: "left" }));
    for (const { id } of client.keyring.list()) await client.keyring.remove(id);
    const master = keeps ? ["your Master and Recovery keys are not erased: they lie in this home still, and nowhere else. Keep it, or no administration device can ever be added or removed"] : [];
    const removal = isAdministrator(mesh, self) ? ["its Administration Key is removed for good with the Master key; the other devices change the keys at their next sync"] : ["an administration device removes it from the list and changes the keys at its next sync"];
    return { done: ["this device has left: its keys are erased"], pending: [...master, ...removal] };
  } finally {
    synced.link.close();
  }
}

/** Signs and publishes a suspension, with the Administration Key if this device holds one; a repeat of what already stands is no harm. */
async function suspend(client: Client, { mesh, self, link, requester }: Synced, target: string, by?: string): Promise<void> {
  const personal = personalOf(mesh).payload;
  const kid = by ?? (isAdministrator(mesh, self) ? self.administrationKey : self.device);
  const payload = { action: "suspend" as const, g: personal.g, heads: await headsOf(client, personal), master: self.master, n: personal.n, target: target as Udf<"suspended">, v: 1 as const };
  const object = await signObject(suspension, payload, signerOf(client.keyring, kid));
  const parts = [{ kind: "suspension" as const, object: object.jws }];
  await link.call(requester, publish, { parts });
  await client.rows.transact((rows) => acknowledge(rows, parts));
}

/** Publishes the version that lists a device as disabled; for an administration device together with a Master Profile without its key. */
async function remove(client: Client, { mesh, self, link, requester }: Synced, target: string, masterKeyring: Parameters<typeof nextMaster>[0] | undefined): Promise<void> {
  const last = personalOf(mesh).payload;
  const master = masterKeyring === undefined ? undefined : await nextMaster(masterKeyring, mesh, masterOf(mesh).payload.administrationKeys.filter((key) => key.device !== target));
  const devices = last.devices.map((device) => (device.id === target ? { ...device, status: "disabled" as const } : device));
  const personal = await nextPersonal(client, self, mesh, { applications: withoutReader(last.applications, target), devices }, master);
  await submit(client, link, requester, { parts: [...(master === undefined ? [] : [{ kind: "master" as const, object: master.jws }]), { kind: "personal", object: personal.jws }] });
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
