import type { Chain } from "../catalogs/chain.ts";
import type { Digest } from "../envelope/fields.ts";
import type { Keyed } from "../envelope/keyed.ts";
import { type Jws, readSigned } from "../envelope/signed.ts";
import { deviceProfile } from "../profiles/device.ts";
import { masterProfile } from "../profiles/master.ts";
import { emptyMesh, type Mesh } from "../profiles/mesh.ts";
import { suspension } from "../profiles/suspension.ts";
import { type Head, type PersonalProfile, personalProfile } from "../profiles/personal.ts";
import type { ApplicationId, MasterId } from "../profiles/types.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";

type StampedRow = { readonly object: Jws; readonly arrived: number };
type ObjectRow = { readonly object: Jws };

/** What a home keeps of one epoch: what its key must be, the key of an epoch before under it, and the key once this device has it; `flawed` if from that key the one before does not follow. */
export type EpochRow = { readonly flawed?: true; readonly commitment: string; readonly previousEpoch?: number; readonly previousKey?: Keyed; readonly key?: string };

/** The Application Profile of a catalog as somebody knew it: its version and digest, and the Personal Profile (g, n) before which no later one is signed; `wrong` if it does not say what the catalog is for. */
export type KnownProfile = { readonly digest: Digest; readonly version: number; readonly g: number; readonly n: number; readonly wrong?: true };

/** What a home keeps of a catalog besides its entries; `grown` is about how many octets its chain has grown since this device wrote its state down for others. */
export type CatalogRow = { readonly chain: Chain; readonly epochs: Readonly<Record<string, EpochRow>>; readonly type?: string; readonly profile?: KnownProfile; readonly grown?: number };

/**
 * Reads the mesh as this home last knew it: its high-water marks (decision 4.2).
 *
 * Each object was judged when it arrived; at home it lies in rows sealed under the keyring, whose authentication stands
 * for that judgement. Nothing else makes these stages of trust out of stored octets.
 */
export async function loadMesh(rows: RowsReading, id: MasterId): Promise<Mesh> {
  const stamped = async (shelf: string) => (await rows.list<StampedRow>(shelf, id)).map((one) => one.row);
  const masters = (await rows.list<ObjectRow>("masters", id)).map(({ row }) => readSigned(row.object, masterProfile) as Mesh["masters"][number]);
  const history = (await stamped("personals")).map((row) => ({ arrived: row.arrived, profile: readSigned(row.object, personalProfile) as Mesh["history"][number]["profile"] }));
  const suspensions = (await stamped("suspensions")).map((row) => ({ arrived: row.arrived, object: readSigned(row.object, suspension) as Mesh["suspensions"][number]["object"] }));
  const devices = new Map((await rows.list<ObjectRow>("devices", id)).map(({ row }) => readSigned(row.object, deviceProfile) as Mesh["devices"] extends ReadonlyMap<string, infer D> ? D : never).map((device) => [device.payload.id as string, device]));
  return { ...emptyMesh(id), masters, history, devices, suspensions };
}

/** Writes what a mesh has more than before; versions once known are never rewritten. */
export async function saveMesh(rows: RowsWriting, before: Mesh, mesh: Mesh): Promise<void> {
  for (const [index, master] of mesh.masters.entries()) if (index >= before.masters.length) await rows.put("masters", mesh.id, index + 1, { object: master.jws });
  for (const [index, { profile, arrived }] of mesh.history.entries()) if (index >= before.history.length) await rows.put("personals", mesh.id, index + 1, { arrived, object: profile.jws });
  for (const [index, { object, arrived }] of mesh.suspensions.entries()) if (index >= before.suspensions.length) await rows.put("suspensions", mesh.id, index + 1, { arrived, object: object.jws });
  for (const [id, device] of mesh.devices) if (before.devices.get(id) !== device) await rows.put("devices", mesh.id, id, { object: device.jws });
}

/** What a home keeps of a catalog. */
export async function loadCatalog(rows: RowsReading, catalog: string): Promise<CatalogRow | undefined> {
  return rows.get<CatalogRow>("catalogs", catalog);
}

/** What a home keeps of the catalogs of some applications; those that it does not know are absent. */
export async function loadCatalogs(rows: RowsReading, applications: PersonalProfile["applications"]): Promise<ReadonlyMap<ApplicationId, CatalogRow>> {
  const known = new Map<ApplicationId, CatalogRow>();
  for (const { id } of applications) {
    const row = await loadCatalog(rows, id);
    if (row !== undefined) known.set(id, row);
  }
  return known;
}

/** The heads of catalogs as this home knows them. */
export async function loadHeads(rows: RowsReading, applications: PersonalProfile["applications"]): Promise<Head[]> {
  return [...(await loadCatalogs(rows, applications))].map(([id, { chain, profile }]) => headOf(id, chain, profile));
}

/** A catalog's head as this home names it to others. */
export function headOf(catalog: ApplicationId, { digest, index }: Chain, profile: KnownProfile | undefined): Head {
  return { catalog, digest, index, ...(profile === undefined ? {} : { profile: { digest: profile.digest, version: profile.version } }) };
}
