import { readSigned } from "../envelope/signed.ts";
import type { Mesh } from "../profiles/mesh.ts";
import { personalProfile } from "../profiles/personal.ts";
import { suspension } from "../profiles/suspension.ts";
import type { Part } from "../protocol/parts.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";

/** A change to the mesh that a portal said it had taken, and that no pull has shown since: the digest of its version or suspension, and all of it. */
export type Acknowledged = { readonly digest: string; readonly parts: readonly Part[] };

/** Keeps what the portal must show from now on, since it said yes to it. Commits are in their chain at home. */
export async function acknowledge(rows: RowsWriting, parts: readonly Part[]): Promise<void> {
  const change = parts.filter((part) => part.kind !== "commit");
  for (const { kind, object } of change) {
    if (kind !== "personal" && kind !== "suspension") continue;
    const { digest } = kind === "personal" ? readSigned(object, personalProfile) : readSigned(object, suspension);
    await rows.put("acknowledged", "acknowledged", digest, { digest, parts: change } satisfies Acknowledged);
  }
}

/** What was acknowledged and not yet shown. */
export async function acknowledgedOf(rows: RowsReading): Promise<readonly Acknowledged[]> {
  return (await rows.list<Acknowledged>("acknowledged", "acknowledged")).map(({ row }) => row);
}

/** Refuses a portal that dropped a change which it acknowledged: whoever was cut off with it would still be in. */
export function checkAcknowledged(mesh: Mesh, acknowledged: readonly Acknowledged[]): void {
  const shown = new Set<string>([...mesh.history.map(({ profile }) => profile.digest), ...mesh.suspensions.map(({ object }) => object.digest)]);
  demand(acknowledged.every(({ digest }) => shown.has(digest)), "portal-older-profile", "The portal does not show a change to your mesh that it acknowledged: a device let in or cut off may still be as it was.", "It was restored from a backup or it cheats. Ask its operator, and see `mesh device list`; do not rely on this portal.");
}

/** Forgets what a pull showed: from then on it is among what this device knows. */
export async function forgetAcknowledged(rows: RowsWriting, acknowledged: readonly Acknowledged[]): Promise<void> {
  for (const { digest } of acknowledged) await rows.remove("acknowledged", "acknowledged", digest);
}
