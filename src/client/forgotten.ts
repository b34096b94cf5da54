import { toBase64url } from "../bytes/base64url.ts";
import { type Authority, lastCounted } from "../catalogs/chain.ts";
import type { Digest } from "../envelope/fields.ts";
import { type Jws, readSigned, type Verified } from "../envelope/signed.ts";
import { at, latest } from "../profiles/history.ts";
import { applicationEntry, deviceEntry } from "../profiles/personal.ts";
import { isBelieved, isSuspended } from "../profiles/suspension.ts";
import { verifyByDevice } from "../profiles/validity.ts";
import { isAfter } from "../profiles/version.ts";
import { catalogTrail, release, type Release, trailOn } from "../protocol/releases.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import type { PortalLink, Requester } from "./portal-link.ts";

/** The portal keeps commits that this device asked for no more, and shows who allowed that. */
export class CommitsForgotten extends MeshError {
  readonly releases: readonly Jws[];

  constructor(releases: readonly Jws[]) {
    super("catalog-not-kept", "Your portal keeps the changes of a catalog no more that this device lacks, and there is no state of it that this device can take instead.", "Run `mesh sync` on an administration device, then here again. What was edited here is kept.");
    this.releases = releases;
  }
}

/**
 * The releases by which a device goes on that lacks the commits after an index, the best first: by devices that administer the catalog
 * and are not cut off. One that left of its own accord is believed in what it released before, until it is removed for good.
 *
 * A portal that lost or hides commits shows none that covers them: `portal-older-catalog`. Where all are by devices cut off since,
 * the portal did no wrong, and there are none.
 */
export async function releasesAfter(jwss: readonly Jws[], catalog: string, after: number, authority: Authority): Promise<readonly Verified<Release>[]> {
  const now = latest(authority.history)?.payload;
  const found: Verified<Release>[] = [];
  let allowed = false;
  for (const jws of jwss) {
    const signed = readSigned(jws, release);
    const { payload } = signed;
    // An administrator, or a version, that came in since this device asked where its mesh stands: it asks again.
    demand(now === undefined || !isAfter(payload, now), "account-changed", "Your mesh changed meanwhile.");
    const author = authority.devices.get(signed.kid);
    const entry = applicationEntry(at(authority.history, payload)?.payload ?? { applications: [] }, catalog);
    const administered = author !== undefined && entry?.administrators.includes(author.payload.id) === true;
    // One that goes beyond its snapshot, or was made by whoever was out by then, no portal should have taken.
    if (payload.index > payload.snapshot.index || isSuspended(authority.suspended, signed.kid, authority.roster, payload)) continue;
    if (!administered || payload.catalog !== catalog || payload.master !== authority.id || payload.index <= after) continue;
    const verified = await verifyByDevice(signed, author);
    allowed = true;
    const listed = deviceEntry(now ?? { devices: [] }, author.payload.id)?.status === "active";
    // Of one that left, what stands up to the heads that it left with.
    const upTo = lastCounted(author.payload.id, catalog, authority) ?? Number.POSITIVE_INFINITY;
    if (listed && isBelieved(authority.suspended, author.payload.id, authority.roster) && payload.snapshot.index <= upTo) found.push(verified);
  }
  demand(allowed, "portal-older-catalog", "The portal does not show commits of a catalog, and none of your administration devices said that it may forget them.", "It lost them or it cheats. Nothing here was changed; ask its operator.");
  return found;
}

/** The digests of all commits up to a release's snapshot, as the portal lists them and the release's author has them. */
export async function trailOf(link: PortalLink, requester: Requester, { catalog, snapshot, trail }: Release): Promise<readonly Digest[]> {
  const digests: Digest[] = [];
  let so: Digest | undefined;
  while (digests.length < snapshot.index) {
    const octets = await link.read(requester, catalogTrail, { after: digests.length, catalog });
    demand(octets.length > 0 && octets.length % 64 === 0, "portal-false-data", "The portal lists digests of commits that are none.", "Nothing here was changed. It is broken or it cheats; ask its operator.");
    for (let from = 0; from < octets.length && digests.length < snapshot.index; from += 64) {
      const digest = toBase64url(octets.subarray(from, from + 64)) as Digest;
      so = trailOn(so, digest);
      digests.push(digest);
    }
  }
  demand(so === trail, "portal-false-data", "The portal lists other commits of a catalog than one of your devices has seen.", "Nothing here was changed. It is broken or it cheats; ask its operator.");
  return digests;
}
