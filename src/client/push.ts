import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { type Authority, authorityOf } from "../catalogs/chain.ts";
import { type Commit, commit as commitType } from "../catalogs/commits.ts";
import { type Change, changesBytes, sealChanges } from "../catalogs/entries.ts";
import { beginEpoch, grantEpoch, type Place } from "../catalogs/epoch-keys.ts";
import { type Owed, owed } from "../catalogs/freshness.ts";
import type { Decapsulator } from "../envelope/sealed.ts";
import { signObject } from "../envelope/signed.ts";
import { type Mesh, masterOf, personalOf, suspendedIn } from "../profiles/mesh.ts";
import { applicationEntry } from "../profiles/personal.ts";
import { rosterOf } from "../profiles/roster.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { SentCommit } from "../protocol/parts.ts";
import { type Client, type Self, signerOf } from "./client.ts";
import type { CatalogRow } from "./known.ts";
import { type JournalRow, type OutboxRow, outboxOf, PACK_OCTETS, recordOutbox } from "./outbox.ts";
import { type Taken, takeCommit } from "./pull-catalog.ts";
import type { RowsReading } from "./rows.ts";

/** So many commits are made before any of them is sent and their entries are written at home: pages are written once for all of them. */
const COMMITS_AT_ONCE = 32;

/** A signed commit with its place and the state of its catalog after it, judged as everybody will judge it. */
export type Made = Taken & { readonly sent: SentCommit };

/** What this device owes to a catalog and may give: a roll if it edits, grants if it administers (decision 6.2). */
export function dueFrom(mesh: Mesh, self: Self, catalog: string, row: CatalogRow | undefined, now: number): Owed | undefined {
  const entry = applicationEntry(personalOf(mesh).payload, catalog);
  const due = owed(row?.chain, catalog, mesh.history, suspendedIn(mesh, now), rosterOf(masterOf(mesh)));
  const mine = entry?.editors.includes(self.device) === true && !due.excluded.includes(self.device);
  // Whoever was not given the key of the epoch now can neither grant it nor go on from it, and loses nothing by waiting for one who was.
  const lacking = row !== undefined && keyOf(row) === undefined && !row.chain.holders.includes(self.device);
  if (!mine || lacking) return undefined;
  const administers = entry.administrators.includes(self.device);
  // What it was given for the current epoch does not open, or leads to none before: that was its author's doing, and ends with the next epoch.
  const flawed = row !== undefined && row.chain.holders.includes(self.device) && (keyOf(row) === undefined || row.epochs[row.chain.epoch]?.flawed === true);
  if (due.roll || (administers && flawed)) return { ...due, roll: true };
  return administers && due.grants.length > 0 ? due : undefined;
}

/** Makes the commit that discharges what is owed: a new epoch, or a grant of the current one. */
export async function makeDue(client: Client, self: Self, mesh: Mesh, catalog: string, row: CatalogRow | undefined, due: Owed, key: Decapsulator, now: number): Promise<Made> {
  const profiles = (ids: readonly string[]) =>
    ids.map((id) => {
      const device = mesh.devices.get(id);
      demand(device !== undefined, "profile-not-connected", "The profile of a reader is missing.");
      return device.payload;
    });
  const place = placeAfter(row, mesh, catalog);
  if (!due.roll) {
    const epochKey = row === undefined ? undefined : keyOf(row);
    demand(epochKey !== undefined, "epoch-key-wrong", "This device does not hold the key that it should grant.");
    return make(client, self, mesh, row, await grantEpoch(place, epochKey, profiles(due.grants)), undefined, key, now);
  }
  const last = lastSound(row);
  const begun = await beginEpoch({ ...place, epoch: (row?.chain.epoch ?? 0) + 1 }, profiles(due.readers), due.excluded, last?.key, last?.epoch);
  return make(client, self, mesh, row, begun.payload, undefined, key, now);
}

/**
 * Makes the commits of what the journal of a catalog holds, oldest first, and records them before anybody may send one, the blobs that they name sent before;
 * those recorded earlier that still fit their places are taken again instead.
 */
export async function makeEntries(client: Client, self: Self, mesh: Mesh, catalog: string, row: CatalogRow, key: Decapsulator, now: number, sendBlobs: (changes: readonly Change[]) => Promise<void>): Promise<readonly Made[]> {
  const recorded = await client.rows.read((rows) => outboxOf(rows, catalog));
  const [first] = recorded;
  if (first?.index === row.chain.index + 1 && first.previous === row.chain.digest) return takeAgain(row, recorded, authorityOf(mesh, now), key);
  const journal = await client.rows.read((rows) => oldestOf(rows, catalog));
  if (journal.length === 0) return [];
  const epochKey = keyOf(row);
  // Not given yet: what is in the journal goes when it is.
  if (epochKey === undefined) return [];
  const commits: Made[] = [];
  const records: OutboxRow[] = [];
  for (let before = row; commits.length < journal.length; ) {
    const pack = journal[commits.length] ?? [];
    const changes = pack.flatMap((one) => one.changes);
    await sendBlobs(changes);
    const { payload, body } = sealChanges(placeAfter(before, mesh, catalog), epochKey, changes);
    const made = await make(client, self, mesh, before, payload, body, key, now);
    const { digest, index } = made.row.chain;
    records.push({ digest, index, journal: pack.map((one) => one.sequence), previous: before.chain.digest, sent: made.sent });
    commits.push(made);
    before = made.row;
  }
  await client.rows.transact((rows) => recordOutbox(rows, catalog, records));
  return commits;
}

async function takeAgain(row: CatalogRow, recorded: readonly OutboxRow[], authority: Authority, key: Decapsulator): Promise<readonly Made[]> {
  const commits: Made[] = [];
  let before = row;
  for (const { sent } of recorded) {
    const made = { sent, ...(await takeCommit(before, sent, authority, key)) };
    commits.push(made);
    before = made.row;
  }
  return commits;
}

async function make(client: Client, self: Self, mesh: Mesh, row: CatalogRow | undefined, payload: Commit, body: Uint8Array | undefined, key: Decapsulator, now: number): Promise<Made> {
  const signed = await signObject(commitType, payload, signerOf(client.keyring, self.device));
  const sent: SentCommit = { commit: signed.jws, ...(body === undefined ? {} : { body: toBase64url(body) }) };
  // A device makes nothing that others would refuse.
  return { sent, ...(await takeCommit(row, sent, authorityOf(mesh, now), key)) };
}

function placeAfter(row: CatalogRow | undefined, mesh: Mesh, catalog: string): Place {
  const { g, n } = personalOf(mesh).payload;
  const place = { catalog: catalog as Place["catalog"], epoch: row?.chain.epoch ?? 1, g, index: (row?.chain.index ?? 0) + 1, n };
  return row === undefined ? place : { ...place, previous: row.chain.digest };
}

function keyOf(row: CatalogRow): Uint8Array | undefined {
  const key = row.epochs[row.chain.epoch]?.key;
  return key === undefined ? undefined : fromBase64url(key);
}

/** The latest epoch from which the next may go on: this device has its key, and from that the keys before follow. */
function lastSound(row: CatalogRow | undefined): { readonly epoch: number; readonly key: Uint8Array } | undefined {
  for (let epoch = row?.chain.epoch ?? 0; epoch > 0; epoch--) {
    const known = row?.epochs[epoch];
    if (known?.key !== undefined && known.flawed !== true) return { epoch, key: fromBase64url(known.key) };
  }
  return undefined;
}

/** The oldest of the journal, in packs of which each fits one commit. */
async function oldestOf(rows: RowsReading, catalog: string): Promise<readonly (readonly JournalRow[])[]> {
  const packs: JournalRow[][] = [];
  for (let after = 0, room = 0; ; ) {
    const some = (await rows.list<JournalRow>("journal", catalog, { after, limit: 16 })).map((one) => one.row);
    for (const row of some) {
      const octets = changesBytes(row.changes).length;
      if (octets > room) {
        if (packs.length === COMMITS_AT_ONCE) return packs;
        packs.push([]);
        room = PACK_OCTETS;
      }
      packs.at(-1)?.push(row);
      room -= octets;
    }
    const last = some.at(-1);
    if (last === undefined) return packs;
    after = last.sequence;
  }
}
