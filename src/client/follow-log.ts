import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { fromUtf8 } from "../bytes/text.ts";
import { checkCurrencyProof, type Currency } from "../notary/currency.ts";
import { advance, type LogHead, NO_HEAD } from "../notary/log-head.ts";
import { logNumber, type LogPolicy, policyOf } from "../notary/log-policy.ts";
import { writeNote } from "../notary/note.ts";
import { PROMISE_MS } from "../notary/receipt.ts";
import type { Mesh } from "../profiles/mesh.ts";
import { compareVersions } from "../profiles/version.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { accuse, type Accused, CHEATS, forkEvidence, rollback } from "./accuse.ts";
import { holdingPortalTo } from "./blame.ts";
import { checkReceipts, type Shown } from "./check-receipts.ts";
import type { Client } from "./client.ts";
import { readHashes } from "./log-hashes.ts";
import type { PortalLink } from "./portal-link.ts";
import type { RowsReading } from "./rows.ts";
import type { Synced } from "./synced.ts";

/** The largest head of its portal's log that a home trusts, as it was signed, and the time of its last epoch. */
export type LogRow = { readonly origin: string; readonly size: number; readonly root: string; readonly time: number; readonly checkpoint: string };

/** The head that is kept. */
export function logRowOf(rows: RowsReading): Promise<LogRow | undefined> {
  return rows.get<LogRow>("log", "head");
}

/** A log that a portal ended, where this home saw it last, and the one that it began instead; `told` once its owner was told. */
export type EndedRow = LogRow & { readonly next: string; readonly restored: number | undefined; readonly told: boolean };

/**
 * Holds a portal to its log (`docs/spec/log.md` 7.3): that the log goes on from where this home saw it last, and that what it has as the newest of this mesh
 * is what this device was shown, and has itself.
 *
 * `portal-older-log`, `portal-forked-log`, `portal-missing-entry`, `portal-wrong-entry`, `portal-older-profile`, and those of {@link checkReceipts}; a portal that never had a log is held to none.
 */
export async function followLog(client: Client, { answer, link, mesh }: Pick<Synced, "answer" | "link" | "mesh">): Promise<void> {
  const known = await client.rows.read(logRowOf);
  const { policy, shown } = await newestOf(link, mesh, answer.now);
  demand(policy !== undefined || known === undefined, "portal-older-log", "The portal has no log any more.", CHEATS);
  if (policy === undefined) return;
  if (shown === undefined) {
    demand(known === undefined, "portal-older-log", "The portal's log is empty where it was not.", CHEATS);
    return checkNewest(mesh, undefined, answer.now);
  }
  const { currency } = shown;
  const accused: Accused = { client, link, policy };
  const head = await goneOn(accused, known, currency);
  await checkReceipts(accused, shown, mesh, answer.now);
  checkNewest(mesh, currency, answer.now);
  const row: LogRow = { checkpoint: fromUtf8(writeNote(currency.checkpoint.note)), origin: policy.origin, root: toBase64url(head.root), size: head.size, time: currency.epoch.t };
  await client.rows.transact(async (rows) => {
    const meanwhile = await logRowOf(rows);
    // Another command of this device may have seen more of it.
    if (meanwhile?.checkpoint !== known?.checkpoint) return;
    await rows.put("log", "head", "", row);
    if (known !== undefined && known.origin !== row.origin) await rows.put("log", "ended", "", { ...known, next: row.origin, restored: link.profile.payload.restored?.at, told: false } satisfies EndedRow);
  });
}

type Found = { readonly policy: LogPolicy | undefined; readonly shown: Shown | undefined };

/** What the portal proves of a mesh by the log that its profile names last; where that does not do, it may have a newer profile, which names another log. */
async function newestOf(link: PortalLink, mesh: Mesh, now: number): Promise<Found> {
  const found = await provenBy(link, mesh, now).catch((error: unknown) => {
    if (error instanceof MeshError && error.code === "portal-false-data") return error;
    throw error;
  });
  if (!(found instanceof MeshError) && found.shown !== undefined) return found;
  if (await link.renew()) return provenBy(link, mesh, now);
  if (found instanceof MeshError) throw found;
  return found;
}

async function provenBy(link: PortalLink, mesh: Mesh, now: number): Promise<Found> {
  const { logKeys } = link.profile.payload;
  if (logKeys.length === 0) return { policy: undefined, shown: undefined };
  return holdingPortalTo(async () => {
    const policy = policyOf(logKeys);
    const proof = await link.readLog(policy.origin, `current/personal/${mesh.id}`);
    return { policy, shown: proof === undefined ? undefined : { currency: checkCurrencyProof(proof, policy, now / 1000), proof } };
  });
}

/** The log's head now, which must continue the one that is known; another log must be a later one. */
async function goneOn(accused: Accused, known: LogRow | undefined, currency: Currency): Promise<LogHead> {
  const { link, policy } = accused;
  const isOther = known !== undefined && known.origin !== policy.origin;
  demand(!isOther || (logNumber(policy.origin) ?? 0) > (logNumber(known.origin) ?? 0), "portal-older-log", "The portal shows a log that it had ended.", CHEATS);
  const before = known === undefined || isOther ? NO_HEAD : { root: fromBase64url(known.root), size: known.size };
  const { checkpoint } = currency;
  const { size } = checkpoint;
  const proof = before.size === 0 || size <= before.size ? [] : await readHashes(link, policy, `consistency/${before.size}/${size}`);
  try {
    return advance(before, checkpoint, proof);
  } catch (error) {
    if (!(error instanceof MeshError) || known === undefined) throw error;
    return accuse(accused, error.code, error.message, async () => (size < known.size ? rollback(known.checkpoint, currency) : forkEvidence(accused, known, currency)));
  }
}

/** What the log has as the newest against what this device has: nothing may lack for longer than a portal may take to log it, and nothing may be kept back. */
function checkNewest(mesh: Mesh, currency: Currency | undefined, now: number): void {
  const last = mesh.history.at(-1);
  if (last === undefined) return;
  demand(currency === undefined || (currency.label.kind === "personal" && currency.label.id === mesh.id), "portal-false-data", "The portal proved what is current of somebody else.", CHEATS);
  const { digest, payload } = last.profile;
  const order = currency?.value === undefined ? -1 : compareVersions(currency.value, payload);
  const due = now - last.arrived > PROMISE_MS;
  demand(order >= 0 || !due, "portal-missing-entry", "The portal's log lacks a version of your mesh that the portal took.", CHEATS);
  // An epoch may be some time on its way to the disk while others are still shown what was there before it.
  demand(order <= 0 || (currency?.epoch.t ?? 0) > now - PROMISE_MS, "portal-older-profile", "The portal's log has a newer version of your mesh than the portal shows.", CHEATS);
  demand(order !== 0 || toBase64url(currency?.value?.digest ?? new Uint8Array(0)) === digest, "portal-wrong-entry", "The portal's log has another object as this version of your mesh.", CHEATS);
}
