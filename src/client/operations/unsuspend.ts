import { signObject, type Signer } from "../../envelope/signed.ts";
import { signatureKeyId } from "../../profiles/keys.ts";
import { masterOf, personalOf, suspendedIn } from "../../profiles/mesh.ts";
import { rosterOf } from "../../profiles/roster.ts";
import { liftableAbove, type Party, partyOf, suspension } from "../../profiles/suspension.ts";
import type { Part } from "../../protocol/parts.ts";
import { publish } from "../../protocol/profiles.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { Udf } from "../../udf/udf.ts";
import { acknowledge } from "../acknowledged.ts";
import { type Client, signerOf } from "../client.ts";
import { deviceNamed, type DeviceLine, listDevices } from "../devices.ts";
import { staleCatalogs } from "../keyless.ts";
import { unlessOvertaken } from "../overtaken.ts";
import { pull, pullAgain, push } from "../sync.ts";
import type { Synced } from "../synced.ts";
import type { Receipt } from "./disable.ts";
import { headsOf, isAdministrator } from "./versions.ts";

/** A key that is at hand, and the rank with which it speaks. */
type Voice = { readonly rank: number; readonly signer: Signer };

/** Lifts all suspensions of a device, if a key at hand stands above each of their signers (decision 4.5); all or none. */
export async function unsuspendDevice(client: Client, name: string): Promise<Receipt> {
  return unlessOvertaken(client, () => unsuspendOnce(client, name));
}

async function unsuspendOnce(client: Client, name: string): Promise<Receipt> {
  let synced = await pull(client);
  try {
    const devices = await listDevices(client);
    const target = deviceNamed(devices, name);
    demand(target.status !== "disabled", "device-already-disabled", `${target.name} is disabled for good, not only suspended.`, "Join it anew, as another device: mesh join");
    const { mesh, now, self, link, requester } = synced;
    const party = partyOf(target.fingerprint, rosterOf(masterOf(mesh)));
    const digests = suspendedIn(mesh, now).get(party.id)?.digests ?? [];
    demand(digests.length > 0, "device-not-suspended", `${target.name} is not suspended.`, "See how your devices stand: mesh device list");
    const parts = await lifts(client, synced, party, digests, devices);
    await link.call(requester, publish, { parts });
    await client.rows.transact((rows) => acknowledge(rows, parts));
    synced = await pullAgain(client, synced);
    // What is owed includes the keys for a device that is back.
    const sent = isAdministrator(synced.mesh, self) ? await push(client, synced) : 0;
    const stale = await staleCatalogs(client, synced);
    const still = suspendedIn(synced.mesh, synced.now);
    const fallen = devices.filter((one) => one.status === "suspended" && one.fingerprint !== target.fingerprint && (still.get(one.fingerprint)?.digests ?? []).some((digest) => digests.includes(digest)));
    const keys = sent > 0 && stale === 0 ? [`${target.name} was given the present keys`] : [];
    return {
      done: [`${target.name} is no longer suspended: its sessions open again, and what it wrote counts`, ...keys],
      pending: [...(keys.length > 0 ? [] : [`${target.name} gets the present keys when an administration device that has them syncs`]), ...fallen.map((one) => `${one.name} is still suspended for the same reason; if it is in your hands: mesh device unsuspend ${JSON.stringify(one.name)}`)],
    };
  } finally {
    synced.link.close();
  }
}

/** Signs one lift for each suspension that holds a party, each with the lowest key that may. */
async function lifts(client: Client, { mesh, self }: Synced, { id }: Party, digests: readonly string[], devices: readonly DeviceLine[]): Promise<Part[]> {
  const rosters = mesh.masters.map(rosterOf);
  const voices = await voicesOf(client, { mesh, self });
  const personal = personalOf(mesh).payload;
  const { g, n } = personal;
  const heads = await headsOf(client, personal);
  const chosen = mesh.suspensions.flatMap(({ object }) => {
    if (!digests.includes(object.digest)) return [];
    const above = liftableAbove(object, rosters);
    const voice = voices.find(({ rank }) => rank < above || rank === 0);
    if (voice === undefined) throw new MeshError("suspension-outranked", "It takes a key that stands above whoever suspended it.", hintFor(above, mesh, devices));
    return [{ subject: object.digest, voice }];
  });
  const parts: Part[] = [];
  for (const { subject, voice } of chosen) {
    const lift = { action: "lift" as const, g, heads, master: self.master, n, subject, target: id as string as Udf<"suspended">, v: 1 as const };
    parts.push({ kind: "suspension", object: (await signObject(suspension, lift, voice.signer)).jws });
  }
  return parts;
}

/** The keys at hand that outrank anybody, the lowest first. */
async function voicesOf(client: Client, { mesh, self }: Pick<Synced, "mesh" | "self">): Promise<readonly Voice[]> {
  const master = masterOf(mesh);
  const own = isAdministrator(mesh, self) ? [{ rank: partyOf(self.device, rosterOf(master)).rank, signer: signerOf(client.keyring, self.administrationKey) }] : [];
  const keyring = await client.masterKeyring?.();
  if (keyring === undefined) return own;
  return [...own, { rank: 1, signer: signerOf(keyring, self.master) }, { rank: 0, signer: signerOf(keyring, signatureKeyId(master.payload.recoveryKey)) }];
}

function hintFor(above: number, mesh: Synced["mesh"], devices: readonly DeviceLine[]): string {
  const roster = rosterOf(masterOf(mesh));
  const may = devices.filter((one) => one.status === "active" && !one.this && partyOf(one.fingerprint, roster).rank < above).map((one) => one.name);
  return may.length > 0 ? `Do it on ${may.join(" or ")}, or where the Master key is.` : "Do it where the Master key is: no device of yours stands above it.";
}
