import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import type { Change } from "../catalogs/entries.ts";
import type { Digest } from "../envelope/fields.ts";
import { digestOf } from "../envelope/signed.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { catalogOf, type CatalogType, journalOf } from "./catalog.ts";
import type { Client } from "./client.ts";
import type { PortalLink, Requester } from "./portal-link.ts";

/** A blob that this home keeps until the portal has it; `at` is this device's own clock. */
type StagedRow = { readonly at: number; readonly digest: Digest };
type OctetsRow = { readonly octets: string };

/** Staged blobs that no change names are forgotten after a day: whoever was about to name them died. */
const FORGOTTEN_MS = 24 * 60 * 60 * 1000;

/** Keeps a blob at home until the portal has it; durable when this returns. A change that names it is made after that. */
export async function stageBlob(client: Client, type: CatalogType, octets: Uint8Array): Promise<Digest> {
  const digest = digestOf(octets);
  await client.rows.transact(async (rows) => {
    const catalog = await catalogOf(rows, type);
    await rows.put("blobs", catalog, digest, { octets: toBase64url(octets) } satisfies OctetsRow);
    await rows.put("staged", catalog, digest, { at: client.now(), digest } satisfies StagedRow);
  });
  return digest;
}

/**
 * Sends the staged blobs that changes name: the portal has them before it gets the commit that does. Sent twice, nothing happens twice.
 *
 * What a later change purges already is not sent any more.
 */
export async function sendBlobs(client: Client, { link, requester }: { readonly link: PortalLink; readonly requester: Requester }, catalog: string, changes: readonly Change[]): Promise<void> {
  const staged = await stagedIn(client, catalog);
  if (staged.length === 0) return;
  const said = JSON.stringify(changes.map((one) => one.fields));
  const journal = await client.rows.read((rows) => journalOf(rows, catalog));
  const purged = new Set<string>(journal.flatMap((row) => row.changes.flatMap((one) => one.purge?.blobs ?? [])));
  for (const { digest } of staged.filter((one) => said.includes(one.digest))) {
    const octets = purged.has(digest) ? undefined : await stagedBlob(client, catalog, digest);
    if (octets !== undefined) await send(link, requester, octets);
    await forget(client, catalog, digest);
  }
}

async function send(link: PortalLink, requester: Requester, octets: Uint8Array): Promise<void> {
  try {
    await link.putBlob(requester, octets);
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== "account-quota") throw error;
    throw new MeshError("account-quota", "Your portal has no room for an attachment that waits here to be sent, and what was edited after it waits with it.", "Detach it and purge: mesh password detach NAME ATTACHMENT, then mesh password purge NAME. Or ask the portal's operator for more room.", error);
  }
}

/** Forgets what was staged long ago and never named. */
export async function forgetBlobs(client: Client, catalog: string): Promise<void> {
  const old = (await stagedIn(client, catalog)).filter((one) => client.now() - one.at > FORGOTTEN_MS);
  if (old.length === 0) return;
  const said = JSON.stringify(await client.rows.read((rows) => journalOf(rows, catalog)));
  for (const { digest } of old) if (!said.includes(digest)) await forget(client, catalog, digest);
}

/** A blob that is still staged. */
export async function stagedBlob(client: Client, catalog: string, digest: Digest): Promise<Uint8Array | undefined> {
  const row = await client.rows.read((rows) => rows.get<OctetsRow>("blobs", catalog, digest));
  return row === undefined ? undefined : fromBase64url(row.octets);
}

async function stagedIn(client: Client, catalog: string): Promise<readonly StagedRow[]> {
  return (await client.rows.read((rows) => rows.list<StagedRow>("staged", catalog))).map((one) => one.row);
}

async function forget(client: Client, catalog: string, digest: Digest): Promise<void> {
  await client.rows.transact(async (rows) => {
    await rows.remove("blobs", catalog, digest);
    await rows.remove("staged", catalog, digest);
  });
}
