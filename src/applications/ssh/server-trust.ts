import { fromBase64url } from "../../bytes/base64url.ts";
import { isActive, type Mesh, personalOf } from "../../profiles/mesh.ts";
import type { DeviceId, MasterId } from "../../profiles/types.ts";
import type { Version } from "../../profiles/version.ts";
import { deviceEntry } from "../../profiles/personal.ts";

/** A state of a mesh as servers know it: its Personal Profile, and how many suspensions there were. Both only grow, so states have an order. */
export type TrustVersion = Version & { readonly suspensions: number };

/** Whoever's certificates a server takes: a device, and its key for them, 32 octets of Ed25519. */
export type ServerAuthority = { readonly device: DeviceId; readonly key: Uint8Array };

/** What a managed server is to believe of a mesh. */
export type ServerTrust = {
  readonly asOf: TrustVersion;
  /** For whom certificates must stand: the identifier of the Master Profile, which never changes. */
  readonly principal: MasterId;
  /** The keys by which administration devices sign certificates, those of devices that are active alone; in the order in which the profile lists them. */
  readonly authorities: readonly ServerAuthority[];
  /** Such keys of devices that were administration devices in any version, and do not count now. Those of others never counted anywhere. */
  readonly revokedAuthorities: readonly Uint8Array[];
  /** The devices whose certificates no longer hold, whoever signed them: disabled, suspended, or left out of the list. */
  readonly revokedDevices: readonly DeviceId[];
};

/**
 * What a managed server is to believe of a mesh at a time of its portal, in milliseconds (docs/spec/ssh.md 6).
 *
 * It is a function of what the mesh signed, and of the time for the lapse of contested suspensions alone: no portal adds anything to it. A device that is
 * suspended counts as revoked at once.
 */
export function serverTrust(mesh: Mesh, now: number): ServerTrust {
  const { devices, g, n } = personalOf(mesh).payload;
  const active = devices.filter((one) => isActive(mesh, one.id, now));
  const authorities = active.filter((one) => one.role === "admin").flatMap(({ id }) => authorityOf(mesh, id).map((key) => ({ device: id, key })));
  const ever = new Set(mesh.history.flatMap(({ profile }) => profile.payload.devices.filter((one) => one.role === "admin").map((one) => one.id)));
  const gone = [...ever].filter((id) => !authorities.some((one) => one.device === id));
  return {
    asOf: { g, n, suspensions: mesh.suspensions.length },
    principal: mesh.id,
    authorities,
    revokedAuthorities: gone.flatMap((id) => authorityOf(mesh, id)),
    revokedDevices: [...mesh.devices.values()].map((one) => one.payload.id).filter((id) => deviceEntry({ devices: active }, id) === undefined),
  };
}

function authorityOf(mesh: Mesh, device: string): readonly Uint8Array[] {
  return (mesh.devices.get(device)?.payload.baseKeys ?? []).filter((key) => key.application === "ssh-authority").map(({ pub }) => fromBase64url(pub));
}
