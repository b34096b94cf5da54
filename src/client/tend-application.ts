import { fromBase64url } from "../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { keyedUnder } from "../envelope/keyed.ts";
import { signObject } from "../envelope/signed.ts";
import { type ApplicationPrivate, type ApplicationProfile, applicationProfile, applicationPurpose } from "../profiles/application.ts";
import { personalOf } from "../profiles/mesh.ts";
import { applicationEntry } from "../profiles/personal.ts";
import { publish } from "../protocol/profiles.ts";
import { type Client, signerOf } from "./client.ts";
import { loadCatalog } from "./known.ts";
import { dueShares, saveShares, sharesOf } from "./shares.ts";
import type { Synced } from "./synced.ts";

/**
 * Publishes the next version of an Application Profile that this device administers and that does not say what it should: what its catalog is for, or which
 * keys its devices have.
 *
 * Those that knew better what it is for go by what they knew; a device that joins knows nothing, and would never learn it.
 */
export async function tendApplication(client: Client, { link, mesh, requester, self }: Synced, id: ApplicationProfile["id"]): Promise<void> {
  const { applications, g, n } = personalOf(mesh).payload;
  if (applicationEntry({ applications }, id)?.administrators.includes(self.device) !== true) return;
  const { row, known } = await client.rows.read(async (rows) => ({ row: await loadCatalog(rows, id), known: await sharesOf(rows, id) }));
  const key = row?.epochs[row.chain.epoch]?.key;
  if (row?.type === undefined || row.profile === undefined || key === undefined) return;
  const due = await dueShares(mesh, id, row.type, known);
  const shares = due ?? known?.shares;
  const same = due === undefined || (known !== undefined && due.length === known.shares.length && due.every((share) => known.shares.includes(share)));
  if (same && row.profile.wrong !== true) {
    // Looked at once: they hold for as long as nobody publishes others.
    if (known !== undefined && due !== undefined) await client.rows.transact((rows) => saveShares(rows, id, { ...known, sound: true }));
    return;
  }
  const { epoch } = row.chain;
  const version = row.profile.version + 1;
  const sealed = sealApplication({ ...(shares === undefined ? {} : { shares: [...shares] }), type: row.type, v: 1 }, fromBase64url(key), { epoch, id, version });
  const { jws } = await signObject(applicationProfile, { epoch, g, id, n, previous: row.profile.digest, sealed, v: 1, version }, signerOf(client.keyring, self.device));
  await link.call(requester, publish, { parts: [{ kind: "application", object: jws }] });
}

/** Seals the private part of an Application Profile. */
export function sealApplication(said: ApplicationPrivate, key: Uint8Array, { epoch, id, version }: Pick<ApplicationProfile, "epoch" | "id" | "version">): ApplicationProfile["sealed"] {
  return keyedUnder(key, applicationPurpose(id, version, epoch), canonicalBytes(said as Json));
}
