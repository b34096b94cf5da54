import { MeshError } from "../refusals/mesh-error.ts";
import type { Client } from "./client.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";

/** Whether this device has made a mesh that its portal has not shown yet: `mesh create` may still send it, again if need be. */
export async function isUnproven(rows: RowsReading): Promise<boolean> {
  return (await rows.get("creating", "creating")) !== undefined;
}

/** Notes that the portal shows the mesh that was made here: what was sent to it is no longer needed. */
export async function proven(rows: RowsWriting): Promise<void> {
  await rows.remove("creating", "creating", "");
}

/**
 * The error to tell when a portal does not know a member of a mesh: it shows a state from before it took the mesh or let the device in.
 *
 * Whoever was cut off is still known there, and refused by another code.
 */
export async function unlessUnknown(client: Client, error: unknown): Promise<unknown> {
  if (!(error instanceof MeshError) || error.code !== "session-device-unknown") return error;
  const unproven = await client.rows.read(isUnproven);
  const what = unproven ? "The portal said that it took your new mesh, and does not know it." : "The portal does not know this device, which it knew before.";
  const next = unproven ? "then run the same `mesh create` again" : "and look at `mesh device list` on another of your devices";
  return new MeshError("portal-older-profile", what, `It was restored from a backup or it cheats. Nothing here was changed: ask its operator, ${next}.`, error);
}
