import { fromBase64url } from "../bytes/base64url.ts";
import { wrapSubject } from "../catalogs/commits.ts";
import type { Digest } from "../envelope/fields.ts";
import { seal } from "../envelope/sealed.ts";
import { signObject } from "../envelope/signed.ts";
import { encapsulationKey } from "../profiles/keys.ts";
import { type Mesh, personalOf } from "../profiles/mesh.ts";
import { applicationEntry } from "../profiles/personal.ts";
import { type Release, release as releaseType, releaseCommits, trailOn } from "../protocol/releases.ts";
import { RefusedByPortal } from "../protocol/wire.ts";
import { demand } from "../refusals/mesh-error.ts";
import { type Client, signerOf } from "./client.ts";
import { type CatalogRow, loadCatalog } from "./known.ts";
import type { RowsReading } from "./rows.ts";
import { forgetSnapshot, type ReleasedRow, type SnapshotRow } from "./snapshot-rows.ts";
import type { Synced } from "./synced.ts";

/** Refusals that stop nothing else: the portal keeps what it was not told to let go. */
const NOT_TAKEN: ReadonlySet<string> = new Set(["blob-unknown", "commit-out-of-order", "profile-wrong-signer"]);

/**
 * Tells the portal which commits it may forget now that the last snapshot is there; told once for each snapshot.
 *
 * Returns whether what earlier snapshots alone name may be dropped: as long as the portal shows others an earlier one, it stays.
 */
export async function release(client: Client, { link, mesh, now, requester, self }: Synced, catalog: string): Promise<boolean> {
  const { last, known, released } = await client.rows.read(async (rows) => ({ last: await rows.get<SnapshotRow>("snapshots", catalog), known: await loadCatalog(rows, catalog), released: await rows.get<ReleasedRow>("released", catalog) }));
  if (last?.released === true) return true;
  if (last?.before === undefined || last.epoch === undefined || known === undefined) return released === undefined;
  const { before, epoch, name } = last;
  const { g, n } = personalOf(mesh).payload;
  const [trail, wraps] = [await client.rows.read((rows) => trailIn(rows, catalog, name.index)), await wrapsFor(mesh, catalog, known, epoch)];
  // Whoever has not seen all of the chain does not know what it lets go.
  if (trail === undefined || wraps === undefined) return released === undefined;
  const { catalog: of, ...snapshot } = name;
  const payload: Release = { catalog: of, g, index: before, master: mesh.id, n, snapshot: { digest: snapshot.digest, index: snapshot.index, size: snapshot.size }, trail, v: 1, wraps };
  const { jws } = await signObject(releaseType, payload, signerOf(client.keyring, self.device));
  try {
    await link.call(requester, releaseCommits, { release: jws });
  } catch (error) {
    if (!(error instanceof RefusedByPortal) || !NOT_TAKEN.has(error.code)) throw error;
    // Somebody else took a part of it away: it is made anew.
    if (error.code === "blob-unknown") await client.rows.transact((rows) => forgetSnapshot(rows, catalog, now));
    return released === undefined;
  }
  await client.rows.transact(async (rows) => {
    const row = await rows.get<SnapshotRow>("snapshots", catalog);
    if (row?.name.digest === name.digest) await rows.put("snapshots", catalog, "", { ...row, released: true } satisfies SnapshotRow);
    await rows.put("released", catalog, "", { index: before } satisfies ReleasedRow);
  });
  return true;
}

/** The trail of a chain up to a snapshot; nothing where this device does not know all of it. */
async function trailIn(rows: RowsReading, catalog: string, index: number): Promise<Digest | undefined> {
  let trail: Digest | undefined;
  for (let at = 1; at <= index; at++) {
    const row = await rows.get<{ digest: Digest }>("digests", catalog, at);
    if (row === undefined) return undefined;
    trail = trailOn(trail, row.digest);
  }
  return trail;
}

/** The key of the snapshot's epoch for all who hold that of the epoch now: from that it follows, and they may have it from nowhere else. */
async function wrapsFor(mesh: Mesh, catalog: string, { chain, epochs }: CatalogRow, epoch: number): Promise<Release["wraps"] | undefined> {
  const key = epochs[epoch]?.key;
  if (key === undefined) return undefined;
  const readers = applicationEntry(personalOf(mesh).payload, catalog)?.readers ?? [];
  const profiles = chain.holders.filter((device) => readers.includes(device)).map((device) => {
    const profile = mesh.devices.get(device);
    demand(profile !== undefined, "profile-not-connected", "The profile of a reader is missing.");
    return profile.payload;
  });
  return seal(wrapSubject(catalog, epoch), fromBase64url(key), profiles.map((device) => encapsulationKey(device.encryptionKey)));
}
