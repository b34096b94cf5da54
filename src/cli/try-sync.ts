import type { Client } from "../client/client.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Call } from "./call.ts";

/** Syncs if the portal can be reached; offline is no failure except with --strict, everything else is. Returns whether it synced. */
export async function trySync(call: Call, client: Client): Promise<boolean> {
  const { sync } = await import("../client/sync.ts");
  try {
    await sync(client);
    return true;
  } catch (error) {
    if (!(error instanceof MeshError) || error.exit !== 7 || call.args.flag("strict")) throw error;
    call.output.note("The portal cannot be reached now; this is what this device knew last.");
    return false;
  }
}
