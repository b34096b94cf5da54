import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { type Authority, type Chain, isQuarantined, nextCommit, type Placed } from "../catalogs/chain.ts";
import { checkBody, type Commit, commit as commitType, type EntriesCommit, type EpochCommit, wrapSubject } from "../catalogs/commits.ts";
import { type Change, openChanges } from "../catalogs/entries.ts";
import { previousEpochOf, previousKey, takeKey } from "../catalogs/epoch-keys.ts";
import { merge } from "../catalogs/merge.ts";
import type { Digest } from "../envelope/fields.ts";
import { type Jws, readSigned } from "../envelope/signed.ts";
import { type Decapsulator, recipientsOf } from "../envelope/sealed.ts";
import { catalogRead } from "../protocol/catalogs.ts";
import type { SentCommit } from "../protocol/parts.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { EntryRows } from "./entry-rows.ts";
import { CommitsForgotten } from "./forgotten.ts";
import { forgetSnapshot } from "./snapshot-rows.ts";
import { type CatalogRow, type EpochRow, loadCatalog } from "./known.ts";
import { keepRecent } from "./recent.ts";
import { finishOutbox } from "./outbox.ts";
import { awaitPurge } from "./purging.ts";
import type { PortalLink, Requester } from "./portal-link.ts";
import type { RowsWriting } from "./rows.ts";

/** About what a commit takes besides its body: its signature, mostly. */
const COMMIT_OCTETS = 8 * 1024;

/** So many commits that wait for a key are read at once. */
const WAITING_AT_ONCE = 16;

/** A commit whose entries wait for a key, in the order of the chain. */
export type WaitingRow = { readonly commit: Jws; readonly body: string };

/** A judged commit in its place, with what travelled beside it. */
type PlacedBody = Placed & { readonly body: Uint8Array | undefined };

/** One judged commit and the state of its catalog after it. */
export type Taken = { readonly placed: PlacedBody; readonly row: CatalogRow };

/** New commits, judged and not yet written. */
export type Pulled = { readonly placed: readonly PlacedBody[]; readonly row: CatalogRow };

/** Refuses a portal whose head of a catalog is not a continuation of what this device has seen. */
export function checkHead(chain: Chain | undefined, head: { readonly index: number; readonly digest: Digest } | undefined): void {
  if (chain === undefined) return;
  demand(head !== undefined && head.index >= chain.index, "portal-older-catalog", "The portal shows an older state of a catalog than this device has seen.", "It was restored from a backup or it cheats. Nothing here was changed; ask its operator.");
  demand(head.index > chain.index || head.digest === chain.digest, "portal-forked-catalog", "The portal shows this device another history of a catalog than it showed before.", "It cheats. Nothing here was changed; do not rely on this portal, and compare with your other devices.");
}

/** Refuses a portal that shows another end of a chain than the head that it named. */
export function checkEnd(chain: Chain, head: { readonly digest: Digest }): void {
  demand(chain.digest === head.digest, "portal-forked-catalog", "The portal names one head of a catalog and shows another.", "It cheats. What this device has is kept; do not rely on this portal.");
}

/** As `pullPieces`, all in one: what comes after a snapshot is little. */
export async function pullCatalog(link: PortalLink, requester: Requester, catalog: string, known: CatalogRow | undefined, head: { readonly index: number; readonly digest: Digest } | undefined, authority: Authority, key: Decapsulator): Promise<Pulled | undefined> {
  checkHead(known?.chain, head);
  if (head === undefined || head.index === known?.chain.index) return undefined;
  const placed: PlacedBody[] = [];
  let row = known;
  while (row === undefined || row.chain.index < head.index) {
    const read = await readOn(link, requester, catalog, row, head.index, authority, key);
    placed.push(...read.placed);
    row = read.row;
  }
  checkEnd(row.chain, head);
  return { placed, row };
}

/** Fetches and judges what comes after a state of a catalog, as much as one answer holds and at most up to a commit. */
export async function readOn(link: PortalLink, requester: Requester, catalog: string, known: CatalogRow | undefined, until: number, authority: Authority, key: Decapsulator): Promise<Pulled> {
  const placed: PlacedBody[] = [];
  let row = known;
  for (const sent of await commitsAfter(link, requester, catalog, known?.chain.index ?? 0)) {
    // What came in since the portal named its heads is judged with the profiles that came with it, at the next sync.
    if (row?.chain.index === until) break;
    const next = await takeCommit(row, sent, authority, key);
    // The first commit of a chain names no predecessor: only its own word says which catalog it begins.
    demand(next.placed.chain.catalog === catalog, "portal-forked-catalog", "The portal shows one catalog in the place of another.", "It cheats. Nothing here was changed; do not rely on this portal, and compare with your other devices.");
    placed.push(next.placed);
    row = next.row;
  }
  // There is one at least.
  return { placed, row: row as CatalogRow };
}

/** Fetches the next commits of a catalog, as many as one answer holds; those that the portal forgot it excuses with releases. */
export async function commitsAfter(link: PortalLink, requester: Requester, catalog: string, after: number): Promise<readonly SentCommit[]> {
  const { commits, releases } = await link.call(requester, catalogRead, { after, catalog: catalog as Chain["catalog"] & never });
  if (releases !== undefined) throw new CommitsForgotten(releases);
  demand(commits.length > 0, "portal-older-catalog", "The portal names commits of a catalog but does not show them.", "Nothing here was changed. It is broken or it cheats; ask its operator.");
  return commits;
}

/** Judges one commit and takes what keys it gives. */
export async function takeCommit(row: CatalogRow | undefined, sent: SentCommit, authority: Authority, key: Decapsulator): Promise<Taken> {
  const placed = await nextCommit(row?.chain, readSigned(sent.commit, commitType), authority);
  const { payload } = placed.commit;
  const body = sent.body === undefined ? undefined : fromBase64url(sent.body);
  checkBody(payload, body);
  const grown = (row?.grown ?? 0) + COMMIT_OCTETS + (body?.length ?? 0);
  return { placed: { ...placed, body }, row: { ...row, chain: placed.chain, epochs: await epochsWith(row?.epochs ?? {}, payload, key), grown } };
}

/** The epochs with what an epoch or grant commit adds: its key if it is for this device, and from it the keys before. */
async function epochsWith(epochs: Readonly<Record<string, EpochRow>>, payload: Commit, key: Decapsulator): Promise<Readonly<Record<string, EpochRow>>> {
  if (payload.kind === "entries") return epochs;
  const grown: Record<string, EpochRow> = { ...epochs };
  if (payload.kind === "epoch") grown[payload.epoch] = epochRow(payload);
  const epoch = grown[payload.epoch];
  const mine = recipientsOf(payload.wraps, wrapSubject(payload.catalog, payload.epoch)).some((kid) => kid === key.kid);
  if (!mine || epoch === undefined || epoch.key !== undefined) return grown;
  let opened: Uint8Array;
  try {
    opened = await takeKey(payload, epoch.commitment, key);
  } catch (error) {
    // A wrap that does not open is its author's doing; the chain goes on, and what this device cannot read waits.
    if (error instanceof MeshError) return grown;
    throw error;
  }
  grown[payload.epoch] = { ...epoch, key: toBase64url(opened) };
  return withEarlierKeys(grown, payload.catalog, payload.epoch, opened);
}

function epochRow({ commitment, previousEpoch, previousKey: sealed }: EpochCommit): EpochRow {
  return { commitment, ...(previousEpoch === undefined ? {} : { previousEpoch }), ...(sealed === undefined ? {} : { previousKey: sealed }) };
}

/** The epochs with the keys that follow from the key of one of them, back to the first that is known. */
export function withEarlierKeys(epochs: Record<string, EpochRow>, catalog: EpochCommit["catalog"], from: number, key: Uint8Array): Readonly<Record<string, EpochRow>> {
  for (let [number, opened] = [from, key]; ; ) {
    const after = epochs[number];
    if (after?.previousKey === undefined) return epochs;
    const payload = { ...after, catalog, epoch: number };
    const earlier = previousEpochOf(payload);
    const before = epochs[earlier];
    if (before === undefined) return epochs;
    try {
      opened = previousKey(payload, opened, before.commitment);
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      // Its author's doing, as with a wrap that does not open: no later epoch goes on from this one.
      epochs[number] = { ...after, flawed: true };
      return epochs;
    }
    if (before.key !== undefined) return epochs;
    epochs[earlier] = { ...before, key: toBase64url(opened) };
    number = earlier;
  }
}

/** Writes judged commits: the chain, its digests, and the entries that can be opened; what waits for a key is kept for when it comes. */
export async function writePulled(rows: RowsWriting, catalog: string, pulled: Pulled): Promise<void> {
  const stored = await loadCatalog(rows, catalog);
  // Another process of this home was quicker and has it all.
  if (stored !== undefined && stored.chain.index >= pulled.row.chain.index) return;
  await rows.put("catalogs", catalog, "", pulled.row);
  const opening = new Opening(rows, catalog, pulled.row.epochs);
  for (const placed of pulled.placed) {
    await finishOutbox(rows, catalog, placed.commit);
    await keepRecent(rows, catalog, placed.chain.index, { commit: placed.commit.jws, ...(placed.body === undefined ? {} : { body: toBase64url(placed.body) }) });
    await opening.place(placed);
  }
  if (hasNewKey(stored, pulled.row)) await takeWaiting(rows, catalog, opening);
  await opening.entries.flush(rows);
}

function hasNewKey(before: CatalogRow | undefined, after: CatalogRow): boolean {
  return Object.entries(after.epochs).some(([number, { key }]) => key !== undefined && before?.epochs[number]?.key === undefined);
}

/** Takes what waited for a key, as far as it is there now, a few at a time. */
async function takeWaiting(rows: RowsWriting, catalog: string, opening: Opening): Promise<void> {
  for (let after = 0; ; ) {
    const some = await rows.list<WaitingRow>("waiting", catalog, { after, limit: WAITING_AT_ONCE });
    for (const { row, remove } of some) {
      after = readSigned(row.commit, commitType).payload.index;
      if (await opening.take(row)) await remove(rows);
    }
    if (some.length < WAITING_AT_ONCE) return;
  }
}

/**
 * Takes back what was quarantined for a reason that holds no more: a suspension that lapsed or was lifted (decision 4.5).
 *
 * Whoever pulled such a commit meanwhile, and whoever pulls it now, hold the same entries afterwards.
 */
export async function releaseQuarantined(rows: RowsWriting, catalog: string, authority: Authority, now: number): Promise<void> {
  const quarantined = await rows.list<WaitingRow>("quarantined", catalog);
  const known = quarantined.length === 0 ? undefined : await loadCatalog(rows, catalog);
  if (known === undefined) return;
  const opening = new Opening(rows, catalog, known.epochs);
  for (const { row, remove } of quarantined) {
    const { kid, payload } = readSigned(row.commit, commitType);
    if (isQuarantined({ kid, payload }, authority)) continue;
    await remove(rows);
    if (!(await opening.take(row))) await rows.put("waiting", catalog, payload.index, row);
    // What comes back stands before what a snapshot holds, so the next one is made whole.
    await forgetSnapshot(rows, catalog, now);
  }
  await opening.entries.flush(rows);
}

/** Opens the entries of commits and merges them into what there is, in any order. */
export class Opening {
  readonly entries: EntryRows;
  readonly #rows: RowsWriting;
  readonly #catalog: string;
  readonly #epochs: CatalogRow["epochs"];

  constructor(rows: RowsWriting, catalog: string, epochs: CatalogRow["epochs"], entries = new EntryRows(rows, catalog)) {
    this.entries = entries;
    this.#rows = rows;
    this.#catalog = catalog;
    this.#epochs = epochs;
  }

  /**
   * Keeps a judged commit: its digest, and what it holds, or the whole of it apart if that does not count or does not open yet. Where `all`
   * is to be had, what does not count is merged as well.
   */
  async place({ commit, chain, standing, body }: PlacedBody, all = false): Promise<void> {
    await this.#rows.put("digests", this.#catalog, chain.index, { digest: chain.digest });
    if (body === undefined) return;
    const entries: WaitingRow = { body: toBase64url(body), commit: commit.jws };
    if (standing === "quarantined") {
      await this.#rows.put("quarantined", this.#catalog, chain.index, entries);
      if (all) await this.take(entries);
    } else if (!(await this.take(entries))) await this.#rows.put("waiting", this.#catalog, chain.index, entries);
  }

  /** Whether this device has the key that the commit needs; if so, what it holds is merged. */
  async take(waiting: WaitingRow): Promise<boolean> {
    const { kid, payload } = readSigned(waiting.commit, commitType);
    const key = this.#epochs[payload.epoch]?.key;
    if (key === undefined || payload.kind !== "entries") return false;
    const changes = changesOf(payload, waiting, fromBase64url(key));
    // What its author should not have signed holds its place in the chain and counts for nothing; nobody else's sync stops at it.
    if (changes === undefined) await this.#rows.put("malformed", this.#catalog, payload.index, waiting);
    for (const change of changes ?? []) {
      await this.entries.put(merge(await this.entries.get(change.entry), change, kid, payload.index));
      if (change.purge !== undefined) await awaitPurge(this.#rows, this.#catalog, change.entry, payload.index);
    }
    return true;
  }
}

/** What entries say, opened; nothing if they are malformed. */
export function changesOf(payload: EntriesCommit, waiting: WaitingRow, key: Uint8Array): readonly Change[] | undefined {
  try {
    return openChanges(payload, fromBase64url(waiting.body), key);
  } catch (error) {
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}
