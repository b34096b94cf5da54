import { type ApplicationType, applications } from "../applications/index.ts";
import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { wipe } from "../bytes/equal.ts";
import { contribute, isContribution } from "../crypto/co-generation.ts";
import type { Share } from "../profiles/application.ts";
import { type Mesh, personalOf } from "../profiles/mesh.ts";
import { applicationEntry } from "../profiles/personal.ts";
import { demand } from "../refusals/mesh-error.ts";
import { catalogOf } from "./catalog.ts";
import { type Client, memberSelf } from "./client.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";

/** What a home keeps of the shares of an application's devices: those of a version of its profile; `sound` once an administrator found that each holds. */
export type SharesRow = { readonly version: number; readonly shares: readonly Share[]; readonly sound?: true };

/** The shares of an application's devices as this home knows them. */
export async function sharesOf(rows: RowsReading, catalog: string): Promise<SharesRow | undefined> {
  return rows.get<SharesRow>("shares", catalog);
}

export async function saveShares(rows: RowsWriting, catalog: string, row: SharesRow): Promise<void> {
  await rows.put("shares", catalog, "", row);
}

/**
 * The shares that an application's devices should have (decision 5.5): one for each that reads it, with the contribution it had if that holds, else a new one.
 *
 * Undefined where they are as they should be.
 */
export async function dueShares(mesh: Mesh, catalog: string, type: string, known: SharesRow | undefined): Promise<readonly Share[] | undefined> {
  if (!applications.some((one) => one.type === type && one.coGenerated)) return undefined;
  const before = known?.shares ?? [];
  const bases = basesOf(mesh, catalog, type);
  const lacking = bases.some(({ device }) => !before.some((share) => share.device === device));
  if (known?.sound === true && !lacking && before.length === bases.length) return undefined;
  const shares: Share[] = [];
  for (const { device, pub } of bases) {
    const had = before.find((share) => share.device === device);
    const base = fromBase64url(pub);
    const holds = had !== undefined && (await isContribution(base, { publicKey: fromBase64url(had.pub), scalar: fromBase64url(had.contribution) }));
    shares.push(holds ? had : await newShare(device, base));
  }
  return shares;
}

async function newShare(device: Share["device"], base: Uint8Array): Promise<Share> {
  const { publicKey, scalar } = await contribute(base);
  const share = { contribution: toBase64url(scalar), device, pub: toBase64url(publicKey) };
  wipe(scalar);
  return share;
}

/** The devices that read an application and have a base key for it. */
function basesOf(mesh: Mesh, catalog: string, type: string): readonly { readonly device: Share["device"]; readonly pub: string }[] {
  const readers = applicationEntry(personalOf(mesh).payload, catalog)?.readers ?? [];
  return readers.flatMap((device) => (mesh.devices.get(device)?.payload.baseKeys ?? []).filter((key) => key.application === type).map(({ pub }) => ({ device, pub })));
}

/** A key of this device for an application: 32 octets of Ed25519, and what signs with it. */
export type OwnKey = { readonly publicKey: Uint8Array; sign(message: Uint8Array): Promise<Uint8Array> };

/**
 * This device's own key for an application, made of its base key and the contribution; to sign throws `key-malformed` where the two do not give it.
 * @throws MeshError `catalog-missing` where the application is not set up, `share-missing` where no administrator has contributed yet
 */
export async function ownKeyOf(client: Client, type: ApplicationType): Promise<OwnKey> {
  const self = await memberSelf(client);
  const row = await client.rows.read(async (rows) => sharesOf(rows, await catalogOf(rows, type)));
  const share = row?.shares.find((one) => one.device === self.device);
  demand(share !== undefined, "share-missing", "No administration device has made this device's key with it yet.", "Run `mesh sync` on an administration device, then here.");
  const publicKey = fromBase64url(share.pub);
  const added = { contribution: fromBase64url(share.contribution), publicKey };
  return { publicKey, sign: (message) => client.keyring.signAdded(`base-${type}-${self.device}`, added, message) };
}
