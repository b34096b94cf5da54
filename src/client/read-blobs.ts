import { type Entry, writes } from "../catalogs/merge.ts";
import type { Digest } from "../envelope/fields.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { stagedBlob } from "./blobs.ts";
import { catalogOf, type CatalogType, readNamed } from "./catalog.ts";
import type { Client } from "./client.ts";
import { pull, pullAgain } from "./sync.ts";
import type { Synced } from "./synced.ts";

/**
 * Reads blobs that an entry names, in order, one at a time: what is still staged from home, the rest from the portal.
 * @throws MeshError `portal-false-data` for other octets; `portal-missing-blob`, `attachment-purged` or `attachment-not-found` for one that
 * is not there, after another look at what the entry names now
 */
export async function* readBlobs(client: Client, type: CatalogType, entry: string, blobs: readonly { readonly digest: Digest; readonly size: number }[]): AsyncGenerator<Uint8Array> {
  const catalog = await client.rows.read((rows) => catalogOf(rows, type));
  let synced: Synced | undefined;
  try {
    for (const { digest, size } of blobs) {
      const staged = await stagedBlob(client, catalog, digest);
      if (staged === undefined) synced ??= await pull(client);
      const octets = staged ?? (synced === undefined ? undefined : await blobFrom(synced, digest, size));
      if (octets !== undefined) yield octets;
      else {
        if (synced !== undefined) synced = await pullAgain(client, synced);
        throw missing((await readNamed(client, type, [entry])).find((one) => one.id === entry), digest);
      }
    }
  } finally {
    synced?.link.close();
  }
}

async function blobFrom({ link, requester }: Synced, digest: Digest, size: number): Promise<Uint8Array | undefined> {
  try {
    return await link.getBlob(requester, digest, size);
  } catch (error) {
    if (error instanceof MeshError && error.code === "blob-unknown") return undefined;
    throw error;
  }
}

/** Why a blob is not there: whoever lets go of one says so in the catalog before, so a portal that lost it by itself is found out by what stands there now. */
function missing(entry: Entry | undefined, digest: Digest): MeshError {
  if (entry?.purges?.some((purge) => purge.blobs.includes(digest)) === true) return new MeshError("attachment-purged", "One of your devices purged this attachment, and its octets are gone.");
  const named = entry !== undefined && Object.keys(entry.fields).some((field) => JSON.stringify(writes(entry, field)[0]?.value ?? null).includes(digest));
  if (!named) return new MeshError("attachment-not-found", "Another device took this attachment away meanwhile.", "Bring it back: mesh password restore NAME --field attachment");
  return new MeshError("portal-missing-blob", "The portal does not have octets that it took and that none of your devices let go of.", "It was restored from a backup, or it cheats. Look for the file on the device that attached it, and ask the portal's operator.");
}
