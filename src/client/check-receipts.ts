import { toBase64url } from "../bytes/base64url.ts";
import { equalBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { type Signed, signedBytes } from "../envelope/signed.ts";
import type { Currency } from "../notary/currency.ts";
import { type PublicEntry, writeEntry } from "../notary/entry.ts";
import { logKeyOf, signedAt } from "../notary/log-policy.ts";
import { brokenEvidence, lateEvidence, wrongEntryEvidence, wrongMapEvidence } from "../notary/make-evidence.ts";
import { leafHash } from "../notary/merkle.ts";
import { promisedIndex, PROMISE_MS, readReceipt, type Receipt, runFor } from "../notary/receipt.ts";
import { contradicts, isNews } from "../notary/succession.ts";
import { rootFromRun } from "../notary/verify.ts";
import type { Mesh } from "../profiles/mesh.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { accuse, type Accused, type AccusedByMember, CHEATS, tilesOf } from "./accuse.ts";
import { openRun } from "./check-openings.ts";
import { holdingPortalTo } from "./blame.ts";
import { readHashes } from "./log-hashes.ts";
import { forgetReceipts, type ReceiptRow, receiptsOf } from "./receipts.ts";

/** What a proof showed, with its octets. */
export type Shown = { readonly currency: Currency; readonly proof: Uint8Array };

/**
 * Holds a portal to the receipts that it gave (`docs/spec/log.md` 7.4), under the head that was just followed: what it promised stands where it said, and is what
 * this device sent. Those that it kept are let go of; one that is not due yet waits for the next sync.
 *
 * `portal-broken-receipt`, `portal-missing-entry`, `portal-wrong-entry`, `portal-wrong-map`.
 */
export async function checkReceipts(accused: AccusedByMember, shown: Shown, mesh: Mesh, now: number): Promise<void> {
  const { client, policy } = accused;
  const rows = await client.rows.read(receiptsOf);
  if (rows.length === 0) return;
  const key = logKeyOf(policy.logKeys, "note");
  const done: ReceiptRow[] = [];
  for (const row of rows) {
    // Of a log that ended nothing is asked: that it ended, its owner was told.
    const receipt = await receiptIn(row, () => readReceipt(utf8(row.receipt), key, policy.origin));
    if (receipt === undefined || (await isKept(accused, shown, row, receipt, now))) done.push(row);
    if (receipt !== undefined) await checkOwn(accused, shown, row, receipt, mesh);
  }
  if (done.length > 0) await client.rows.transact((writing) => forgetReceipts(writing, done));
}

function receiptIn({ receipt }: ReceiptRow, read: () => Receipt): Promise<Receipt | undefined> {
  return holdingPortalTo(async () => {
    try {
      return read();
    } catch (error) {
      if (error instanceof MeshError && error.code === "log-wrong-origin" && receipt !== "") return undefined;
      throw error;
    }
  });
}

/** Whether the log has what a receipt promises; false while it may still come. */
async function isKept(accused: Accused, { currency }: Shown, row: ReceiptRow, receipt: Receipt, now: number): Promise<boolean> {
  const { link, policy } = accused;
  const { checkpoint } = currency;
  const { from, leaves, time } = receipt;
  const given = { octets: utf8(row.receipt), receipt };
  const end = from + leaves.length;
  if (checkpoint.size < end) {
    const late = signedAt(policy, checkpoint) * 1000 > time + PROMISE_MS;
    if (late || now > time + PROMISE_MS) await accuse(accused, "portal-missing-entry", "The portal signed that its log has what this device did, and its log lacks it.", async () => lateEvidence(given, checkpoint, end - 1));
    return false;
  }
  const proof = await readHashes(link, policy, `inclusion/${from}/${end}/${checkpoint.size}`);
  const root = rootFromRun(leaves, from, checkpoint.size, proof);
  if (root !== undefined && equalBytes(root, checkpoint.root)) return true;
  return accuse(accused, "portal-broken-receipt", "The portal signed that its log has what this device did, and something else stands there.", () => brokenEvidence(given, { checkpoint, read: tilesOf(accused, checkpoint.size) }));
}

/** What this device sent is what was promised, and the map tells of it. */
async function checkOwn(accused: AccusedByMember, { currency, proof }: Shown, row: ReceiptRow, receipt: Receipt, mesh: Mesh): Promise<void> {
  const { receipt: text, sent } = row;
  const run = runFor(receipt, sent);
  demand(run !== undefined, "portal-wrong-entry", "The portal signed for something else than this device sent.", CHEATS);
  const { checkpoint, value } = currency;
  if (checkpoint.size < run.to) return;
  const entries = entriesOf(mesh, sent.map(({ obj }) => obj));
  for (const [at, object] of sent.entries()) {
    if (!("k" in object) || object.k !== "personal") continue;
    const entry = entries.find(({ obj }) => obj === object.obj);
    const octets = entry === undefined ? undefined : writeEntry(entry);
    const index = octets === undefined ? undefined : promisedIndex(receipt, leafHash(octets));
    if (octets !== undefined && index !== undefined && isNews(object, value)) await accuse(accused, "portal-wrong-map", "The portal's log has a version of your mesh, and says that an older one is current.", () => wrongMapEvidence(octets, index, proof, { checkpoint, read: tilesOf(accused, checkpoint.size) }));
    // What the log had before, it promises nothing of: it stands further up.
    const isElsewhere = entry !== undefined && value !== undefined && toBase64url(value.digest) === entry.obj && (index === undefined ? value.index >= receipt.from : value.index !== index);
    if (isElsewhere || contradicts(value, object, run)) await accuse(accused, "portal-wrong-entry", "The portal's log has something else than this device sent.", async () => wrongEntryEvidence(utf8(text), sent, at, proof));
  }
  await openRun(accused, row, receipt, run, entries.map((entry) => leafHash(writeEntry(entry))), mesh);
}

/** The entries that an honest log has of these objects of a mesh. */
function entriesOf(mesh: Mesh, digests: readonly string[]): readonly PublicEntry[] {
  const about = (signed: Signed<unknown>, before: Signed<unknown> | undefined) => ({ id: mesh.id, len: signedBytes(signed).length, obj: signed.digest, ...(before === undefined ? {} : { prev: before.digest }), v: 1 as const });
  const all: PublicEntry[] = [
    ...mesh.masters.map((one, at): PublicEntry => ({ ...about(one, mesh.masters[at - 1]), k: "master", n: one.payload.version })),
    ...mesh.history.map(({ profile }, at): PublicEntry => ({ ...about(profile, mesh.history[at - 1]?.profile), g: profile.payload.g, k: "personal", n: profile.payload.n })),
    ...mesh.suspensions.map(({ object }, at): PublicEntry => ({ ...about(object, mesh.suspensions[at - 1]?.object), k: "suspension", n: at + 1 })),
  ];
  return all.filter(({ obj }) => digests.includes(obj));
}
