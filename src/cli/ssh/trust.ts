import { type ServerTrust, serverTrust } from "../../applications/ssh/server-trust.ts";
import { type Client, memberSelf } from "../../client/client.ts";
import { loadMesh } from "../../client/known.ts";
import type { SyncRow } from "../../client/sync.ts";

/** What managed servers are to believe, by what this device knows now; whoever writes it asked its portal just before. */
export async function trustNow(client: Client): Promise<ServerTrust> {
  const self = await memberSelf(client);
  return client.rows.read(async (rows) => serverTrust(await loadMesh(rows, self.master), (await rows.get<SyncRow>("synced", "synced"))?.portalTime ?? client.now()));
}
