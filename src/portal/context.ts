import type { DecapsulationKey } from "../crypto/key-pair.ts";
import type { Jws } from "../envelope/signed.ts";
import { isActive, personalOf } from "../profiles/mesh.ts";
import { deviceEntry } from "../profiles/personal.ts";
import type { PortalProfile } from "../profiles/portal.ts";
import type { Correct } from "../profiles/stages.ts";
import type { DeviceId, MasterId } from "../profiles/types.ts";
import type { Reading, Writing } from "../store/store.ts";
import type { Policy } from "./limits.ts";
import { row, shelf } from "./records.ts";
import type { View } from "./view.ts";

/** Who this portal is. */
export type Identity = { readonly profile: Correct<PortalProfile>; readonly jws: Jws; readonly sessionKey: DecapsulationKey };

/** Who asks: nobody in particular, a device with a request, or an active device of a mesh. */
export type Asker =
  | { readonly kind: "anyone" }
  | { readonly kind: "requester"; readonly device: DeviceId; readonly master: MasterId; readonly witness: string }
  | { readonly kind: "member"; readonly device: DeviceId; readonly role: "admin" | "member"; readonly view: View };

/** The world as a decision sees it. */
export type Context = {
  readonly identity: Identity;
  readonly policy: Policy;
  readonly asker: Asker;
  readonly now: number;
  readonly remote: string;
  /** Whether whoever asks sits on the same machine. */
  readonly local: boolean;
  read<T>(work: (reading: Reading) => Promise<T>): Promise<T>;
  view(id: MasterId): Promise<View | undefined>;
};

/** A decision: the answer, and what must be written, in one transaction, before it may be given. */
export type Plan<A> = { readonly response: A; readonly write?: (writing: Writing) => Promise<void>; readonly changed?: View };

/** The member who asks; the pipeline has already checked that it is one. */
export function memberOf(context: Context): Extract<Asker, { kind: "member" }> {
  if (context.asker.kind !== "member") throw new RangeError("this command is for members");
  return context.asker;
}

/** What a device may do now, read from the store each time: a disabled or suspended one is nobody (decision 8.1). */
export async function askerFor(device: DeviceId, read: Context["read"], view: Context["view"], now: number): Promise<Asker> {
  const [member, request] = await read(async (r) => [await row<{ master: MasterId }>(r, shelf.members, device), await row<{ master: MasterId; witness: string }>(r, shelf.requesters, device)] as const);
  const mesh = member === undefined ? undefined : await view(member.master);
  if (mesh !== undefined) {
    const entry = deviceEntry(personalOf(mesh).payload, device);
    return entry !== undefined && isActive(mesh, device, now) ? { kind: "member", device, role: entry.role, view: mesh } : { kind: "anyone" };
  }
  return request === undefined ? { kind: "anyone" } : { kind: "requester", device, master: request.master, witness: request.witness };
}
