import { fromBase64url } from "../bytes/base64url.ts";
import { canonicalBytes } from "../bytes/canonical-json.ts";
import { keyedUnder } from "../envelope/keyed.ts";
import { signObject } from "../envelope/signed.ts";
import { type ApplicationProfile, applicationProfile, applicationPurpose } from "../profiles/application.ts";
import { personalOf } from "../profiles/mesh.ts";
import { applicationEntry } from "../profiles/personal.ts";
import { publish } from "../protocol/profiles.ts";
import { type Client, signerOf } from "./client.ts";
import { loadCatalog } from "./known.ts";
import type { Synced } from "./synced.ts";

/**
 * Publishes the next version of an Application Profile that does not say what this device knows its catalog to be for.
 *
 * Those that knew better go by what they knew; a device that joins knows nothing, and would never learn it.
 */
export async function mendApplication(client: Client, { link, mesh, requester, self }: Synced, id: ApplicationProfile["id"]): Promise<void> {
  const { applications, g, n } = personalOf(mesh).payload;
  if (applicationEntry({ applications }, id)?.administrators.includes(self.device) !== true) return;
  const row = await client.rows.read((rows) => loadCatalog(rows, id));
  const key = row?.epochs[row.chain.epoch]?.key;
  if (row?.type === undefined || row.profile?.wrong !== true || key === undefined) return;
  const { epoch } = row.chain;
  const version = row.profile.version + 1;
  const sealed = keyedUnder(fromBase64url(key), applicationPurpose(id, version, epoch), canonicalBytes({ type: row.type, v: 1 }));
  const { jws } = await signObject(applicationProfile, { epoch, g, id, n, previous: row.profile.digest, sealed, v: 1, version }, signerOf(client.keyring, self.device));
  await link.call(requester, publish, { parts: [{ kind: "application", object: jws }] });
}
