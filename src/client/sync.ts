import { type Authority, authorityOf } from "../catalogs/chain.ts";
import type { Digest } from "../envelope/fields.ts";
import type { Decapsulator } from "../envelope/sealed.ts";
import { at, latest } from "../profiles/history.ts";
import { isActive, type Mesh, personalOf } from "../profiles/mesh.ts";
import type { SnapshotName } from "../profiles/connection.ts";
import { deviceEntry, type Head } from "../profiles/personal.ts";
import { catalogAppend } from "../protocol/catalogs.ts";
import { status } from "../protocol/profiles.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { acknowledgedOf, checkAcknowledged, forgetAcknowledged } from "./acknowledged.ts";
import { holdingPortalTo } from "./blame.ts";
import { forgetBlobs, sendBlobs } from "./blobs.ts";
import { type Client, decapsulatorOf, memberSelf, type Self } from "./client.ts";
import { collectBlobs } from "./collect-blobs.ts";
import { followLog, unlessConvicted } from "./follow-log.ts";
import { CommitsForgotten } from "./forgotten.ts";
import { keylessCatalogs } from "./keyless.ts";
import { type CatalogRow, loadCatalog, loadCatalogs, loadMesh, saveMesh } from "./known.ts";
import { resume } from "./operations/submit.ts";
import { unlessOvertaken } from "./overtaken.ts";
import { finishPurges } from "./purging.ts";
import { quarantineCutOff, restoreTakenOut } from "./quarantine.ts";
import { meetPortal, type PortalLink, type Requester } from "./portal-link.ts";
import { makeSnapshots } from "./make-snapshot.ts";
import { type NamedHead, pullApplication } from "./pull-application.ts";
import { type Pulled, releaseQuarantined, writePulled } from "./pull-catalog.ts";
import { pullPieces } from "./pull-pieces.ts";
import type { Synced } from "./synced.ts";
import { type TakenReleased, takeReleased, writeReleased } from "./take-released.ts";
import { type TakenSnapshot, takeSnapshot, writeSnapshot } from "./take-snapshot.ts";
import { proven, unlessUnknown } from "./proven.ts";
import { asMember, pullMesh } from "./pull-mesh.ts";
import { unlessRestored } from "./restored.ts";
import { compareHeads, witnessHeads } from "./witness-heads.ts";
import { tendApplication } from "./tend-application.ts";
import { dueFrom, type Made, makeDue, makeEntries } from "./push.ts";

/** What a sync did; `keyless` is of how many catalogs this device was not given the newest key yet. */
export type SyncReport = { readonly received: number; readonly sent: number; readonly pending: number; readonly at: number; readonly keyless: number };

/** What a home keeps of its last sync: portal time, and our own clock's. */
export type SyncRow = { readonly portalTime: number; readonly at: number };

/** What a home keeps of a sync at which the portal turned this device away, until one succeeds. */
export type RefusedRow = { readonly at: number };

/** Brings this device and its portal to the same state: takes what is new, gives what is owed, sends what is in the journal; or, with "take", takes what is new and no more, whoever else is sending. */
export async function sync(client: Client, what: "both" | "take" = "both"): Promise<SyncReport> {
  return unlessOvertaken(client, async () => {
    const synced = await pull(client);
    try {
      // Before anything is sent: who lies of what it has is given nothing more.
      await followLog(client, synced);
      const sent = what === "take" ? 0 : await give(client, synced);
      // Last, and at every sync as long as the other device stands by it: its word stops nobody from taking and giving what holds.
      await compareHeads(client, synced.mesh, synced.now);
      await client.rows.transact(async (rows) => {
        await rows.put("synced", "synced", "", { at: client.now(), portalTime: synced.now } satisfies SyncRow);
        await rows.remove("refused", "refused", "");
        await proven(rows);
      });
      const keyless = await client.rows.read((rows) => keylessCatalogs(rows, synced.mesh, synced.self.device));
      return { received: synced.received, sent, pending: synced.answer.pending, at: synced.now, keyless };
    } finally {
      synced.link.close();
    }
  });
}

/** Sends what is owed and unsent, and does what a device does of itself from time to time. */
async function give(client: Client, synced: Synced): Promise<number> {
  await witnessHeads(client, synced.self, synced.mesh, synced.now);
  const sent = await push(client, synced);
  await finishPurges(client, synced);
  await makeSnapshots(client, synced);
  await collectBlobs(client, synced);
  return sent;
}

/** What the answer to a connection request promised of the mesh: the state that the portal shows must hold it (decision 5.2). */
export type Promised = { readonly g: number; readonly n: number; readonly personal: Digest; readonly role: string; readonly device: Digest | undefined; readonly heads: readonly Head[]; readonly snapshots: readonly SnapshotName[] };

/** Takes everything new from the portal, judges it, and writes it at home; the link stays open for what follows. */
export async function pull(client: Client): Promise<Synced> {
  const self = await memberSelf(client);
  const synced = await pullAs(client, self, undefined);
  // A version that was signed but whose fate is unknown is settled before anything else is signed (decision 4.2).
  let again: boolean;
  try {
    again = await resume(client, synced.link, synced.requester, synced.mesh);
  } catch (error) {
    synced.link.close();
    throw error;
  }
  if (!again) return synced;
  synced.link.close();
  return pullAs(client, self, undefined);
}

/** Pulls again after something changed; the link pulled before is let go. */
export async function pullAgain(client: Client, before: Synced): Promise<Synced> {
  before.link.close();
  return pull(client);
}

/** As `pull`, for a device that is just joining and was promised something. */
export async function pullAs(client: Client, self: Self, promised: Promised | undefined): Promise<Synced> {
  const link = await meetPortal(client, self.portal.url, self.portal.id);
  try {
    const requester = { device: self.device, master: self.master, authenticationKey: self.authenticationKey };
    // Read before the portal is asked: another command on this device may learn more meanwhile, and the portal is held only to what was known then.
    const { before, acknowledged, catalogs } = await client.rows.read(async (rows) => {
      const mesh = await loadMesh(rows, self.master);
      return { before: mesh, acknowledged: await acknowledgedOf(rows), catalogs: await loadCatalogs(rows, latest(mesh.history)?.payload.applications ?? []) };
    });
    const key = decapsulatorOf(client.keyring, self.encryptionKey);
    const answer = await link.call(requester, status, {});
    const mesh = await holdingPortalTo(() => pullMesh(asMember(link, requester), before, answer));
    if (promised !== undefined) checkPromised(mesh, self, promised);
    checkAcknowledged(mesh, acknowledged);
    await client.rows.transact(async (rows) => {
      await forgetAcknowledged(rows, acknowledged);
      await saveMesh(rows, before, mesh);
      await quarantineCutOff(rows, before, mesh, answer.now);
    });
    demand(isActive(mesh, self.device, answer.now), "device-disabled", "This device was disabled or suspended.", "If it is suspended only, a device that stands above whoever did it lets it go on: `mesh device unsuspend` there. Else it can be joined to the mesh again as a new device.");
    // The version that the portal named together with its heads: a later one may know of commits that this pull left for the next.
    const personal = at(mesh.history, answer.personal)?.payload;
    const readable = new Set<string>(personalOf(mesh).payload.applications.filter((one) => one.readers.includes(self.device)).map((one) => one.id));
    const named = [personal, promised].flatMap((one) => one?.heads.map((head) => ({ ...head, g: one.g, n: one.n })) ?? []).filter((head) => readable.has(head.catalog));
    const received = await holdingPortalTo(() => pullCatalogs(client, link, requester, self, mesh, catalogs, key, answer, named, promised?.snapshots ?? []));
    return { link, self, requester, key, mesh, now: answer.now, answer, received: received + mesh.history.length - before.history.length };
  } catch (fault) {
    const error = await unlessConvicted(client, link, self.master, await unlessRestored(client, link, self, await unlessUnknown(client, fault)));
    link.close();
    if (!(error instanceof MeshError) || (error.code !== "request-not-allowed" && error.code !== "device-disabled")) throw error;
    await client.rows.transact((rows) => rows.put("refused", "refused", "", { at: client.now() } satisfies RefusedRow));
    if (error.code === "request-not-allowed") throw new MeshError("device-disabled", "The portal does not let this device in any more: it was disabled or suspended, or the portal refuses it.", "Look at `mesh device list` on another of your devices.");
    throw error;
  }
}

async function pullCatalogs(client: Client, link: PortalLink, requester: Requester, self: Self, mesh: Mesh, catalogs: ReadonlyMap<string, CatalogRow>, key: Decapsulator, answer: Synced["answer"], named: readonly NamedHead[], snapshots: readonly SnapshotName[]): Promise<number> {
  let received = 0;
  const authority = authorityOf(mesh, answer.now);
  for (const { id, readers } of personalOf(mesh).payload.applications) {
    if (!readers.includes(self.device)) continue;
    const known = catalogs.get(id);
    const head = answer.heads.find((one) => one.catalog === id);
    const forgotten = answer.forgotten.find((one) => one.catalog === id)?.index ?? 0;
    // By it this device says what else may go.
    demand(forgotten <= (head?.index ?? 0), "portal-false-data", "The portal says that it forgot changes of a catalog that never were.", "It is broken or it cheats; ask its operator. What this device has is kept.");
    const snapshot = snapshots.find((one) => one.catalog === id);
    const here = named.filter((one) => one.catalog === id);
    let row = known;
    for await (const pulled of pullOrTake(link, requester, id, known, head, authority, key, snapshot, here)) {
      await checkNamedHeads(client, here, head, pulled);
      await client.rows.transact(async (rows) => {
        if ("trail" in pulled) return writeReleased(rows, id, self.device, authority, pulled);
        if ("replay" in pulled) await writeSnapshot(rows, id, authority, pulled);
        return writePulled(rows, id, pulled);
      });
      received += pulled.placed.length;
      row = pulled.row;
    }
    if (row === known) await checkNamedHeads(client, here, head, undefined);
    const apart = await client.rows.read(async (rows) => [...(await rows.list("quarantined", id, { limit: 1 })), ...(await rows.list("taken-out", id, { limit: 1 }))]);
    if (apart.length > 0) {
      await client.rows.transact(async (rows) => {
        await releaseQuarantined(rows, id, authority, answer.now);
        await restoreTakenOut(rows, id, authority, answer.now);
      });
    }
    if (row !== undefined) await pullApplication(client, link, requester, mesh, id, row, answer, named);
  }
  return received;
}

/** The commits that a catalog has new; for a device that joins, the snapshot that it was named; for one that was away too long, the one by which it goes on. */
async function* pullOrTake(link: PortalLink, requester: Requester, catalog: string, known: CatalogRow | undefined, head: Synced["answer"]["heads"][number] | undefined, authority: Authority, key: Decapsulator, snapshot: SnapshotName | undefined, named: readonly Head[]): AsyncGenerator<Pulled | TakenSnapshot | TakenReleased> {
  let row = known;
  try {
    const taken = known !== undefined || snapshot === undefined ? undefined : await takeSnapshot(link, requester, snapshot, head, authority, key);
    if (taken !== undefined) return yield taken;
    for await (const piece of pullPieces(link, requester, catalog, known, head, authority, key, named)) {
      yield piece;
      row = piece.row;
    }
  } catch (error) {
    if (!(error instanceof CommitsForgotten)) throw error;
    yield await takeReleased(link, requester, catalog, row, head, authority, key, error);
  }
}

const DO_NOT_JOIN = "Nothing was taken over. The portal cheats, or it was restored from a backup: ask its operator, and do not join by it until you know.";

function checkPromised(mesh: Mesh, self: Self, promised: Promised): void {
  const personal = at(mesh.history, promised);
  const entry = deviceEntry(personal?.payload ?? { devices: [] }, self.device);
  demand(personal?.digest === promised.personal, "portal-older-profile", "The portal does not show the version of your mesh that let this device in.", DO_NOT_JOIN);
  demand(entry?.digest === promised.device && entry?.role === promised.role, "portal-answer-wrong-device", "The version of your mesh that let this device in lists other keys for it.", DO_NOT_JOIN);
}

/**
 * The heads of a catalog, as the signer of the Personal Profile, or of an answer, knew them, must lie on the chain that the portal shows.
 *
 * Asked before any of it is written: a device that took the wrong one of two histories could never go back to the other.
 */
async function checkNamedHeads(client: Client, heads: readonly Head[], last: { readonly index: number } | undefined, pulled: Pulled | TakenSnapshot | TakenReleased | undefined): Promise<void> {
  for (const head of heads) {
    demand((last?.index ?? 0) >= head.index, "portal-older-catalog", "The portal shows an older state of a catalog than your other device has seen.", "It cheats, or it was restored from a backup: ask its operator. What this device has is kept.");
    const passed = pulled !== undefined && "trail" in pulled ? pulled.trail[head.index - 1] : undefined;
    const begun = pulled !== undefined && "replay" in pulled && pulled.replay.index === head.index ? pulled.replay.digest : undefined;
    const shown = passed ?? begun ?? pulled?.placed.find(({ chain }) => chain.index === head.index)?.chain.digest;
    const digest = shown ?? (await client.rows.read((rows) => rows.get<{ digest: string }>("digests", head.catalog, head.index)))?.digest;
    demand(digest === undefined || digest === head.digest, "portal-forked-catalog", "The portal shows this device another history of a catalog than your other device.", "It cheats: do not rely on it, and compare `mesh device list` and your passwords with the other device. What this device has is kept.");
  }
}

/** Sends what is owed and what the journals hold, each batch as large as one request may be. */
export async function push(client: Client, synced: Synced): Promise<number> {
  const { self, mesh, link, requester } = synced;
  let sent = 0;
  for (const { id, editors } of personalOf(mesh).payload.applications) {
    if (!editors.includes(self.device)) continue;
    for (;;) {
      const row = await client.rows.read((rows) => loadCatalog(rows, id));
      const made = await nextCommits(client, synced, id, row);
      const last = made.at(-1);
      if (last === undefined) break;
      for (const one of made) await link.call(requester, catalogAppend, { commits: [one.sent] });
      await client.rows.transact((rows) => writePulled(rows, id, { placed: made.map((one) => one.placed), row: last.row }));
      sent += made.length;
    }
    await tendApplication(client, synced, id);
    await forgetBlobs(client, id);
  }
  return sent;
}

/** The next commits that this device has for a catalog: first what is owed, since nothing may be written under a stale epoch. */
async function nextCommits(client: Client, synced: Synced, catalog: string, row: CatalogRow | undefined): Promise<readonly Made[]> {
  const { self, mesh, key, now } = synced;
  const due = dueFrom(mesh, self, catalog, row, now);
  if (due !== undefined) return [await makeDue(client, self, mesh, catalog, row, due, key, now)];
  return row === undefined ? [] : makeEntries(client, self, mesh, catalog, row, key, now, (changes) => sendBlobs(client, synced, catalog, changes));
}
