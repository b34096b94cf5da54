import assert from "node:assert/strict";
import { equalBytes } from "../../src/bytes/equal.ts";
import { randomBytes } from "../../src/crypto/random.ts";
import { logKeyTexts, type LogSigners, logSigners, newLogKeys } from "../../src/cli/portal/log-keys.ts";
import { writeCheckpoint } from "../../src/notary/checkpoint.ts";
import { sealEntry } from "../../src/notary/commitment.ts";
import { signNote } from "../../src/notary/cosignature.ts";
import { closedEpoch, writeCurrencyProof } from "../../src/notary/currency.ts";
import { readEntry, writeEntry } from "../../src/notary/entry.ts";
import { closeEpoch } from "../../src/notary/epoch.ts";
import { LogKeeper } from "../../src/notary/keeping/log-keeper.ts";
import { Receipts } from "../../src/notary/keeping/receipts.ts";
import { logShelf } from "../../src/notary/keeping/rows.ts";
import { type MapLeaf, mapKey } from "../../src/notary/map.ts";
import { MapLeaves } from "../../src/notary/map-leaves.ts";
import { leafHash } from "../../src/notary/merkle.ts";
import { writeNote } from "../../src/notary/note.ts";
import { PrefixMap } from "../../src/notary/prefix-map.ts";
import { EMPTY_TREE, integrate, rootOf } from "../../src/notary/tree.ts";
import { logPrefix } from "../../src/notary/log-policy.ts";
import { adopt } from "../../src/portal/adopt.ts";
import { forgetLog } from "../../src/portal/upkeep/forget-log.ts";
import { logPage } from "../../src/portal/log-pages.ts";
import { standingOf } from "../../src/portal/logged.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import type { Udf } from "../../src/udf/udf.ts";
import { startPortal, type TestPortal } from "../support/world.ts";
import { type Household, household } from "./household.ts";

/** What signs the log of every portal here. */
export const signers = logSigners("example.com", newLogKeys(), 1);

/** What a log serves, by path. */
export type Pages = (path: string) => Promise<Uint8Array | undefined>;

/** A household at a portal that keeps a log and signs receipts, and what that serves as long as it is honest. */
export type LoggedHousehold = Household & { readonly honest: Pages };

/** A log over a store, closed anew for each request, and what it serves; `standing` is what it commits to of catalogs. */
export async function logOver(store: Store, now: () => number, { note, origin, subtree }: LogSigners = signers, standing = standingOf): Promise<{ readonly keeper: LogKeeper; readonly pages: Pages }> {
  const keeper = await LogKeeper.open({ store, origin, signers: [note, subtree], now, standingOf: standing });
  const pages: Pages = async (path) => {
    await keeper.close();
    return path.startsWith(logPrefix(origin)) ? (await logPage(store, keeper, path.slice(logPrefix(origin).length)))?.octets : undefined;
  };
  return { keeper, pages };
}

/** Tells a log what a portal holds, as one does that had none: what it wrote for one before that nobody signed is no part of it. */
export async function beginLog(store: Store): Promise<void> {
  await forgetLog(store);
  await adopt(store);
}

/** What such a log serves. */
export async function pagesOf(...of: Parameters<typeof logOver>): Promise<Pages> {
  return (await logOver(...of)).pages;
}

/** A portal that logs what it takes, and what it serves; what it promises goes through `promising`. */
export async function loggedPortal(promising = (receipts: Pick<Receipts, "of">, _now: () => number): Pick<Receipts, "of"> => receipts): Promise<{ readonly portal: TestPortal; readonly honest: Pages }> {
  const clock = { now: Date.parse("2026-06-01T12:00:00Z") };
  const receipts = new Receipts({ origin: signers.origin, signer: signers.note, now: () => clock.now, keeper: { time: 0 } });
  const portal = await startPortal("example.com", openMemoryStore(), { clock, profile: { logKeys: logKeyTexts(signers) }, receipts: promising(receipts, () => clock.now) });
  const honest = await pagesOf(portal.store, () => clock.now);
  portal.pages.get = honest;
  return { honest, portal };
}

/** A household at an honest portal that logs what it takes, where whatever its members do must raise no alarm. */
export async function loggedHousehold(others: Parameters<typeof household>[0]): Promise<Household> {
  return household(others, (await loggedPortal()).portal);
}

/** A household at such a portal. */
export async function logged(promising?: Parameters<typeof loggedPortal>[0]): Promise<LoggedHousehold> {
  const { honest, portal } = await loggedPortal(promising);
  return { ...(await household({ tablet: "member" }, portal)), honest };
}

/** The entries of a portal's log. */
export function leavesIn({ portal }: Pick<Household, "portal">): Promise<readonly Uint8Array[]> {
  return portal.store.read((r) => r.leaves(0));
}

/** Entries that say nothing to anybody: so many. */
export function fillers(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, drop) => writeEntry(sealEntry("blobs", { content: { drop }, salt: randomBytes(32) })));
}

/** Has the portal serve a log of these entries in place of its own, signed as its own, to whoever asks from now on. */
export async function serves({ portal }: LoggedHousehold, leaves: readonly Uint8Array[]): Promise<void> {
  portal.pages.get = await pagesOf(await storeOf(leaves), () => portal.clock.now);
}

async function storeOf(leaves: readonly Uint8Array[]): Promise<Store> {
  const store = openMemoryStore();
  await store.transact(async (w) => {
    for (const leaf of leaves) await w.append(leaf);
  });
  return store;
}

/** As `serves`, with a map that tells nothing of one of the entries. */
export async function servesUntold({ portal }: LoggedHousehold, id: Udf<"master">, leaves: readonly Uint8Array[], untold: Uint8Array): Promise<void> {
  const { note, origin, subtree } = signers;
  const told = new MapLeaves();
  const put = async (leaf: MapLeaf): Promise<void> => told.add([leaf]);
  const map = new PrefixMap();
  const filler = fillers(1)[0] ?? assert.fail();
  const { epoch } = await closeEpoch({ epoch: undefined, map, tree: EMPTY_TREE }, leaves.map((leaf) => (equalBytes(leaf, untold) ? filler : leaf)), { bucket: told.bucket, put }, portal.clock.now);
  const entry = writeEntry(epoch);
  const before = integrate(EMPTY_TREE, leaves.map(leafHash)).tree;
  const { tree } = integrate(before, [leafHash(entry)]);
  const text = writeCheckpoint({ extensions: [], origin, root: rootOf(tree), size: tree.size });
  const checkpoint = writeNote({ signatures: await Promise.all([note, subtree].map((one) => signNote(one, text, Math.floor(epoch.t / 1000)))), text });
  const store = await storeOf([...leaves, entry]);
  await store.transact((w) => w.put(logShelf.log, "checkpoint", checkpoint));
  const prove = async (): Promise<Uint8Array> => writeCurrencyProof({ id, kind: "personal" }, await map.prove(mapKey("personal", id), told.bucket), closedEpoch(epoch, before, checkpoint));
  portal.pages.get = async (path) => (await logPage(store, { prove }, path.slice(logPrefix(origin).length)))?.octets;
}

/** The newest Personal Profile's entry among others, and where it stands. */
export function newestPersonal(leaves: readonly Uint8Array[]): { readonly entry: Uint8Array; readonly index: number } {
  const index = leaves.findLastIndex((leaf) => readEntry(leaf).k === "personal");
  return { entry: leaves[index] ?? assert.fail(), index };
}
