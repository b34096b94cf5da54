import { canonicalBytes } from "../../../src/bytes/canonical-json.ts";
import { parseJson } from "../../../src/bytes/json.ts";
import { ordinal } from "../../../src/bytes/ordinal.ts";
import { loadCatalog, loadMesh } from "../../../src/client/known.ts";
import { digestOf, type Jws, readSigned } from "../../../src/envelope/signed.ts";
import { parseRow, shelf, type Stamped } from "../../../src/portal/records.ts";
import { loadWhole, type Whole } from "../../../src/portal/whole.ts";
import type { PortalAnswer } from "../../../src/portal/portal.ts";
import { at } from "../../../src/profiles/history.ts";
import { type Mesh, personalOf } from "../../../src/profiles/mesh.ts";
import { type Head, personalProfile } from "../../../src/profiles/personal.ts";
import { suspension } from "../../../src/profiles/suspension.ts";
import { compareVersions } from "../../../src/profiles/version.ts";
import type { ResponseOf } from "../../../src/protocol/command.ts";
import type { status } from "../../../src/protocol/profiles.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Face, Heard, Scene } from "./scene.ts";

type Told = ResponseOf<typeof status>;

/** The digests of profiles and suspensions in a write: what the portal takes upon itself by saying yes to it. */
export function acknowledgedIn({ command, content }: Heard): readonly string[] {
  if (command !== "Publish" && command !== "ConnectComplete") return [];
  const { parts = [] } = content as { readonly parts?: readonly { readonly kind: string; readonly object: Jws }[] };
  return parts.flatMap(({ kind, object }) => (kind === "personal" ? [readSigned(object, personalProfile).digest] : kind === "suspension" ? [readSigned(object, suspension).digest] : []));
}

/**
 * Whether what a portal tells in `Status` contradicts what it showed or acknowledged to this device before, or names as new what the
 * face behind it cannot show: what the device must notice before it takes anything.
 *
 * Where it tells exactly what the device knows already there is nothing to ask and nothing to notice, whichever face is behind it.
 * It reads the device's home and the portal's database, and shares no rule with the client.
 */
export async function isContradiction(scene: Scene, who: string, answer: PortalAnswer): Promise<boolean> {
  const told = toldBy(answer);
  if (told === undefined) return false;
  const face = scene.faceOf(who);
  const [home, view] = await Promise.all([homeOf(scene, who), viewOf(face, scene.master)]);
  if (home.mesh.history.length === 0 || view === undefined) return false;
  return isBehind(home, told) || contradictsProfiles(home.mesh, told, view) || forgets(scene.acknowledged.get(who), home.mesh, told, view) || (await contradictsCatalogs(home, told, face, view));
}

function toldBy({ body }: PortalAnswer): Told | undefined {
  try {
    return (parseJson(body, { maxBytes: 8 << 20 }) as { StatusResponse?: Told }).StatusResponse;
  } catch {
    return undefined;
  }
}

/** What a device holds true. */
export type Home = { readonly device: string; readonly mesh: Mesh; readonly catalogs: ReadonlyMap<string, { readonly index: number; readonly digest: string; readonly profileVersion: number }> };

/** Reads it. */
export async function homeOf(scene: Scene, who: string): Promise<Home> {
  const device = (await scene.selfOf(who))?.device ?? "";
  return scene.device(who).client.rows.read(async (rows) => {
    const mesh = await loadMesh(rows, scene.master as Mesh["id"]);
    const catalogs = new Map<string, { index: number; digest: string; profileVersion: number }>();
    const applications = mesh.history.length === 0 ? [] : personalOf(mesh).payload.applications;
    for (const { id } of applications) {
      const row = await loadCatalog(rows, id);
      if (row !== undefined) catalogs.set(id, { index: row.chain.index, digest: row.chain.digest, profileVersion: row.profile?.version ?? 0 });
    }
    return { device, mesh, catalogs };
  });
}

/** All that a face holds of the mesh. */
export function viewOf(face: Face, master: string): Promise<Whole | undefined> {
  return face.store.read((r) => loadWhole(r, master as Mesh["id"]));
}

function isBehind({ mesh }: Home, told: Told): boolean {
  return told.master.version < mesh.masters.length || compareVersions(told.personal, personalOf(mesh).payload) < 0 || told.suspensions < mesh.suspensions.length;
}

/** What is told as known already is what is known; what is told as new, the face has, and it follows what is known. */
function contradictsProfiles(mesh: Mesh, told: Told, view: Whole): boolean {
  const [master, personal] = [mesh.masters.at(-1), personalOf(mesh)];
  const falseMaster = told.master.version === mesh.masters.length ? told.master.digest !== master?.digest : view.masters[told.master.version - 1]?.digest !== told.master.digest || view.masters[mesh.masters.length - 1]?.digest !== master?.digest;
  const falsePersonal = compareVersions(told.personal, personal.payload) === 0 ? told.personal.digest !== personal.digest : at(view.history, told.personal)?.digest !== told.personal.digest || at(view.history, personal.payload)?.digest !== personal.digest;
  return falseMaster || falsePersonal || contradictsSuspensions(mesh.suspensions, told, view.suspensions);
}

/** The list that is told is the one known, or the one that the face has goes on from it. */
function contradictsSuspensions(known: Mesh["suspensions"], told: Told, there: Mesh["suspensions"]): boolean {
  const digests = (list: Mesh["suspensions"]) => list.map(({ object }) => object.digest);
  const whole = digests(told.suspensions > known.length ? there.slice(0, told.suspensions) : known);
  return whole.length !== told.suspensions || digests(known).some((digest, index) => whole[index] !== digest) || told.suspended !== digestOf(canonicalBytes(whole.slice(-256)));
}

/** What was acknowledged, and neither known from what was shown nor among what is told. */
function forgets(acknowledged: ReadonlySet<string> | undefined, mesh: Mesh, told: Told, view: Whole): boolean {
  const versions = [...mesh.history, ...view.history.filter(({ profile }) => compareVersions(profile.payload, told.personal) <= 0)];
  const suspensions = [...mesh.suspensions, ...view.suspensions.slice(0, told.suspensions)];
  const there = new Set<string>([...versions.map(({ profile }) => profile.digest), ...suspensions.map(({ object }) => object.digest)]);
  return [...(acknowledged ?? [])].some((digest) => !there.has(digest));
}

async function contradictsCatalogs({ device, mesh, catalogs }: Home, told: Told, face: Face, view: Whole): Promise<boolean> {
  const applications = (at(mesh.history, told.personal) ?? at(view.history, told.personal))?.payload.applications ?? [];
  for (const [id, known] of catalogs) {
    if (applications.find((one) => one.id === id)?.readers.includes(device as never) !== true) continue;
    const head = told.heads.find((one) => one.catalog === id);
    if (head === undefined || head.index < known.index) return true;
    if (head.index === known.index && head.digest !== known.digest) return true;
    if (head.index > known.index && ((await digestAt(face.store, view.id, id, known.index)) !== known.digest || (await digestAt(face.store, view.id, id, head.index)) !== head.digest)) return true;
    if (told.forgotten.some((one) => one.catalog === id && one.index > head.index)) return true;
    const named = told.applications.find((one) => one.id === id)?.version;
    if (named !== undefined && (named < known.profileVersion || (named > known.profileVersion && named !== view.applications.get(id)?.payload.version))) return true;
  }
  return false;
}

/** The digest of one commit of a catalog that a face holds. */
export async function digestAt(store: Store, master: string, catalog: string, index: number): Promise<string | undefined> {
  const octets = await store.read((r) => r.get(shelf.commits, `${master}/${catalog}/${ordinal(index)}`));
  return octets === undefined ? undefined : parseRow<Stamped>(octets).digest;
}

/** Whether a device holds evidence that the portal showed different things to different devices, by what a face shows now. */
export async function isEvidence(heads: readonly Head[], face: Face, master: string): Promise<boolean> {
  for (const head of heads) if ((await digestAt(face.store, master, head.catalog, head.index)) !== head.digest) return true;
  return false;
}
