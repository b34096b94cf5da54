import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { fromUtf8 } from "../bytes/text.ts";
import { readHash } from "../notary/checkpoint.ts";
import { checkCurrencyProof, type Currency } from "../notary/currency.ts";
import { advance, type LogHead, NO_HEAD } from "../notary/log-head.ts";
import { logNumber, type LogPolicy, policyOf } from "../notary/log-policy.ts";
import type { Hash } from "../notary/merkle.ts";
import { writeNote } from "../notary/note.ts";
import { PROMISE_MS } from "../notary/receipt.ts";
import type { Mesh } from "../profiles/mesh.ts";
import { compareVersions } from "../profiles/version.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { holdingPortalTo } from "./blame.ts";
import type { Client } from "./client.ts";
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

/** The most octets of a proof that a log goes on: no tree has a deeper one. */
const MAX_PROOF = 8 * 1024;

const CHEATS = "Nothing here was changed. It is broken or it cheats: ask its operator, and do not rely on what it says.";

/**
 * Holds a portal to its log (`docs/spec/log.md` 7.3): that the log goes on from where this home saw it last, and that what it has as the newest of this mesh
 * is what this device was shown, and has itself.
 *
 * `portal-older-log`, `portal-forked-log`, `portal-missing-entry`, `portal-wrong-entry`, `portal-older-profile`; a portal that never had a log is held to none.
 */
export async function followLog(client: Client, { answer, link, mesh }: Pick<Synced, "answer" | "link" | "mesh">): Promise<void> {
  const known = await client.rows.read(logRowOf);
  const { policy, currency } = await newestOf(link, mesh, answer.now);
  demand(policy !== undefined || known === undefined, "portal-older-log", "The portal has no log any more.", CHEATS);
  if (policy === undefined) return;
  if (currency === undefined) {
    demand(known === undefined, "portal-older-log", "The portal's log is empty where it was not.", CHEATS);
    return checkNewest(mesh, undefined, answer.now);
  }
  const head = await goneOn(link, policy, known, currency);
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

type Found = { readonly policy: LogPolicy | undefined; readonly currency: Currency | undefined };

/** What the portal proves of a mesh by the log that its profile names last; where that does not do, it may have a newer profile, which names another log. */
async function newestOf(link: PortalLink, mesh: Mesh, now: number): Promise<Found> {
  const found = await provenBy(link, mesh, now).catch((error: unknown) => {
    if (error instanceof MeshError && error.code === "portal-false-data") return error;
    throw error;
  });
  if (!(found instanceof MeshError) && found.currency !== undefined) return found;
  if (await link.renew()) return provenBy(link, mesh, now);
  if (found instanceof MeshError) throw found;
  return found;
}

async function provenBy(link: PortalLink, mesh: Mesh, now: number): Promise<Found> {
  const { logKeys } = link.profile.payload;
  if (logKeys.length === 0) return { policy: undefined, currency: undefined };
  return holdingPortalTo(async () => {
    const policy = policyOf(logKeys);
    const proof = await link.readLog(policy.origin, `current/personal/${mesh.id}`);
    return { policy, currency: proof === undefined ? undefined : checkCurrencyProof(proof, policy, now / 1000) };
  });
}

/** The log's head now, which must continue the one that is known; another log must be a later one. */
async function goneOn(link: PortalLink, policy: LogPolicy, known: LogRow | undefined, { checkpoint }: Currency): Promise<LogHead> {
  const isOther = known !== undefined && known.origin !== policy.origin;
  demand(!isOther || (logNumber(policy.origin) ?? 0) > (logNumber(known.origin) ?? 0), "portal-older-log", "The portal shows a log that it had ended.", CHEATS);
  const before = known === undefined || isOther ? NO_HEAD : { root: fromBase64url(known.root), size: known.size };
  const { size } = checkpoint;
  const proof = before.size === 0 || size <= before.size ? [] : await continuation(link, policy, before.size, size);
  try {
    return advance(before, checkpoint, proof);
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    throw new MeshError(error.code, error.message, CHEATS, error);
  }
}

async function continuation(link: PortalLink, { origin }: LogPolicy, before: number, size: number): Promise<readonly Hash[]> {
  const octets = await link.readLog(origin, `consistency/${before}/${size}`);
  demand(octets !== undefined && octets.length <= MAX_PROOF, "portal-false-data", "The portal does not show that its log goes on.", CHEATS);
  return holdingPortalTo(async () => fromUtf8(octets).split("\n").slice(0, -1).map(readHash));
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
