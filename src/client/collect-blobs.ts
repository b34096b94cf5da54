import { fromBase64url } from "../bytes/base64url.ts";
import { commit as commitType } from "../catalogs/commits.ts";
import { readSigned } from "../envelope/signed.ts";
import { disabledIn } from "../profiles/history.ts";
import { type Mesh, masterOf, personalOf, suspendedIn } from "../profiles/mesh.ts";
import { deviceEntry } from "../profiles/personal.ts";
import { rosterOf } from "../profiles/roster.ts";
import { partyOf } from "../profiles/suspension.ts";
import { CONTEST_MS } from "../profiles/types.ts";
import type { ResponseOf } from "../protocol/command.ts";
import { listBlobs } from "../protocol/blobs.ts";
import type { Digest } from "../envelope/fields.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Client } from "./client.ts";
import { EntryRows } from "./entry-rows.ts";
import { loadCatalog } from "./known.ts";
import type { PortalLink, Requester } from "./portal-link.ts";
import { changesOf, type WaitingRow } from "./pull-catalog.ts";
import type { RowsReading } from "./rows.ts";
import { blobsOf, forgetSnapshot, type RetiredRow, type SnapshotRow, vouchedIn } from "./snapshot-rows.ts";
import type { Synced } from "./synced.ts";

/** How often a device looks, in milliseconds of portal time. */
const EVERY_MS = 7 * 24 * 60 * 60 * 1000;

/** A blob younger than this may be named by a commit that is still under way. */
const GRACE_MS = CONTEST_MS;

type Listed = ResponseOf<typeof listBlobs>["blobs"][number];

/**
 * Once a week, has the portal drop blobs that nothing names: those that this device put and died before it named them, and, where it reads
 * everything, those of devices that were cut off: their snapshots, and what they never named.
 *
 * What it cannot look into it takes for named. It may be cut off anywhere; what is dropped already is passed over the next time.
 */
export async function collectBlobs(client: Client, synced: Synced): Promise<void> {
  const { link, mesh, now, requester, self } = synced;
  const last = await client.rows.read((rows) => rows.get<{ at: number }>("collected", "collected"));
  if (last !== undefined && now - last.at < EVERY_MS) return;
  // A device that just came has put nothing yet.
  if (last !== undefined) {
    const listed = await listAll(link, requester);
    await mendSnapshots(client, synced, new Set(listed.map((one) => one.digest)));
    const gone = goneFrom(mesh, self.device, now);
    const old = listed.filter(({ arrived, device }) => arrived < now - GRACE_MS && device !== undefined && (device === self.device || gone(device)));
    const named = old.length === 0 ? undefined : await client.rows.read((rows) => namedIn(rows, mesh, now));
    const orphans = named === undefined ? [] : old.filter((one) => !named.has(one.digest));
    await link.dropBlobs(requester, orphans.map((one) => one.digest), now - GRACE_MS);
  }
  await client.rows.transact((rows) => rows.put("collected", "collected", "", { at: now }));
}

/** All blobs of the mesh, as the portal lists them. */
export async function listAll(link: PortalLink, requester: Requester): Promise<readonly Listed[]> {
  const all: Listed[] = [];
  for (;;) {
    const last = all.at(-1)?.digest;
    const { blobs, more } = await link.call(requester, listBlobs, last === undefined ? {} : { after: last });
    // Else it could list the same for ever.
    const inOrder = blobs.every(({ digest }, at) => digest > (blobs[at - 1]?.digest ?? last ?? ""));
    demand(inOrder, "portal-false-data", "The portal lists blobs out of their order.", "Nothing here was changed. It is broken or it cheats; ask its operator.");
    all.push(...blobs);
    if (!more || blobs.length === 0) return all;
  }
}

/** A snapshot of this device of which the portal lacks a part is made anew at the next sync. */
async function mendSnapshots(client: Client, { mesh, now }: Synced, there: ReadonlySet<Digest>): Promise<void> {
  for (const { id } of personalOf(mesh).payload.applications) {
    await client.rows.transact(async (rows) => {
      const row = await rows.get<SnapshotRow>("snapshots", id);
      if (row !== undefined && !blobsOf(row).every((digest) => there.has(digest))) await forgetSnapshot(rows, id, now);
    });
  }
}

/** Whose blobs a device may judge besides its own: those of devices cut off for good, if it reads all that could name one. */
function goneFrom(mesh: Mesh, self: string, now: number): (device: string) => boolean {
  const { applications, devices } = personalOf(mesh).payload;
  const all = applications.every(({ readers }) => readers.some((reader) => reader === self)) && deviceEntry({ devices }, self)?.role === "admin";
  return (device) => {
    if (!all || deviceEntry({ devices }, device)?.status === "active") return false;
    const cut = disabledIn(mesh.history, device);
    // Until then a later Master Profile may void it (decision 4.6).
    return cut !== undefined && cut !== "never" && mesh.history.some(({ arrived, profile }) => profile.digest === cut.digest && now - arrived >= CONTEST_MS);
  };
}

/** Whether others took a device out, or suspend it: not one that left of its own accord. */
function isCutOff(mesh: Mesh, device: string, now: number): boolean {
  const standing = suspendedIn(mesh, now).get(partyOf(device, rosterOf(masterOf(mesh))).id);
  return standing === undefined ? deviceEntry(personalOf(mesh).payload, device)?.status !== "active" : !standing.left;
}

/** All digests that anything at home names that this device can look into; nothing where there is something that it cannot. */
async function namedIn(rows: RowsReading, mesh: Mesh, now: number): Promise<ReadonlySet<string> | undefined> {
  const named = new Set<string>();
  const note = (said: unknown): void => {
    for (const [, digest] of JSON.stringify(said).matchAll(/"([A-Za-z0-9_-]{86})"/g)) if (digest !== undefined) named.add(digest);
  };
  for (const { id } of personalOf(mesh).payload.applications) {
    // Nor does it know what commits name of which it has only another device's word so far.
    if ((await rows.get("replays", id)) !== undefined || (await rows.list("waiting", id, { limit: 1 })).length > 0) return undefined;
    // Nor where it never will have more than the word of a device that was cut off since.
    if ((await vouchedIn(rows, id)).some(({ maker }) => isCutOff(mesh, maker, now))) return undefined;
    const known = await loadCatalog(rows, id);
    for (const { row } of await rows.list<WaitingRow>("quarantined", id)) {
      const { payload } = readSigned(row.commit, commitType);
      const key = known?.epochs[payload.epoch]?.key;
      if (key === undefined || payload.kind !== "entries") return undefined;
      note(changesOf(payload, row, fromBase64url(key)) ?? []);
    }
    for (const entry of await new EntryRows(rows, id).all()) note(entry);
    for (const shelf of ["taken-out", "journal", "staged"]) for (const { row } of await rows.list(shelf, id)) note(row);
    for (const { row } of await rows.list<RetiredRow>("retired", id)) note(row.blobs);
    const snapshot = await rows.get<SnapshotRow>("snapshots", id);
    if (snapshot !== undefined) note(blobsOf(snapshot));
  }
  return named;
}
