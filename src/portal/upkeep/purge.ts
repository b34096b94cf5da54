import type { Store, Writing } from "../../store/store.ts";
import { RESERVED_MS } from "../limits.ts";
import { logShelf } from "../../notary/keeping/rows.ts";
import { type AccountRecord, type MeshRecord, parseRow, putRow, row, shelf } from "../records.ts";
import { forgetSession, SESSION_MS, type SessionRow } from "../sessions.ts";
import { type References, referencesOf } from "./references.ts";
import { liveRowsOf, pageOf, rowsOf } from "./walk.ts";

/** So many rows are taken away in one transaction: nobody's request waits longer than that takes. */
const AT_ONCE = 256;

/** The shelves whose keys begin with the mesh, in the order in which they are emptied: what names others goes after what it names was read. */
const OWN = [shelf.masters, shelf.personals, shelf.suspensions, shelf.applications, shelf.chains, shelf.commits, shelf.releases, shelf.starts, shelf.pins, shelf.requests, shelf.requesters, shelf.blobs, shelf.puts, logShelf.seals] as const;

/** What was taken away. */
export type Purged = { readonly accounts: number; readonly sessions: number };

/**
 * Takes away what nobody may come back to: accounts that were given up, once their names are free again (decisions 4.6, 8.3),
 * and sessions that ended by age.
 *
 * May be cut off at any time; the next run goes on. A mesh under way is marked, and is nobody's until it is gone. `written` has the rows of
 * the log's map tell all that it says: by them a mesh that comes back is known.
 */
export async function purge(store: Store, now: number, written: () => Promise<void> = async () => {}): Promise<Purged> {
  const due: string[] = [];
  for await (const { key, value } of liveRowsOf(store, shelf.meshes)) if (isDue(parseRow<MeshRecord>(value), now)) due.push(key);
  if (due.length > 0) await written();
  for (const master of due) await purgeMesh(store, master, now);
  return { accounts: due.length, sessions: await purgeSessions(store, now) };
}

function isDue({ closes, purging }: MeshRecord, now: number): boolean {
  return purging === true || (closes !== undefined && now >= closes + RESERVED_MS);
}

async function purgeMesh(store: Store, master: string, now: number): Promise<void> {
  const marked = await store.transact(async (w) => {
    const record = await row<MeshRecord>(w, shelf.meshes, master);
    // Its owner may have come back meanwhile.
    if (record === undefined || !isDue(record, now)) return false;
    await putRow(w, shelf.meshes, master, { ...record, purging: true, revision: record.revision + 1 } satisfies MeshRecord);
    const account = await row<AccountRecord>(w, shelf.accounts, record.address);
    if (account?.master === master) await w.remove(shelf.accounts, record.address);
    return true;
  });
  if (!marked) return;
  const mine = await store.read((r) => referencesOf(r, master));
  const seen = await keepShared(store, master, mine);
  await removeShared(store, shelf.bodies, mine.bodies, mine, seen);
  for await (const { value } of liveRowsOf(store, shelf.openings, `${master}/`)) await store.transact((w) => forgetSession(w, parseRow<SessionRow>(value).id));
  await removeRows(store, shelf.openings, `${master}/`);
  await removeShared(store, shelf.objects, mine.objects, mine, seen);
  for (const from of OWN) await removeRows(store, from, `${master}/`);
  await store.transact((w) => w.remove(shelf.meshes, master));
}

/** Takes out of a mesh's references what other meshes need as well; returns the revision at which each was looked at. */
async function keepShared(store: Store, master: string, mine: References): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for await (const { key } of liveRowsOf(store, shelf.meshes)) {
    if (key === master) continue;
    await store.read(async (r) => {
      const record = await row<MeshRecord>(r, shelf.meshes, key);
      if (record === undefined) return;
      seen.set(key, record.revision);
      spare(mine, await referencesOf(r, key));
    });
  }
  return seen;
}

function spare(mine: References, theirs: References): void {
  for (const digest of theirs.objects) mine.objects.delete(digest);
  for (const digest of theirs.bodies) mine.bodies.delete(digest);
}

async function removeShared(store: Store, from: string, digests: ReadonlySet<string>, mine: References, seen: ReadonlyMap<string, number>): Promise<void> {
  const all = [...digests];
  for (let at = 0; at < all.length; at += AT_ONCE) {
    await store.transact(async (w) => {
      await spareChanged(w, mine, seen);
      for (const digest of all.slice(at, at + AT_ONCE)) if (digests.has(digest)) for (const on of [from, shelf.shared]) await w.remove(on, digest);
    });
  }
}

/** Meshes that changed since they were looked at may need what they did not before. */
async function spareChanged(w: Writing, mine: References, seen: ReadonlyMap<string, number>): Promise<void> {
  for await (const { key, value } of rowsOf(w, shelf.meshes)) {
    const { revision, purging } = parseRow<MeshRecord>(value);
    if (purging !== true && seen.get(key) !== revision) spare(mine, await referencesOf(w, key));
  }
}

async function removeRows(store: Store, from: string, prefix: string): Promise<void> {
  for (;;) {
    const rest = await store.transact(async (w) => {
      const page = await w.list(from, prefix, { limit: pageOf(from) });
      for (const { key } of page) await w.remove(from, key);
      return page.length;
    });
    if (rest < pageOf(from)) return;
  }
}

async function purgeSessions(store: Store, now: number): Promise<number> {
  let count = 0;
  for await (const { key, value } of liveRowsOf(store, shelf.openings)) {
    const { id, opened } = parseRow<SessionRow>(value);
    if (now - opened < SESSION_MS) continue;
    await store.transact(async (w) => {
      await w.remove(shelf.openings, key);
      await forgetSession(w, id);
    });
    count += 1;
  }
  return count;
}
