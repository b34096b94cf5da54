import type { DecapsulationKey } from "../crypto/key-pair.ts";
import type { Jws } from "../envelope/signed.ts";
import { type DeviceProfile, deviceProfile } from "../profiles/device.ts";
import { suspendedIn } from "../profiles/mesh.ts";
import { deviceEntry } from "../profiles/personal.ts";
import type { PortalProfile } from "../profiles/portal.ts";
import type { Correct } from "../profiles/stages.ts";
import { NOBODY, partyOf, type Suspended } from "../profiles/suspension.ts";
import type { DeviceId, MasterId } from "../profiles/types.ts";
import type { Member } from "../protocol/session.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Reading, Writing } from "../store/store.ts";
import type { Policy } from "./limits.ts";
import type { Logged } from "./logged.ts";
import { getObject, type MeshRecord, row, shelf } from "./records.ts";
import type { View } from "./view.ts";
import type { Whole } from "./whole.ts";

/** Who this portal is. */
export type Identity = { readonly profile: Correct<PortalProfile>; readonly jws: Jws; readonly sessionKey: DecapsulationKey };

/** Who asks: nobody in particular, a device with a request, or an active device of a mesh. */
export type Asker =
  | { readonly kind: "anyone" }
  | { readonly kind: "requester"; readonly device: DeviceId; readonly master: MasterId }
  | { readonly kind: "member"; readonly device: DeviceId; readonly role: "admin" | "member"; readonly view: View };

/** The world as a decision sees it. */
export type Context = {
  readonly identity: Identity;
  readonly policy: Policy;
  readonly asker: Asker;
  readonly now: number;
  /** Whether whoever asks sits on the same machine. */
  readonly local: boolean;
  read<T>(work: (reading: Reading) => Promise<T>): Promise<T>;
  /** Where a mesh stands whose account is open here. */
  view(id: MasterId): Promise<View | undefined>;
  /** The same, even if its account was closed: of what is still kept. */
  keptView(id: MasterId): Promise<View | undefined>;
  /** All of a mesh: what it costs grows with its past. */
  whole(view: View): Promise<Whole>;
};

/** A decision: the answer, what octets go behind it, and what must be written and said in the log, in one transaction, before it may be given. */
export type Plan<A> = { readonly response: A; readonly octets?: Uint8Array; readonly write?: (writing: Writing) => Promise<void>; readonly logged?: Logged; readonly changed?: View };

/** The member who asks; the pipeline has already checked that it is one. */
export function memberOf(context: Context): Extract<Asker, { kind: "member" }> {
  if (context.asker.kind !== "member") throw new RangeError("this command is for members");
  return context.asker;
}

/** Refuses what a mesh has no room for: by its own quota if its operator gave it one, else by everybody's. */
export function demandRoom({ policy }: Context, record: MeshRecord): void {
  demand(record.octets <= (record.quota ?? policy.octetsPerAccount), "account-quota", "This account has used up the room that the portal gives it.");
}

/** What a device may do now, read from the store each time: a disabled or suspended one is nobody (decision 8.1). */
export async function askerFor({ device, master }: Member, view: View | undefined, context: Pick<Context, "now" | "read" | "whole">): Promise<Asker> {
  if (view === undefined) return { kind: "anyone" };
  const entry = deviceEntry(view.personal.profile.payload, device);
  if (entry !== undefined) {
    const active = entry.status === "active" && !(await suspendedNow(context, view)).has(partyOf(device, view.roster).id);
    return active ? { kind: "member", device, role: entry.role, view } : { kind: "anyone" };
  }
  const request = await context.read((r) => row(r, shelf.requesters, `${master}/${device}`));
  return request === undefined ? { kind: "anyone" } : { kind: "requester", device, master: view.id };
}

/** The profile of a device that a mesh lists now. */
export async function deviceOf({ read }: Pick<Context, "read">, view: View, id: string): Promise<Correct<DeviceProfile> | undefined> {
  const entry = deviceEntry(view.personal.profile.payload, id);
  return entry === undefined ? undefined : read(async (r) => (await getObject(r, entry.digest, deviceProfile)) as Correct<DeviceProfile>);
}

/** Who is suspended in a mesh; only one that has suspensions must be looked at whole. */
export async function suspendedNow(context: Pick<Context, "now" | "whole">, view: View): Promise<Suspended> {
  return view.record.suspensions === 0 ? NOBODY : suspendedIn(await context.whole(view), context.now);
}
