import type { Authority } from "../../applications/ssh/certificate.ts";
import { type ServerTrust, serverTrust } from "../../applications/ssh/server-trust.ts";
import { type Client, memberSelf } from "../../client/client.ts";
import { sshAuthorityId } from "../../client/keys.ts";
import { loadMesh } from "../../client/known.ts";
import type { SyncRow } from "../../client/sync.ts";

/** What managed servers are to believe, by what this device knows now; whoever writes it asked its portal just before. */
export async function trustNow(client: Client): Promise<ServerTrust> {
  const self = await memberSelf(client);
  return client.rows.read(async (rows) => serverTrust(await loadMesh(rows, self.master), (await rows.get<SyncRow>("synced", "synced"))?.portalTime ?? client.now()));
}

/** This device's authority, if it is one. */
export async function authorityOf(client: Client, trust: ServerTrust): Promise<(Authority & { readonly device: string }) | undefined> {
  const { device } = await memberSelf(client);
  const own = trust.authorities.find((one) => one.device === device);
  return own === undefined ? undefined : { device, publicKey: own.key, sign: (message) => client.keyring.sign(sshAuthorityId(device), message) };
}
