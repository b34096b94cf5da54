import type { Digest } from "../envelope/fields.ts";
import { readSigned } from "../envelope/signed.ts";
import type { Mesh } from "../profiles/mesh.ts";
import { personalProfile } from "../profiles/personal.ts";
import { suspension } from "../profiles/suspension.ts";
import type { Part } from "../protocol/parts.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";

/** What a portal said that it had taken, and what no pull has shown since. */
type AcknowledgedRow = { readonly digest: Digest };

/** Keeps what of a batch the portal must show from now on, since it said yes to it: versions and suspensions. Commits are in their chain at home. */
export async function acknowledge(rows: RowsWriting, parts: readonly Part[]): Promise<void> {
  for (const { kind, object } of parts) {
    if (kind !== "personal" && kind !== "suspension") continue;
    const { digest } = kind === "personal" ? readSigned(object, personalProfile) : readSigned(object, suspension);
    await rows.put("acknowledged", "acknowledged", digest, { digest } satisfies AcknowledgedRow);
  }
}

/** What was acknowledged and not yet shown. */
export async function acknowledgedOf(rows: RowsReading): Promise<readonly Digest[]> {
  return (await rows.list<AcknowledgedRow>("acknowledged", "acknowledged")).map(({ row }) => row.digest);
}

/** Refuses a portal that dropped a change which it acknowledged: whoever was cut off with it would still be in. */
export function checkAcknowledged(mesh: Mesh, digests: readonly Digest[]): void {
  const shown = new Set<string>([...mesh.history.map(({ profile }) => profile.digest), ...mesh.suspensions.map(({ object }) => object.digest)]);
  demand(digests.every((digest) => shown.has(digest)), "portal-older-profile", "The portal does not show a change to your mesh that it acknowledged: a device let in or cut off may still be as it was.", "It was restored from a backup or it cheats. Ask its operator, and see `mesh device list`; do not rely on this portal.");
}

/** Forgets what a pull showed: from then on it is among what this device knows. */
export async function forgetAcknowledged(rows: RowsWriting, digests: readonly Digest[]): Promise<void> {
  for (const digest of digests) await rows.remove("acknowledged", "acknowledged", digest);
}
