import { ordinal } from "../../bytes/ordinal.ts";
import { type Authority, authorityOf, type Chain, nextCommit } from "../../catalogs/chain.ts";
import { commit as commitType } from "../../catalogs/commits.ts";
import type { Digest } from "../../envelope/fields.ts";
import type { MasterId } from "../../profiles/types.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { Reading, Store, Writing } from "../../store/store.ts";
import { octetsOf } from "../draft.ts";
import { getObject, type MeshRecord, parseRow, putRow, row, shelf, type Stamped } from "../records.ts";
import { dropShared, isRipe, type ReleaseRow, releasesOf, startOf } from "../releases.ts";
import { loadView, type View } from "../view.ts";
import { loadWhole, type Whole } from "../whole.ts";
import { bodyOctets } from "./replay.ts";
import { liveRowsOf } from "./walk.ts";

/** No commit is forgotten before it was here for so long, whatever is released. */
export const KEPT_MS = 90 * 24 * 60 * 60 * 1000;

/** So many commits are forgotten in one transaction. */
const AT_ONCE = 32;

/** A commit that is forgotten: its digest stays in its row, its octets go. */
type Old = { readonly digest: Digest; readonly body: Digest | undefined };

/**
 * Forgets commits that a device which administers their catalog released at least 72 hours ago and that are older than 90 days.
 *
 * Each is judged once more on its way, so that where the rest begins is as true as if it were read from the beginning. May be
 * cut off at any time: what is taken away, where the chain begins and what room is used change together. Returns how many went.
 */
export async function forget(store: Store, now: number): Promise<number> {
  const catalogs = new Map<string, Set<string>>();
  for await (const { key } of liveRowsOf(store, shelf.releases)) {
    const [master = "", catalog = ""] = key.split("/");
    catalogs.set(master, (catalogs.get(master) ?? new Set()).add(catalog));
  }
  let count = 0;
  for (const [master, all] of catalogs) {
    let known: Mesh | undefined;
    const meshOf = async (reading: Reading): Promise<Mesh | undefined> => (known ??= await meshIn(reading, master as MasterId, now));
    for (const catalog of all) {
      try {
        count += await forgetIn(store, meshOf, master as MasterId, catalog, now);
      } catch (error) {
        // What does not hold there is for `mesh portal check` to tell, and stays until then.
        if (!(error instanceof MeshError) || error.code.startsWith("store-") && error.code !== "store-damaged") throw error;
      }
    }
  }
  return count;
}

/** A mesh as it is when one of its catalogs is the first to have something to forget, and by what its commits are judged: counted once for all of them. */
type Mesh = { readonly view: View; readonly whole: Whole; readonly authority: Authority };

async function meshIn(reading: Reading, master: MasterId, now: number): Promise<Mesh | undefined> {
  const [view, whole] = [await loadView(reading, master), await loadWhole(reading, master)];
  return view === undefined || whole === undefined ? undefined : { authority: authorityOf(whole, now), view, whole };
}

async function forgetIn(store: Store, meshOf: (reading: Reading) => Promise<Mesh | undefined>, master: MasterId, catalog: string, now: number): Promise<number> {
  const found = await store.read(async (r) => {
    const mesh = (await mayBeOld(r, master, catalog, now)) ? await meshOf(r) : undefined;
    if (mesh === undefined) return undefined;
    const releases = await releasesOf(r, mesh.view, mesh.authority.suspended, catalog);
    return { ...mesh, until: Math.max(0, ...releases.flatMap(({ due }) => due.filter((one) => isRipe(one, now)).map((one) => one.index))) };
  });
  if (found === undefined) return 0;
  for (let count = 0; ; ) {
    const some = await store.read((r) => oldIn(r, found, catalog, found.until, now));
    if (some.old.length === 0) return count;
    const done = await store.transact((w) => forgetThese(w, master, catalog, some));
    if (!done) return count;
    count += some.old.length;
  }
}

/** Whether there may be anything to forget: most of the time there is not, and a look at a few rows says so without loading the mesh. */
async function mayBeOld(reading: Reading, master: MasterId, catalog: string, now: number): Promise<boolean> {
  const from = (await startOf(reading, master, catalog))?.index ?? 0;
  const prefix = `${master}/${catalog}/`;
  const [oldest] = await reading.list(shelf.commits, prefix, { after: prefix + ordinal(from), limit: 1 });
  if (oldest === undefined || now - parseRow<Stamped>(oldest.value).arrived < KEPT_MS) return false;
  const releases = await reading.list(shelf.releases, prefix);
  return releases.some(({ value }) => parseRow<ReleaseRow>(value).due.some((one) => one.index > from && isRipe(one, now)));
}

type Some = { readonly from: number; readonly chain: Chain | undefined; readonly old: readonly Old[]; readonly octets: number };

/** The next commits to forget, judged, and the chain after them. */
async function oldIn(reading: Reading, { authority, whole }: Mesh, catalog: string, until: number, now: number): Promise<Some> {
  const start = await startOf(reading, whole.id, catalog);
  const prefix = `${whole.id}/${catalog}/`;
  const old: Old[] = [];
  let [chain, octets] = [start, 0];
  for (const { value } of await reading.list(shelf.commits, prefix, { after: prefix + ordinal(start?.index ?? 0), limit: AT_ONCE })) {
    const { arrived, digest } = parseRow<Stamped>(value);
    if ((chain?.index ?? 0) >= until || now - arrived < KEPT_MS) break;
    const signed = await getObject(reading, digest, commitType);
    const { payload } = signed;
    chain = (await nextCommit(chain, signed, authority)).chain;
    const body = payload.kind === "entries" ? payload.digest : undefined;
    old.push({ digest, body });
    octets += octetsOf(signed.jws) + (payload.kind === "entries" ? bodyOctets(payload.size) : 0);
  }
  return { from: start?.index ?? 0, chain, old, octets };
}

async function forgetThese(writing: Writing, master: string, catalog: string, { from, chain, old, octets }: Some): Promise<boolean> {
  const record = await row<MeshRecord>(writing, shelf.meshes, master);
  const start = await startOf(writing, master, catalog);
  // Somebody else was at it.
  if (record === undefined || chain === undefined || (start?.index ?? 0) !== from) return false;
  for (const { digest, body } of old) {
    await dropShared(writing, shelf.objects, digest);
    if (body !== undefined) await dropShared(writing, shelf.bodies, body);
  }
  await putRow(writing, shelf.starts, `${master}/${catalog}`, chain);
  // A new revision: what a running portal keeps in memory of this mesh is read again.
  await putRow(writing, shelf.meshes, master, { ...record, octets: record.octets - octets, revision: record.revision + 1 } satisfies MeshRecord);
  return true;
}
