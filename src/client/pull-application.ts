import { fromBase64url } from "../bytes/base64url.ts";
import { parseCanonical } from "../bytes/json.ts";
import { openKeyed } from "../envelope/keyed.ts";
import { readShape } from "../envelope/shape.ts";
import { readSigned, type Signed } from "../envelope/signed.ts";
import { type ApplicationPrivate, applicationPrivateShape, type ApplicationProfile, applicationProfile, applicationPurpose } from "../profiles/application.ts";
import { at } from "../profiles/history.ts";
import { type Mesh, masterOf, suspendedIn } from "../profiles/mesh.ts";
import type { Head } from "../profiles/personal.ts";
import { rosterOf } from "../profiles/roster.ts";
import { correctApplication } from "../profiles/validity.ts";
import { isAfter } from "../profiles/version.ts";
import type { ResponseOf } from "../protocol/command.ts";
import { getProfiles, type status } from "../protocol/profiles.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import type { Client } from "./client.ts";
import { type CatalogRow, type KnownProfile, loadCatalog } from "./known.ts";
import type { PortalLink, Requester } from "./portal-link.ts";
import { saveShares } from "./shares.ts";

/** A head, and the Personal Profile (g, n) whose signer knew it. */
export type NamedHead = Head & { readonly g: number; readonly n: number };

/** Takes a newer Application Profile and learns from its private part what the catalog is for. */
export async function pullApplication(client: Client, link: PortalLink, requester: Requester, mesh: Mesh, id: string, row: CatalogRow, answer: ResponseOf<typeof status>, heads: readonly NamedHead[]): Promise<void> {
  const named = answer.applications.find((one) => one.id === id);
  if (named === undefined) return;
  const seen = [row.profile, ...heads.filter((head) => head.catalog === id).map(({ g, n, profile }) => (profile === undefined ? undefined : { ...profile, g, n }))].filter((one) => one !== undefined);
  demand(seen.every((one) => one.version <= named.version), "portal-older-profile", "The portal shows an older Application Profile than this device, or another of yours, has seen.", "It was restored from a backup or it cheats; ask its operator.");
  // One that did not open is asked for again: the key may have come since.
  if (row.profile?.version === named.version && row.type !== undefined && row.profile.wrong !== true) return;
  const { applications } = await link.call(requester, getProfiles, { applications: [named.id], devices: [], mastersAfter: mesh.masters.length, personalsAfter: { g: Number.MAX_SAFE_INTEGER, n: 0 }, suspensionsAfter: mesh.suspensions.length });
  const sent = applications[0];
  demand(sent !== undefined, "portal-missing-profile", "The portal names an Application Profile but does not show it.", "It is broken or it cheats; ask its operator.");
  const signed = readSigned(sent, applicationProfile);
  const { version } = signed.payload;
  const personal = at(mesh.history, signed.payload);
  // Published since the portal named one, under a version of the mesh that comes with the next sync: so does this one.
  if (personal === undefined && version > named.version) return;
  const author = mesh.devices.get(signed.kid);
  demand(signed.payload.id === named.id && version >= named.version && personal !== undefined && author !== undefined, "profile-wrong-signer", "This Application Profile is not by a device of this mesh.");
  demand(seen.every((one) => continues(signed, one)), "portal-older-profile", "The portal shows an Application Profile that does not follow the one which this device, or another of yours, has seen.", "It cheats. Nothing here was changed.");
  const before = version === 1 ? undefined : ({ digest: signed.payload.previous, payload: { version: version - 1 } } as never);
  const profile = await correctApplication(signed, personal, author, before, rosterOf(masterOf(mesh)), suspendedIn(mesh, answer.now));
  const key = row.epochs[profile.payload.epoch]?.key;
  const opened = key === undefined ? undefined : openKeyed(fromBase64url(key), applicationPurpose(id, profile.payload.version, profile.payload.epoch), profile.payload.sealed);
  const inside = opened === undefined ? undefined : privateIn(opened);
  const said = inside?.type;
  await client.rows.transact(async (rows) => {
    const current = (await loadCatalog(rows, id)) ?? row;
    const there = said === undefined ? undefined : await rows.get<{ id: string }>("types", said);
    // What a catalog is for never changes, and no two are for the same: else who administered once could have secrets written where others read.
    const type = current.type ?? (there === undefined || there.id === id ? said : undefined);
    if (type === undefined) return;
    await rows.put("catalogs", id, "", { ...current, profile: { digest: profile.digest, g: profile.payload.g, n: profile.payload.n, version: profile.payload.version, ...(said === type ? {} : { wrong: true }) }, type });
    await rows.put("types", type, "", { id });
    if (said === type && inside?.shares !== undefined) await saveShares(rows, id, { shares: inside.shares, version });
  });
}

/** The private part of an Application Profile; what its author should not have sealed says nothing, and is no fault of the portal, which cannot read it. */
function privateIn(opened: Uint8Array): ApplicationPrivate | undefined {
  try {
    return readShape(applicationPrivateShape, parseCanonical(opened), "profile-malformed", "Application Profile");
  } catch (error) {
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}

/** Whether an Application Profile is one that was seen, or comes after it: who administered an application before that cannot sign a later one, however it is numbered. */
function continues({ digest, payload }: Signed<ApplicationProfile>, seen: KnownProfile): boolean {
  if (payload.version === seen.version) return digest === seen.digest;
  return payload.version > seen.version && !isAfter(seen, payload) && (payload.version > seen.version + 1 || payload.previous === seen.digest);
}
