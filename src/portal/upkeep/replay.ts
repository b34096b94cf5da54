import { authorityOf, type Chain, nextCommit } from "../../catalogs/chain.ts";
import { checkBody, commit as commitType } from "../../catalogs/commits.ts";
import type { Digest } from "../../envelope/fields.ts";
import { digestOf, type Signed, type Verified } from "../../envelope/signed.ts";
import { account as accountType } from "../../profiles/account.ts";
import { applicationProfile } from "../../profiles/application.ts";
import { countersignature } from "../../profiles/countersignature.ts";
import { type DeviceProfile, deviceProfile } from "../../profiles/device.ts";
import { at } from "../../profiles/history.ts";
import { masterProfile } from "../../profiles/master.ts";
import { emptyMesh, type Mesh, suspendedIn, withMaster, withPersonal, withSuspension } from "../../profiles/mesh.ts";
import { rosterOf } from "../../profiles/roster.ts";
import { suspension } from "../../profiles/suspension.ts";
import { correctApplication, verifyByAdministration, verifyByDevice, verifyDevice } from "../../profiles/validity.ts";
import type { MasterId } from "../../profiles/types.ts";
import { compareVersions } from "../../profiles/version.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import { type Release, release, trailOn } from "../../protocol/releases.ts";
import type { Reading } from "../../store/store.ts";
import { octetsOf } from "../draft.ts";
import { personalIn } from "../personals.ts";
import { getObject, type MeshRecord, parseRow, shelf, type Stamped } from "../records.ts";
import { type ReleaseRow, startsOf } from "../releases.ts";
import type { Trouble } from "./finding.ts";
import { rowsOf } from "./walk.ts";

/** What is wrong with one object of a mesh. */
export type Fault = { readonly what: Trouble; readonly where: string; readonly why: string };

/** A mesh judged anew from its objects, with what they make of heads and room. */
export type Replayed = { readonly mesh: Mesh; readonly octets: number; readonly chains: ReadonlyMap<string, Chain>; readonly blobs: ReadonlyMap<string, number> };

/** Tells a fault by its code, and goes on: what is damaged, and what was never true. */
async function faulted<T>(faults: Fault[], where: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    const what = error.code === "store-damaged" || error.code.endsWith("-malformed") ? "object-damaged" : error.code === "commit-wrong-body" ? "body-damaged" : "object-false";
    faults.push({ what, where, why: `${error.message} (${error.code})` });
    return undefined;
  }
}

/**
 * Judges everything of a mesh anew, each signature included, by the functions that judged it when it came.
 *
 * `undefined` with at least one fault when its profiles do not hold, since nothing else can be judged without them.
 */
export async function replay(reading: Reading, id: MasterId, record: MeshRecord, now: number, faults: Fault[]): Promise<Replayed | undefined> {
  const before = faults.length;
  const profiles = await faulted(faults, "profiles", () => profilesOf(reading, id));
  if (profiles === undefined) return undefined;
  let { octets } = profiles;
  const { mesh } = profiles;
  const { g, n } = mesh.history.at(-1)?.profile.payload ?? { g: 0, n: 0 };
  const lost = mesh.history.length === 0 || record.master > mesh.masters.length || compareVersions(record, { g, n }) > 0 || record.suspensions > mesh.suspensions.length;
  if (lost) faults.push({ what: "rows-missing", where: "profiles", why: `It had Master Profile ${record.master}, Personal Profile (${record.g}, ${record.n}) and ${record.suspensions} suspensions; there are ${mesh.masters.length}, (${g}, ${n}) and ${mesh.suspensions.length}.` });
  await faulted(faults, "account", () => checkAccount(reading, mesh, record));
  for await (const { key, value } of rowsOf(reading, shelf.applications, `${id}/`)) {
    const counted = await faulted(faults, `application ${key.slice(id.length + 1)}`, () => checkApplication(reading, mesh, key.slice(id.length + 1), parseRow<Stamped>(value).digest, now));
    octets += counted ?? 0;
  }
  const releases = await releasesIn(reading, mesh, faults);
  for (const { jws } of releases) octets += octetsOf(jws);
  // Of forgotten commits the digests are kept: those that the trails say.
  const trails = new Map<string, Digest>();
  // What comes before was forgotten, and was judged once more then.
  const chains = new Map<string, Chain>((await startsOf(reading, id)).map((start) => [start.catalog, start]));
  const starts = new Map(chains);
  const broken = new Set<string>();
  for await (const { key, value } of rowsOf(reading, shelf.commits, `${id}/`)) {
    const [, catalog = "", index = ""] = key.split("/");
    const { digest } = parseRow<Stamped>(value);
    const trail = trailOn(trails.get(catalog), digest);
    trails.set(catalog, trail);
    const other = releases.find(({ payload }) => payload.catalog === catalog && payload.snapshot.index === Number(index) && payload.trail !== trail);
    if (other !== undefined && !broken.has(catalog)) {
      faults.push({ what: "rows-missing", where: `catalog ${catalog}, up to commit ${Number(index)}`, why: "The digests of its commits are not those that a release names: rows were lost or changed." });
      broken.add(catalog);
    }
    if (broken.has(catalog) || Number(index) < (starts.get(catalog)?.index ?? 0)) continue;
    if (Number(index) === starts.get(catalog)?.index) {
      if (digest === starts.get(catalog)?.digest) continue;
      faults.push({ what: "object-false", where: `catalog ${catalog}`, why: "It begins with another commit than it says." });
      broken.add(catalog);
      continue;
    }
    const taken = await faulted(faults, `catalog ${catalog}, commit ${Number(index)}`, () => takeCommit(reading, mesh, chains.get(catalog), { catalog, index: Number(index), digest }, now));
    if (taken === undefined) broken.add(catalog);
    else chains.set(catalog, taken.chain);
    octets += taken?.octets ?? 0;
  }
  const blobs = new Map<string, number>();
  for await (const { key, value } of rowsOf(reading, shelf.blobs, `${id}/`)) {
    const digest = key.slice(id.length + 1);
    if (digestOf(value) !== digest) faults.push({ what: "body-damaged", where: `blob ${digest}`, why: "Its octets are not those that it is named by." });
    octets += value.length;
    blobs.set(digest, value.length);
  }
  return faults.length === before ? { mesh, octets, chains, blobs } : undefined;
}

async function profilesOf(reading: Reading, id: MasterId): Promise<{ readonly mesh: Mesh; readonly octets: number }> {
  let mesh = emptyMesh(id);
  let octets = 0;
  for await (const { value } of rowsOf(reading, shelf.masters, `${id}/`)) {
    const stamp = parseRow<Stamped & { countersignature?: string }>(value);
    const master = await getObject(reading, stamp.digest, masterProfile);
    mesh = await withMaster(mesh, master, stamp.countersignature === undefined ? undefined : await getObject(reading, stamp.countersignature, countersignature));
    octets += octetsOf(master.jws);
  }
  const suspensions: { readonly object: Awaited<ReturnType<typeof suspensionAt>>; readonly arrived: number }[] = [];
  for await (const { value } of rowsOf(reading, shelf.suspensions, `${id}/`)) {
    const { digest, arrived } = parseRow<Stamped>(value);
    suspensions.push({ object: await suspensionAt(reading, digest), arrived });
  }
  const take = async (due: (one: (typeof suspensions)[number]) => boolean): Promise<void> => {
    for (const one of suspensions) {
      if (!due(one)) return;
      if (mesh.suspensions.some((known) => known.object.digest === one.object.digest)) continue;
      mesh = await withSuspension(mesh, one.object, one.arrived);
      octets += octetsOf(one.object.jws);
    }
  };
  for await (const { value } of rowsOf(reading, shelf.personals, `${id}/`)) {
    const { arrived } = parseRow<Stamped>(value);
    const personal = await personalIn(reading, value);
    await take((one) => compareVersions(one.object.payload, personal.payload) < 0);
    const offered = new Map<string, Verified<DeviceProfile>>();
    for (const entry of personal.payload.devices) {
      const known = mesh.devices.get(entry.id);
      if (known === undefined) offered.set(entry.id, await verifyDevice(await getObject(reading, entry.digest, deviceProfile)));
    }
    mesh = await withPersonal(mesh, personal, offered, arrived);
    octets += octetsOf(personal.jws);
  }
  await take(() => true);
  return { mesh, octets };
}

function suspensionAt(reading: Reading, digest: string) {
  return getObject(reading, digest, suspension);
}

/** The account object is by an Administration Key of some version: those that it followed are not kept. */
async function checkAccount(reading: Reading, mesh: Mesh, record: MeshRecord): Promise<void> {
  const signed = await getObject(reading, record.account, accountType);
  const { master, address, status } = signed.payload;
  const told = master === mesh.id && address === record.address && (status === "open") === (record.closes === undefined);
  demand(told, "profile-wrong-id", "The account object is about another account, or says another state than the account has.");
  let last: unknown;
  for (const one of mesh.masters.toReversed()) {
    try {
      await verifyByAdministration(signed, rosterOf(one), "account");
      return;
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

async function checkApplication(reading: Reading, mesh: Mesh, id: string, digest: Digest, now: number): Promise<number> {
  const signed = await getObject(reading, digest, applicationProfile);
  const personal = at(mesh.history, signed.payload);
  const author = mesh.devices.get(signed.kid);
  const master = mesh.masters[signed.payload.g - 1];
  demand(personal !== undefined && author !== undefined && master !== undefined && signed.payload.id === id, "profile-wrong-signer", "This Application Profile is not by a device of this mesh, or of another application.");
  // The version before is not kept; that this one follows it was checked when it came.
  const { previous, version } = signed.payload;
  const before = version === 1 ? undefined : ({ digest: previous, payload: { version: version - 1 } } as never);
  await correctApplication(signed, personal, author, before, rosterOf(master), suspendedIn(mesh, now));
  return octetsOf(signed.jws);
}

async function takeCommit(reading: Reading, mesh: Mesh, before: Chain | undefined, named: { readonly catalog: string; readonly index: number; readonly digest: Digest }, now: number): Promise<{ readonly chain: Chain; readonly octets: number }> {
  const signed = await getObject(reading, named.digest, commitType);
  demand(named.index === (before?.index ?? 0) + 1, "store-damaged", `Commit ${(before?.index ?? 0) + 1} is missing from the portal's database.`);
  const { chain } = await nextCommit(before, signed, authorityOf(mesh, now));
  demand(chain.catalog === named.catalog && chain.index === named.index, "commit-out-of-order", "This commit stands in the place of another.");
  const body = signed.payload.kind === "entries" ? await reading.get(shelf.bodies, signed.payload.digest) : undefined;
  checkBody(signed.payload, body);
  return { chain, octets: octetsOf(signed.jws) + bodyOctets(body?.length ?? 0) };
}

/** What ciphertext counts for that came beside a commit: as sent, base64url without padding. */
export function bodyOctets(octets: number): number {
  return Math.ceil((octets * 4) / 3);
}

/** The releases, each by the device and about the catalog that it stands under. */
async function releasesIn(reading: Reading, mesh: Mesh, faults: Fault[]): Promise<readonly Signed<Release>[]> {
  const all: Signed<Release>[] = [];
  for await (const { key, value } of rowsOf(reading, shelf.releases, `${mesh.id}/`)) {
    const one = await faulted(faults, `release ${key.slice(mesh.id.length + 1)}`, async () => {
      const signed = await getObject(reading, parseRow<ReleaseRow>(value).digest, release);
      const { catalog, index, master, snapshot } = signed.payload;
      const author = mesh.devices.get(signed.kid);
      demand(author !== undefined && key === `${mesh.id}/${catalog}/${author.payload.id}` && master === mesh.id, "profile-wrong-signer", "This release is by another device, or about another catalog.");
      demand(index <= snapshot.index, "commit-out-of-order", "This release lets commits go that its snapshot does not have.");
      await verifyByDevice(signed, author);
      return signed;
    });
    if (one !== undefined) all.push(one);
  }
  return all;
}
