import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import type { Json } from "../bytes/canonical-json.ts";
import { equalBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { sealedObject, sealEntry } from "../notary/commitment.ts";
import type { Currency } from "../notary/currency.ts";
import { writeEntry } from "../notary/entry.ts";
import { wrongSealEvidence } from "../notary/make-evidence.ts";
import { type Hash, leafHash } from "../notary/merkle.ts";
import { PROMISE_MS, type Receipt } from "../notary/receipt.ts";
import { rootFromRun } from "../notary/verify.ts";
import { type Mesh, personalOf } from "../profiles/mesh.ts";
import { logOpenings, type ShownOpening } from "../protocol/openings.ts";
import { demand } from "../refusals/mesh-error.ts";
import { accuse, type Accused, type AccusedByMember, CHEATS } from "./accuse.ts";
import { loadCatalogs } from "./known.ts";
import { readHashes } from "./log-hashes.ts";
import type { ReceiptRow } from "./receipts.ts";

/** What is asked for and proved costs as much as an edit: it is put together, and done once an hour. */
const OPENED_MS = 3_600_000;

type Heads = Readonly<Record<string, number>>;

/**
 * How far a home has seen what its portal's log commits to of its mesh: `to` is the entry before which all was looked at, `committed` how far the log has each
 * catalog, `known` how far this device knew each when it looked last, and `first` when it looked first.
 */
type OpenedRow = { readonly at: number; readonly origin: string; readonly to: number; readonly committed: Heads; readonly first: Heads; readonly known: Heads };

/** The leaf of a sealed entry that opens so. */
function leafOf({ content, k, salt }: ShownOpening): Hash {
  return leafHash(writeEntry(sealEntry(k, { content: content as Json, salt: fromBase64url(salt) })));
}

/**
 * Opens the sealed entries of a run that a receipt promised for what this device sent, and demands that they commit to that (`docs/spec/log.md` 7.6):
 * `portal-wrong-entry`, with evidence where the receipt has the entry. `own` are the leaves of this device's versions, which are no secret.
 */
export async function openRun(accused: AccusedByMember, { receipt: text, sent }: ReceiptRow, receipt: Receipt, run: Receipt["runs"][number], own: readonly Hash[], mesh: Mesh): Promise<void> {
  const promised = receipt.leaves.slice(run.from - receipt.from, run.to - receipt.from);
  const isOwn = (leaf: Hash): boolean => own.some((one) => equalBytes(one, leaf));
  if (promised.every(isOwn)) return;
  const { openings } = await accused.link.call(accused.requester, logOpenings, { from: run.from, to: run.to });
  const suspended = mesh.suspensions.some(({ object }) => sent.some(({ obj }) => obj === object.digest));
  for (const [at, leaf] of promised.entries()) {
    if (isOwn(leaf)) continue;
    const opening = openings.find(({ index }) => index === run.from + at);
    // In which order suspensions came, a portal that was given back what it had lost may see otherwise.
    if (opening === undefined && suspended) continue;
    demand(opening !== undefined && equalBytes(leafOf(opening), leaf), "portal-wrong-entry", "The portal does not show this device what its log says of what this device did.", CHEATS);
    if (isAbout(opening, sent, mesh)) continue;
    await accuse(accused, "portal-wrong-entry", "The portal's log says that this device did something else than it did.", async () => wrongSealEvidence(utf8(text), sent, run.from + at, opening));
  }
}

/** Whether a sealed entry of what this device sent commits to that. */
function isAbout({ content, k }: ShownOpening, sent: ReceiptRow["sent"], mesh: Mesh): boolean {
  if (k === "device") return mesh.history.some(({ profile }) => profile.payload.devices.some(({ digest, id }) => digest === content.device && id === content.id));
  const object = sealedObject(k, content as Json);
  return sent.some(({ obj }) => obj === object) && (k !== "account" || content.master === mesh.id);
}

/**
 * Looks at what the log commits to of this mesh's catalogs since it was looked at last, under the head that was just followed (`docs/spec/log.md` 7.7); once an
 * hour, or when asked to, at most 64 entries. Says how many it opened.
 *
 * `portal-forked-catalog` if they are other commits than this device was shown, `portal-older-catalog` if they go beyond what it was shown,
 * `portal-missing-entry` if they do not reach what it knew long ago, `portal-wrong-entry` if an entry does not open so.
 */
export async function openCatalogs(accused: AccusedByMember, { checkpoint }: Currency, mesh: Mesh, seen: number, now: number, asked: boolean): Promise<number> {
  const { client, link, policy, requester } = accused;
  const readable = personalOf(mesh).payload.applications.filter((one) => one.readers.includes(requester.device));
  const [before, chains] = await client.rows.read(async (rows) => [await rows.get<OpenedRow>("log", "opened"), await loadCatalogs(rows, readable)] as const);
  const known: Heads = Object.fromEntries([...chains].map(([id, { chain }]) => [id, chain.index]));
  const keep = (row: OpenedRow): Promise<void> => client.rows.transact((rows) => rows.put("log", "opened", "", row));
  if (before?.origin !== policy.origin) {
    await keep({ at: now, committed: {}, first: known, known, origin: policy.origin, to: checkpoint.size });
    return 0;
  }
  if (!asked && Math.abs(now - before.at) < OPENED_MS) return 0;
  const { more, openings } = await link.call(requester, logOpenings, { from: before.to, to: checkpoint.size });
  const committed: Record<string, number> = { ...before.committed };
  let to = before.to;
  for (const opening of openings) {
    demand(opening.index >= to && opening.index < checkpoint.size, "portal-false-data", "The portal shows entries of its log that it was not asked for.", CHEATS);
    to = opening.index + 1;
    await checkInLog(accused, opening, checkpoint);
    if (opening.k !== "catalogs") continue;
    demand(opening.content.master === mesh.id, "portal-wrong-entry", "The portal shows this device what its log says of another mesh.", CHEATS);
    for (const head of opening.content.heads) {
      const mine = await client.rows.read((rows) => rows.get<{ readonly digest: string }>("digests", head.catalog, head.index));
      demand(mine === undefined || mine.digest === head.digest, "portal-forked-catalog", "The portal's log commits to another history of a catalog than the portal showed this device.", CHEATS);
      const isBeyond = opening.index < seen && head.index > (known[head.catalog] ?? Number.MAX_SAFE_INTEGER);
      demand(!isBeyond, "portal-older-catalog", "The portal's log commits to changes of a catalog that the portal does not show.", CHEATS);
      committed[head.catalog] = Math.max(head.index, committed[head.catalog] ?? 0);
    }
  }
  if (more) {
    await keep({ ...before, committed, to });
    return openings.length;
  }
  const isDue = now - before.at > PROMISE_MS;
  for (const [catalog, index] of Object.entries(before.known)) {
    // What did not move since need not have been committed to again.
    const isKept = index <= (before.first[catalog] ?? index) || (committed[catalog] ?? 0) >= index;
    demand(isKept || !isDue, "portal-missing-entry", "The portal's log does not commit to changes of a catalog that the portal took long ago.", CHEATS);
  }
  await keep({ at: now, committed, first: { ...known, ...before.first }, known, origin: policy.origin, to: checkpoint.size });
  return openings.length;
}

/** Demands that the entry that opens so stands in the log at its index. */
async function checkInLog({ link, policy }: Accused, opening: ShownOpening, { root, size }: Currency["checkpoint"]): Promise<void> {
  const { index } = opening;
  const found = rootFromRun([leafOf(opening)], index, size, await readHashes(link, policy, `inclusion/${index}/${index + 1}/${size}`));
  demand(found !== undefined && toBase64url(found) === toBase64url(root), "portal-wrong-entry", "The portal shows this device something else than its log commits to.", CHEATS);
}
