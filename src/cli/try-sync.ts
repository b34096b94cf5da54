import type { Client } from "../client/client.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Call } from "./call.ts";
import { keylessText } from "./keyless-text.ts";

/** Syncs if the portal can be reached and this disk takes what it says; else no failure except with --strict, everything else is. Returns whether it synced. */
export async function trySync(call: Call, client: Client): Promise<boolean> {
  const { sync } = await import("../client/sync.ts");
  try {
    const { keyless } = await sync(client);
    if (keyless > 0) call.output.note(keylessText(keyless));
    return true;
  } catch (error) {
    const full = error instanceof MeshError && (error.code === "store-full" || error.code === "store-read-only");
    if (!(error instanceof MeshError) || (error.exit !== 7 && !full) || call.args.flag("strict")) throw error;
    call.output.note(full ? "This device's disk takes nothing now, so nothing new was fetched; this is what it knew last." : "The portal cannot be reached now; this is what this device knew last.");
    return false;
  }
}
