import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import { checkCurrencyProof } from "../notary/currency.ts";
import type { Closing } from "../notary/evidence.ts";
import { advance, type LogHead, NO_HEAD } from "../notary/log-head.ts";
import { logNumber, type LogPolicy, policyOf, trustCheckpoint } from "../notary/log-policy.ts";
import { closingOf, forkEvidence, rollbackEvidence } from "../notary/make-evidence.ts";
import type { MapKind } from "../notary/map.ts";
import { writeNote } from "../notary/note.ts";
import { readTlogProof } from "../notary/tlog-proof.ts";
import type { Mesh } from "../profiles/mesh.ts";
import type { MasterId } from "../profiles/types.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { accuse, Accusation, type Accused, CHEATS, tilesOf, withKept } from "./accuse.ts";
import { holdingPortalTo } from "./blame.ts";
import { checkNewest, checkSuspensions } from "./check-current.ts";
import { openCatalogs } from "./check-openings.ts";
import { checkReceipts, type Shown } from "./check-receipts.ts";
import type { Client } from "./client.ts";
import { readHashes } from "./log-hashes.ts";
import type { PortalLink, Requester } from "./portal-link.ts";
import type { RowsReading } from "./rows.ts";
import type { Synced } from "./synced.ts";

/** The largest head of its portal's log that a home trusts, as it was signed, and the time of its last epoch; `current`: the version of this mesh that was proved to be the newest, and as of when. */
export type LogRow = { readonly current?: { readonly digest: string; readonly time: number }; readonly origin: string; readonly size: number; readonly root: string; readonly time: number; readonly checkpoint: string; /** What the checkpoint closes. */ readonly closing?: Closing };

/** A proof costs as much as an edit: of suspensions one is asked for when there are others than before, and once an hour. */
const SUSPENSIONS_MS = 3_600_000;

type SuspensionsRow = { readonly origin: string; readonly count: number; readonly at: number };

/** The head that is kept. */
export function logRowOf(rows: RowsReading): Promise<LogRow | undefined> {
  return rows.get<LogRow>("log", "head");
}

/** A log that a portal ended, where this home saw it last, and the one that it began instead; `told` once its owner was told. */
export type EndedRow = LogRow & { readonly next: string; readonly restored: number | undefined; readonly told: boolean };

/** The mesh as it was just shown, by which portal, and when by its clock; `requester` is the device of the mesh that asks, where it is one. */
type Followed = Pick<Synced, "link" | "mesh" | "now"> & { readonly requester?: Requester };

/**
 * Holds a portal to its log (`docs/spec/log.md` 7.3): that the log goes on from where this home saw it last, and that what it has as the newest of this mesh
 * is what this device was shown, and has itself.
 *
 * `portal-older-log`, `portal-forked-log`, `portal-missing-entry`, `portal-wrong-entry`, `portal-older-profile`, and of a device of the mesh those of {@link checkReceipts} and {@link openCatalogs}; a portal that never had a log is held to none. Says how many
 * sealed entries it opened besides those of receipts; `openNow` does not wait for their hour.
 */
export async function followLog(client: Client, { link, mesh, now, requester }: Followed, openNow = false): Promise<number> {
  const known = await client.rows.read(logRowOf);
  const { policy, shown } = await newestOf(link, mesh, now);
  demand(policy !== undefined || known === undefined, "portal-older-log", "The portal has no log any more.", CHEATS);
  if (policy === undefined) return 0;
  if (shown === undefined) {
    demand(known === undefined, "portal-older-log", "The portal's log is empty where it was not.", CHEATS);
    checkNewest(mesh, undefined, now);
    return 0;
  }
  const { currency } = shown;
  const accused: Accused = { client, link, policy };
  let row = rowOf(await goneOn(accused, known, shown), policy, shown);
  if (requester !== undefined) await checkReceipts({ ...accused, requester }, shown, mesh, now);
  checkNewest(mesh, currency, now);
  let asked = await askedOf(client, policy, mesh, now);
  if (asked !== undefined) {
    const asOf = (await provenBy(link, "suspensions", mesh, now)).shown;
    const suspensions = asOf?.currency;
    demand(asOf !== undefined && suspensions?.label.kind === "suspensions" && suspensions.label.id === mesh.id, "portal-false-data", "The portal proved what is current of somebody else.", CHEATS);
    row = rowOf(await goneOn(accused, row, asOf), policy, asOf);
    // What came or was taken just now is looked at again.
    if (!checkSuspensions(mesh, suspensions, now)) asked = undefined;
  }
  const opened = requester === undefined ? 0 : await openCatalogs({ ...accused, requester }, currency, mesh, known?.origin === policy.origin ? known.size : 0, now, openNow);
  await client.rows.transact(async (rows) => {
    const meanwhile = await logRowOf(rows);
    // Another command of this device may have seen more of it.
    if (meanwhile?.checkpoint !== known?.checkpoint) return;
    const { digest } = currency.value ?? {};
    await rows.put("log", "head", "", { ...row, ...(digest === undefined ? {} : { current: { digest: toBase64url(digest), time: currency.epoch.t } }) } satisfies LogRow);
    if (asked !== undefined) await rows.put("log", "suspensions", "", asked);
    if (known !== undefined && known.origin !== row.origin) await rows.put("log", "ended", "", { ...known, next: row.origin, restored: link.profile.payload.restored?.at, told: false } satisfies EndedRow);
  });
  return opened;
}

function rowOf({ root, size }: LogHead, { origin }: LogPolicy, shown: Shown): LogRow {
  const { checkpoint, epoch } = shown.currency;
  return { closing: closingIn(shown), checkpoint: fromUtf8(writeNote(checkpoint.note)), origin, root: toBase64url(root), size, time: epoch.t };
}

/** What the checkpoint of a proof closes. */
function closingIn({ currency, proof }: Shown): Closing {
  return closingOf(currency.epoch, readTlogProof(proof).path);
}

/** How many suspensions the log was found to have, and when; what is to be kept once they are asked for again, undefined while that need not be. */
async function askedOf(client: Client, { origin }: LogPolicy, mesh: Mesh, now: number): Promise<SuspensionsRow | undefined> {
  const before = await client.rows.read((rows) => rows.get<SuspensionsRow>("log", "suspensions"));
  const count = mesh.suspensions.length;
  const same = before?.origin === origin && before.count === count && Math.abs(now - before.at) < SUSPENSIONS_MS;
  return same ? undefined : { at: now, count, origin };
}

/**
 * The error to tell when what a portal shows is refused: with evidence, where its log gives it away as well. A portal that went back may have signed since.
 *
 * Whatever ails the log besides is told once the rest is in order.
 */
export async function unlessConvicted(client: Client, link: PortalLink, master: MasterId, error: unknown): Promise<unknown> {
  if (!(error instanceof MeshError) || !error.code.startsWith("portal-") || client.keepEvidence === undefined) return error;
  const known = await client.rows.read(logRowOf);
  if (known === undefined) return error;
  try {
    const { policy, shown } = await provenBy(link, "personal", { id: master }, client.now());
    if (policy !== undefined && shown !== undefined) await goneOn({ client, link, policy }, known, shown);
  } catch (other) {
    if (!(other instanceof MeshError)) throw other;
    if (other instanceof Accusation && other.kept !== undefined) return new MeshError(error.code, error.message, withKept(error.hint ?? CHEATS, other.kept), error);
  }
  return error;
}

type Found = { readonly policy: LogPolicy | undefined; readonly shown: Shown | undefined };

/** What the portal proves of a mesh by the log that its profile names last; where that does not do, it may have a newer profile, which names another log. */
async function newestOf(link: PortalLink, mesh: Mesh, now: number): Promise<Found> {
  const found = await provenBy(link, "personal", mesh, now).catch((error: unknown) => {
    if (error instanceof MeshError && error.code === "portal-false-data") return error;
    throw error;
  });
  if (!(found instanceof MeshError) && found.shown !== undefined) return found;
  if (await link.renew()) return provenBy(link, "personal", mesh, now);
  if (found instanceof MeshError) throw found;
  return found;
}

async function provenBy(link: PortalLink, kind: MapKind, mesh: Pick<Mesh, "id">, now: number): Promise<Found> {
  const { logKeys } = link.profile.payload;
  if (logKeys.length === 0) return { policy: undefined, shown: undefined };
  return holdingPortalTo(async () => {
    const policy = policyOf(logKeys);
    const proof = await link.readLog(policy.origin, `current/${kind}/${mesh.id}`);
    return { policy, shown: proof === undefined ? undefined : { currency: checkCurrencyProof(proof, policy, now / 1000), proof } };
  });
}

/** The log's head now, which must continue the one that is known; another log must be a later one. */
async function goneOn(accused: Accused, known: LogRow | undefined, shown: Shown): Promise<LogHead> {
  const { link, policy } = accused;
  const isOther = known !== undefined && known.origin !== policy.origin;
  demand(!isOther || (logNumber(policy.origin) ?? 0) > (logNumber(known.origin) ?? 0), "portal-older-log", "The portal shows a log that it had ended.", CHEATS);
  const before = known === undefined || isOther ? NO_HEAD : { root: fromBase64url(known.root), size: known.size };
  const { checkpoint } = shown.currency;
  const { size } = checkpoint;
  const proof = before.size === 0 || size <= before.size ? [] : await readHashes(link, policy, `consistency/${before.size}/${size}`);
  try {
    return advance(before, checkpoint, proof);
  } catch (error) {
    if (!(error instanceof MeshError) || known === undefined) throw error;
    return accuse(accused, error.code, error.message, async () => {
      const earlier = trustCheckpoint(utf8(known.checkpoint), policy, 0);
      return size < known.size ? rollbackEvidence(earlier, checkpoint, known.closing, closingIn(shown)) : forkEvidence(earlier, { checkpoint, read: tilesOf(accused, size) });
    });
  }
}
