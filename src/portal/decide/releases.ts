import { concatBytes } from "../../bytes/equal.ts";
import { fromBase64url } from "../../bytes/base64url.ts";
import { ordinal } from "../../bytes/ordinal.ts";
import type { Chain } from "../../catalogs/chain.ts";
import type { Digest } from "../../envelope/fields.ts";
import { readSigned } from "../../envelope/signed.ts";
import { applicationEntry } from "../../profiles/personal.ts";
import { verifyByDevice } from "../../profiles/validity.ts";
import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import { type catalogTrail, release, type releaseCommits, TRAIL_AT_ONCE, trailOn } from "../../protocol/releases.ts";
import { demand } from "../../refusals/mesh-error.ts";
import type { Reading } from "../../store/store.ts";
import { type Context, deviceOf, memberOf, type Plan } from "../context.ts";
import { octetsOf } from "../draft.ts";
import { sealedOf } from "../logged.ts";
import { getObject, parseRow, putObject, putRow, row, shelf, type Stamped } from "../records.ts";
import { dueOf, type ReleaseRow } from "../releases.ts";
import { changing } from "./blobs.ts";

/** So many releases of one device wait at once; beyond that the last waits anew with each. */
const MAX_DUE = 16;

/** ReleaseCommits: by a device that administers the catalog, about commits and a snapshot that are here. */
export async function decideReleaseCommits(context: Context, request: RequestOf<typeof releaseCommits>): Promise<Plan<ResponseOf<typeof releaseCommits>>> {
  const { view, device } = memberOf(context);
  const author = await deviceOf(context, view, device);
  demand(author !== undefined, "profile-wrong-signer", "The signer is no device of this mesh.");
  const signed = await verifyByDevice(readSigned(request.release, release), author);
  const { catalog, g, index, master, n, snapshot, trail } = signed.payload;
  demand(master === view.id, "profile-wrong-id", "This is about the commits of another mesh.");
  const { payload } = view.personal.profile;
  demand(applicationEntry(payload, catalog)?.administrators.includes(device) === true, "profile-wrong-signer", "The signer does not administer this catalog.");
  demand(g === payload.g && n <= payload.n, "commit-out-of-order", "This release is made under a Personal Profile that is not here.");
  const key = `${view.id}/${catalog}/${device}`;
  const before = await context.read((r) => row<ReleaseRow>(r, shelf.releases, key));
  const response = { arrived: context.now };
  if (before?.digest === signed.digest) return { response };
  const { chain, kept, old } = await context.read(async (r) => ({
    chain: await row<Chain>(r, shelf.chains, `${view.id}/${catalog}`),
    kept: await r.get(shelf.blobs, `${view.id}/${snapshot.digest}`),
    old: before === undefined ? undefined : await getObject(r, before.digest, release),
  }));
  demand(chain !== undefined && index <= snapshot.index && snapshot.index <= chain.index && snapshot.index >= (before?.trail.index ?? 0), "commit-out-of-order", "This release names commits that are not here, or goes back.");
  demand(kept?.length === snapshot.size, "blob-unknown", "This release names a snapshot that is not here.");
  demand((await trailAt(context, `${view.id}/${catalog}/`, snapshot.index, before?.trail)) === trail, "commit-out-of-order", "This release names another chain than the one that is here.");
  const waiting = before?.due ?? [];
  const due = (waiting.at(-1)?.index ?? 0) >= index ? waiting : [...dueOf(waiting, context.now, MAX_DUE - 1), { index, arrived: context.now }];
  const octets = octetsOf(signed.jws) - (old === undefined ? 0 : octetsOf(old.jws));
  // Whoever has no room left may make some.
  return { response, logged: { recordings: [sealedOf(view.id, "release", { release: signed.digest })] }, ...changing(view, octets, async (w) => {
    await putObject(w, signed);
    if (before !== undefined) await w.remove(shelf.objects, before.digest);
    await putRow(w, shelf.releases, key, { arrived: context.now, digest: signed.digest, due, trail: { digest: trail, index: snapshot.index } } satisfies ReleaseRow);
  }) };
}

/** The trail of a chain up to an index, counted on from where it is known. */
async function trailAt({ read }: Context, prefix: string, index: number, known: ReleaseRow["trail"] | undefined): Promise<Digest | undefined> {
  let [at, trail] = [known?.index ?? 0, known?.digest];
  while (at < index) {
    const digests = await read((r) => digestsAfter(r, prefix, at, Math.min(1024, index - at)));
    if (digests.length === 0) return undefined;
    for (const digest of digests) trail = trailOn(trail, digest);
    at += digests.length;
  }
  return trail;
}

async function digestsAfter(reading: Reading, prefix: string, after: number, limit: number): Promise<readonly Digest[]> {
  return (await reading.list(shelf.commits, prefix, { after: prefix + ordinal(after), limit })).map(({ value }) => parseRow<Stamped>(value).digest);
}

/** CatalogTrail: digests of all commits, forgotten or not, for readers of the catalog. */
export async function decideCatalogTrail(context: Context, { after, catalog }: RequestOf<typeof catalogTrail>): Promise<Plan<ResponseOf<typeof catalogTrail>>> {
  const { view, device } = memberOf(context);
  demand(applicationEntry(view.personal.profile.payload, catalog)?.readers.includes(device) === true, "catalog-not-readable", "This device does not read that catalog.");
  const digests = await context.read((r) => digestsAfter(r, `${view.id}/${catalog}/`, after, TRAIL_AT_ONCE));
  demand(digests.length > 0, "commit-out-of-order", "There is no commit after that one.");
  return { response: {}, octets: concatBytes(...digests.map((digest) => fromBase64url(digest))) };
}
