import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { fromUtf8 } from "../bytes/text.ts";
import { readSigned } from "../envelope/signed.ts";
import { checkCurrencyProof, type Currency } from "../notary/currency.ts";
import { advance, type LogHead, NO_HEAD } from "../notary/log-head.ts";
import { type LogPolicy, policyOf } from "../notary/log-policy.ts";
import { writeNote } from "../notary/note.ts";
import { consistencyProof } from "../notary/prove.ts";
import { PROMISE_MS } from "../notary/receipt.ts";
import { tilePath } from "../notary/tiles.ts";
import type { Mesh } from "../profiles/mesh.ts";
import { portalProfile } from "../profiles/portal.ts";
import { correctPortal } from "../profiles/validity.ts";
import { compareVersions } from "../profiles/version.ts";
import { hello } from "../protocol/hello.ts";
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

const CHEATS = "Nothing here was changed. It was restored from a backup or it cheats: ask its operator, and do not rely on what it says.";

/**
 * Holds a portal to its log (`docs/spec/log.md` 7.3): that the log goes on from where this home saw it last, and that what it has as the newest of this mesh
 * is what this device was shown, and has itself.
 *
 * `portal-older-log`, `portal-forked-log`, `portal-missing-entry`, `portal-wrong-entry`, `portal-older-profile`; a portal that never had a log is held to none.
 */
export async function followLog(client: Client, { answer, link, mesh, self }: Pick<Synced, "answer" | "link" | "mesh" | "self">): Promise<void> {
  const known = await client.rows.read(logRowOf);
  const { logKeys } = link.profile.payload;
  demand(logKeys.length > 0 || known === undefined, "portal-older-log", "The portal has no log any more.", CHEATS);
  if (logKeys.length === 0) return;
  const now = answer.now;
  const { policy, currency } = await holdingPortalTo(async () => {
    const policy = policyOf(logKeys);
    const proof = await link.readLog(policy.origin, `current/personal/${mesh.id}`);
    return { policy, currency: proof === undefined ? undefined : checkCurrencyProof(proof, policy, now / 1000) };
  });
  if (currency === undefined) {
    demand(known === undefined, "portal-older-log", "The portal's log is empty where it was not.", CHEATS);
    return checkNewest(mesh, undefined, now);
  }
  const head = await goneOn(link, policy, known, currency, self.portal.id);
  checkNewest(mesh, currency, now);
  const row: LogRow = { checkpoint: fromUtf8(writeNote(currency.checkpoint.note)), origin: policy.origin, root: toBase64url(head.root), size: head.size, time: currency.epoch.t };
  await client.rows.transact(async (rows) => {
    const meanwhile = await logRowOf(rows);
    // Another command of this device may have seen more of it.
    if (meanwhile?.checkpoint === known?.checkpoint) await rows.put("log", "head", "", row);
  });
}

/** The log's head now, which must continue the one that is known, unless the portal says under its identity key that it was restored since. */
async function goneOn(link: PortalLink, policy: LogPolicy, known: LogRow | undefined, { checkpoint }: Currency, pin: string): Promise<LogHead> {
  const before = known === undefined || known.origin !== policy.origin ? NO_HEAD : { root: fromBase64url(known.root), size: known.size };
  const { size } = checkpoint;
  const proof = before.size === 0 || size <= before.size ? [] : await holdingPortalTo(() => consistencyProof((name) => tileFrom(link, policy, tilePath(name)), before.size, size));
  try {
    return advance(before, checkpoint, proof);
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    const { restored } = (await holdingPortalTo(async () => correctPortal(readSigned((await link.ask(hello, {})).portal, portalProfile), pin))).payload;
    // What this device lost by that, it was told when it asked for it.
    if (restored !== undefined && known !== undefined && restored.at >= known.time) return advance(NO_HEAD, checkpoint, []);
    throw new MeshError(error.code, error.message, CHEATS, error);
  }
}

async function tileFrom(link: PortalLink, { origin }: LogPolicy, path: string): Promise<Uint8Array> {
  const octets = await link.readLog(origin, path);
  demand(octets !== undefined, "portal-false-data", "The portal does not show a part of its log that it signed.", CHEATS);
  return octets;
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
