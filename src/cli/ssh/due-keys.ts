import type { AsOf } from "../../applications/ssh/block.ts";
import type { Host } from "../../applications/ssh/host.ts";
import { isDue, listFingerprints } from "../../applications/ssh/managed-server.ts";
import type { ServerTrust } from "../../applications/ssh/server-trust.ts";
import { catalogOf } from "../../client/catalog.ts";
import { type Client, memberSelf } from "../../client/client.ts";
import { loadMesh } from "../../client/known.ts";
import { sharesOf } from "../../client/shares.ts";
import { personalOf } from "../../profiles/mesh.ts";
import { demand } from "../../refusals/mesh-error.ts";
import { type DeviceKey, deviceKeys } from "./device-keys.ts";
import { trustNow } from "./trust.ts";

/** What is to stand in the block on every plain server, and the state of the mesh of which that is; what every managed one is to believe, by what its lists are compared, and whether this device is to certify its host key. */
export type DueKeys = { readonly keys: readonly DeviceKey[]; readonly fingerprints: readonly string[]; readonly asOf: AsOf; readonly trust: ServerTrust; readonly lists: readonly string[]; readonly certifies: (host: Host) => boolean };

/**
 * The keys that are due by what this device knows now; whoever writes them asked its portal just before.
 * @throws MeshError `catalog-missing`, `share-missing` where there is none: nobody is locked out because something is not known yet
 */
export async function dueKeys(client: Client): Promise<DueKeys> {
  const self = await memberSelf(client);
  const { g, n, version } = await client.rows.read(async (rows) => {
    const row = await sharesOf(rows, await catalogOf(rows, "ssh"));
    const { g, n } = personalOf(await loadMesh(rows, self.master)).payload;
    return { g, n, version: row?.version ?? 0 };
  });
  const keys = await deviceKeys(client);
  demand(keys.length > 0, "share-missing", "No device of yours has a key for SSH yet.", "Run `mesh sync` on an administration device, then here.");
  const trust = await trustNow(client);
  const now = Math.floor(client.now() / 1000);
  const isAuthority = (device: string | undefined): boolean => trust.authorities.some((one) => one.device === device);
  // Once an administration device was there and made none, there is no key to certify.
  const certifies = ({ applied }: Host): boolean => isAuthority(self.device) && (applied?.certified === undefined ? !isAuthority(applied?.by) : isDue({ until: applied.certified }, now));
  return { trust, certifies, lists: listFingerprints(trust), keys, fingerprints: keys.map((key) => key.fingerprint).sort(), asOf: { g, n, version } };
}
