import { authorityOf, type Chain, nextCommit } from "../../catalogs/chain.ts";
import { correctSnapshot } from "../../catalogs/snapshot.ts";
import { readSigned, type Signed } from "../../envelope/signed.ts";
import type { Account } from "../../profiles/account.ts";
import type { ApplicationProfile } from "../../profiles/application.ts";
import { deviceProfile } from "../../profiles/device.ts";
import { at } from "../../profiles/history.ts";
import { masterOf, type Mesh, suspendedIn } from "../../profiles/mesh.ts";
import { applicationEntry, deviceEntry } from "../../profiles/personal.ts";
import { type Roster, rosterOf } from "../../profiles/roster.ts";
import type { Correct } from "../../profiles/stages.ts";
import { isSuspended } from "../../profiles/suspension.ts";
import { correctAccount, correctAnswer, correctApplication, correctPinNotice, correctPortal, verifyByDevice, verifyDevice } from "../../profiles/validity.ts";
import type { Version } from "../../profiles/version.ts";
import { demand } from "../../refusals/mesh-error.ts";
import { type ByDigest, chainTo } from "./lacking.ts";
import type { Assembled } from "./meshes.ts";
import type { Release } from "../../protocol/releases.ts";
import type { Read } from "./kinds.ts";

/** What was not given and is needed to judge, in words; undefined if nothing is: then the object is Correct. */
export type Lacking = string | undefined;

const NOW = 0;

/**
 * Whether an object is Correct by all others (draft §5, §5.4): whoever signed it was entitled to, and it is in its place.
 *
 * Says what is lacking where that cannot be told, and throws the refusal where it is not so. Times at which objects arrived
 * are not in them: what depends on these, contested suspensions and late overrides, counts as if all had come at once.
 */
export async function judge(object: Read, { meshes, refused }: Assembled, known: ByDigest): Promise<Lacking> {
  const refusal = refused.get(object.signed.digest);
  if (refusal !== undefined) throw refusal;
  switch (object.kind) {
    // These are in their place in a mesh, or were refused there.
    case "Master Profile":
    case "Personal Profile":
    case "suspension":
      return undefined;
    case "Device Profile": {
      const { digest, payload } = object.signed;
      const listed = [...meshes.values()].some((mesh) => mesh.history.some(({ profile }) => deviceEntry(profile.payload, payload.id)?.digest === digest));
      return listed ? undefined : "a Personal Profile that lists this device";
    }
    case "Portal Profile":
      return void (await correctPortal(object.signed, undefined));
    case "countersignature":
      return "the object that it consents to, by which it is judged";
    case "connection request": {
      const device = await verifyDevice(readSigned(object.signed.payload.device, deviceProfile));
      return void (await verifyByDevice(object.signed, device as Correct<typeof device.payload>));
    }
    case "connection answer":
      return withMesh(object.signed.payload.master, meshes, async (mesh) => {
        const master = mesh.masters[object.signed.payload.g - 1];
        if (master === undefined) return `version ${object.signed.payload.g} of the Master Profile`;
        return void (await correctAnswer(object.signed, rosterOf(master), suspendedIn(mesh, NOW)));
      });
    case "PIN notice":
      return withMesh(object.signed.payload.master, meshes, async (mesh) => void (await correctPinNotice(object.signed, rosterOf(masterOf(mesh)), suspendedIn(mesh, NOW))));
    case "account":
      return withMesh(object.signed.payload.master, meshes, async (mesh) => {
        let before: Correct<Account> | undefined;
        for (const one of chainTo(object.kind, object.signed, known)) before = await correctAccount(one, rosterFor(one, object, mesh), before, suspendedIn(mesh, NOW));
        return undefined;
      });
    case "blob drop":
      return withMesh(object.signed.payload.master, meshes, async (mesh) => {
        const device = mesh.devices.get(object.signed.kid);
        demand(device !== undefined, "profile-wrong-signer", "The signer of this blob drop is no device of its mesh.");
        return void (await verifyByDevice(object.signed, device));
      });
    case "release":
      return withMesh(object.signed.payload.master, meshes, (mesh) => releaseOf(object.signed, mesh));
    case "snapshot": {
      const { catalog, g, n } = object.signed.payload;
      const mesh = meshWith(catalog, { g, n }, meshes);
      return mesh === undefined ? `Personal Profile (${g}, ${n}), which lists this catalog` : void (await correctSnapshot(object.signed, authorityOf(mesh, NOW)));
    }
    case "Application Profile":
      return application(object.signed, meshes, known);
    case "commit":
      return commit(object.signed, meshes, known);
  }
}

async function releaseOf(signed: Signed<Release>, mesh: Mesh): Promise<Lacking> {
  const { catalog, g, n } = signed.payload;
  const personal = at(mesh.history, { g, n });
  if (personal === undefined) return `Personal Profile (${g}, ${n})`;
  const device = mesh.devices.get(signed.kid);
  const administers = device !== undefined && applicationEntry(personal.payload, catalog)?.administrators.includes(device.payload.id) === true;
  demand(administers, "profile-wrong-signer", "The signer of this release does not administer its catalog.");
  demand(!isSuspended(suspendedIn(mesh, NOW), signed.kid, rosterOf(masterOf(mesh)), signed.payload), "signer-suspended", "The signer of this release was suspended before.");
  return void (await verifyByDevice(signed, device));
}

async function withMesh(master: string, meshes: Assembled["meshes"], work: (mesh: Mesh) => Promise<Lacking>): Promise<Lacking> {
  const mesh = meshes.get(master);
  return mesh === undefined || mesh.masters.length === 0 ? "the Master Profile" : work(mesh);
}

/** An account says nothing of the version of the Master Profile that it was signed under: the last one counts now, and for what came before it any. */
function rosterFor(one: Signed<Account>, last: Read, mesh: Mesh): Roster {
  const rosters = mesh.masters.map((master) => rosterOf(master));
  const then = rosters.findLast(({ administrators }) => administrators.some(({ key }) => key === one.kid));
  return one.digest === last.signed.digest ? rosterOf(masterOf(mesh)) : (then ?? rosterOf(masterOf(mesh)));
}

/** The mesh in one version of which an application is listed: neither an Application Profile nor a commit says whose it is. */
function meshWith(application: string, version: Version, meshes: Assembled["meshes"]): Mesh | undefined {
  return [...meshes.values()].find((mesh) => applicationEntry(at(mesh.history, version)?.payload ?? { applications: [] }, application) !== undefined);
}

async function application(signed: Signed<ApplicationProfile>, meshes: Assembled["meshes"], known: ByDigest): Promise<Lacking> {
  let before: Correct<ApplicationProfile> | undefined;
  for (const one of chainTo("Application Profile", signed, known)) {
    const { g, id, n } = one.payload;
    const mesh = meshWith(id, { g, n }, meshes);
    const personal = mesh === undefined ? undefined : at(mesh.history, { g, n });
    if (mesh === undefined || personal === undefined) return `Personal Profile (${g}, ${n}), which lists this application`;
    const device = mesh.devices.get(one.kid);
    demand(device !== undefined, "profile-wrong-signer", "The signer of this Application Profile is no device of its mesh.");
    before = await correctApplication(one, personal, device, before, rosterOf(masterOf(mesh)), suspendedIn(mesh, NOW));
  }
  return undefined;
}

async function commit(signed: Extract<Read, { kind: "commit" }>["signed"], meshes: Assembled["meshes"], known: ByDigest): Promise<Lacking> {
  const { catalog, g, n } = signed.payload;
  const mesh = meshWith(catalog, { g, n }, meshes);
  if (mesh === undefined) return `Personal Profile (${g}, ${n}), which lists this catalog`;
  const authority = authorityOf(mesh, NOW);
  let chain: Chain | undefined;
  for (const one of chainTo("commit", signed, known)) ({ chain } = await nextCommit(chain, one, authority));
  return undefined;
}
