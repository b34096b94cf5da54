import { canonicalJson, type Json } from "../../bytes/canonical-json.ts";
import { type Jws, readSigned, signObject, type Signed, type Verified } from "../../envelope/signed.ts";
import type { Keyring } from "../../keyring/keyring.ts";
import { type DeviceProfile, deviceProfile } from "../../profiles/device.ts";
import { type AdministrationKey, type MasterProfile, masterProfile } from "../../profiles/master.ts";
import { type Mesh, masterOf, personalOf, withMaster, withPersonal } from "../../profiles/mesh.ts";
import { deviceEntry, MAX_DEVICES, type PersonalProfile } from "../../profiles/personal.ts";
import { verifyDevice } from "../../profiles/validity.ts";
import type { Part } from "../../protocol/parts.ts";
import { type Client, type Self, signerOf } from "../client.ts";
import { nextPersonal, withoutReader } from "./versions.ts";

/**
 * What a new version of the Personal Profile rests on: the mesh before it, what that lists, the Master Profile under which it begins if
 * that is new, and the parts that go before it in its batch, that Master Profile among them.
 */
export type Ground = { readonly mesh: Mesh; readonly last: Pick<PersonalProfile, "applications" | "devices">; readonly master: Signed<MasterProfile> | undefined; readonly parts: readonly Part[] };

/** The ground of a version under the Master Profile that there is. */
export function groundOf(mesh: Mesh): Ground {
  return { last: personalOf(mesh).payload, master: undefined, mesh, parts: [] };
}

/** A version of the Master Profile that this device signed, with the profile of the device that it names first. */
type SignedMasterRow = { readonly object: Jws; readonly device?: Jws };

/** What the keys of a new Master Profile are, given those of the one before. */
type KeysChange = (keys: readonly AdministrationKey[]) => readonly AdministrationKey[];

/**
 * The ground of a version under a new Master Profile with other Administration Keys; `guest` is the device that it names first.
 *
 * The Master key signs one object for each g, recorded before anybody may send it, and there is no number to spare. One that was
 * signed before, and may be in the portal's hands, is therefore taken again if it says what is wanted; else it is published as it is,
 * and in the same batch superseded by one that takes back what it gave: nobody whom it lets in was let in (decision record 15).
 */
export async function underNewMaster(client: Client, self: Self, mesh: Mesh, keyring: Keyring, now: number, change: KeysChange, guest?: Verified<DeviceProfile>): Promise<Ground> {
  const holders = holdersIn(masterOf(mesh).payload);
  const parts: Part[] = [];
  let { last, mesh: grown } = groundOf(mesh);
  for (;;) {
    const before = masterOf(grown);
    const version = before.payload.version + 1;
    // Of what one signed before gives, nothing stays.
    const keys = change(before.payload.administrationKeys.filter((key) => holders.has(key.device)));
    const wanted: MasterProfile = { ...before.payload, administrationKeys: [...keys], previous: before.digest, version };
    const under = (signed: Signed<MasterProfile>): Ground => ({ last: fitting(listedUnder(wanted, last), holdersIn(wanted)), master: signed, mesh: grown, parts: [...parts, { kind: "master", object: signed.jws }] });
    const [row, later] = await client.rows.read((rows) => Promise.all([version, version + 1].map((g) => rows.get<SignedMasterRow>("signed-masters", self.master, g))));
    if (row === undefined) {
      const signed = await signObject(masterProfile, wanted, signerOf(keyring, self.master));
      const mine = await client.rows.transact(async (rows) => {
        if ((await rows.get("signed-masters", self.master, version)) !== undefined) return false;
        await rows.put("signed-masters", self.master, version, { object: signed.jws, ...(guest === undefined ? {} : { device: guest.jws }) } satisfies SignedMasterRow);
        return true;
      });
      // Else another command on this device was quicker: its word is out.
      if (mine) return under(signed);
      continue;
    }
    const signed = readSigned(row.object, masterProfile);
    // One after it supersedes it already.
    if (later === undefined && canonicalJson(signed.payload as Json) === canonicalJson(wanted as Json)) return under(signed);
    const device = row.device === undefined ? undefined : await verifyDevice(readSigned(row.device, deviceProfile));
    const listed = listedUnder(signed.payload, last, device);
    const personal = await nextPersonal(client, self, grown, fitting(listed, holdersIn(signed.payload)), signed);
    grown = await withPersonal(await withMaster(grown, signed), personal, new Map(device === undefined ? [] : [[device.payload.id as string, device]]), now);
    parts.push({ kind: "master", object: signed.jws }, ...(device === undefined ? [] : [{ kind: "device" as const, object: device.jws }]), { kind: "personal", object: personal.jws });
    last = listed;
  }
}

/** What a version under a Master Profile lists, of what the one before did: whoever has an Administration Key administers, and whoever has it no more is disabled. */
function listedUnder(master: MasterProfile, { applications, devices }: Ground["last"], guest?: Verified<DeviceProfile>): Ground["last"] {
  const holders = holdersIn(master);
  const fallen = devices.filter((device) => device.role === "admin" && device.status === "active" && !holders.has(device.id));
  const kept = devices.map((device) => (holders.has(device.id) ? { ...device, role: "admin" as const, status: "active" as const } : fallen.includes(device) ? { ...device, status: "disabled" as const } : device));
  const fresh = guest !== undefined && holders.has(guest.payload.id) && deviceEntry({ devices }, guest.payload.id) === undefined;
  return {
    applications: fallen.reduce((left, device) => [...withoutReader(left, device.id)], applications),
    devices: fresh ? [...kept, { digest: guest.digest, id: guest.payload.id, role: "admin", status: "active" }] : kept,
  };
}

/**
 * As much of a list as one version holds: disabled devices leave it first, those listed longest before the others; then members, who are on it
 * again in the next version of the batch, when whoever takes their place has fallen.
 */
function fitting({ applications, devices }: Ground["last"], holders: ReadonlySet<string>): Ground["last"] {
  const surplus = Math.max(0, devices.length - MAX_DEVICES);
  const [disabled, members] = [devices.filter((device) => device.status === "disabled"), devices.filter((device) => device.status === "active" && !holders.has(device.id))];
  const leaving = new Set([...disabled, ...members.reverse()].slice(0, surplus));
  return {
    applications: [...leaving].reduce((left, device) => [...withoutReader(left, device.id)], applications),
    devices: devices.filter((device) => !leaving.has(device)),
  };
}

function holdersIn({ administrationKeys }: MasterProfile): ReadonlySet<string> {
  return new Set<string>(administrationKeys.map((key) => key.device));
}
