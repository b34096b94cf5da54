import { toBase64url } from "../bytes/base64url.ts";
import type { Json } from "../bytes/canonical-json.ts";
import type { Chain } from "../catalogs/chain.ts";
import type { Digest } from "../envelope/fields.ts";
import { type Signed, signedLength } from "../envelope/signed.ts";
import type { SealedKind } from "../notary/entry.ts";
import { markDue, newestIn, record, type Recorded, type Recording } from "../notary/keeping/record.ts";
import { mapKinds } from "../notary/map.ts";
import { leafHash } from "../notary/merkle.ts";
import type { MasterId } from "../profiles/types.ts";
import type { ContentOf, ShownOpening } from "../protocol/openings.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Reading, Writing } from "../store/store.ts";
import { parseRow, shelf } from "./records.ts";

/** What a transaction says in the log (`docs/spec/log.md` 9.1): its entries in order, and the mesh whose catalogs it moved, which the next epoch commits to. */
export type Logged = { readonly recordings: readonly Recording[]; readonly due?: MasterId; /** That what it says follows on what the log said last of the same mesh. */ readonly follows?: true };

/** Entries of one transaction, which stand one after another: from an index on, so many. */
export type Run = { readonly from: number; readonly count: number };

/** Which version of what an object is. */
type Version = { readonly k: "master"; readonly n: number } | { readonly k: "suspension"; readonly n: number } | { readonly k: "personal"; readonly g: number; readonly n: number };

/** The entry of an object that becomes the newest of its kind; `prev` is what was so before. */
export function objectOf(id: MasterId, version: Version, object: Signed<unknown>, prev: Digest | undefined): Recording {
  return { object: { ...version, id, len: signedLength(object), obj: object.digest, ...(prev === undefined ? {} : { prev }), v: 1 } };
}

/** The entry of something that concerns the members of a mesh alone. */
export function sealedOf<K extends SealedKind & ShownOpening["k"]>(id: MasterId, seal: K, content: ContentOf<K>): Recording {
  return { seal, of: id, content: content as unknown as Json };
}

/**
 * Demands that a mesh which comes back after it was taken away brings all that the log has of it (`profile-out-of-order`): else versions would stand in the
 * log that do not follow one another, and whoever reads it would take the portal for a liar.
 */
export async function checkBrought(reading: Reading, id: MasterId, recordings: readonly Recording[]): Promise<void> {
  for (const kind of mapKinds) {
    const newest = await newestIn(reading, { kind, id });
    const digest = newest === undefined ? undefined : toBase64url(newest.digest);
    const isBrought = digest === undefined || recordings.some((one) => "object" in one && one.object.obj === digest);
    demand(isBrought, "profile-out-of-order", "This portal's log has other or newer versions of this mesh than it brings.", "Send all of its versions.");
  }
}

/** Says in the log what a transaction did, in that transaction: appends, and nothing is hashed of tree or map. */
export async function writeLogged(w: Writing, { recordings, due, follows }: Logged): Promise<readonly Recorded[]> {
  if (due !== undefined) await markDue(w, due);
  return record(w, recordings, follows);
}

/** Where the entries of a transaction stand. */
export function runOf(recorded: readonly Recorded[]): Run | undefined {
  const [first] = recorded;
  return first === undefined ? undefined : { count: recorded.length, from: first.index };
}

/** The entries of a run, read back: for a receipt that is made again. */
export async function recordedIn(reading: Reading, { from, count }: Run): Promise<readonly Recorded[]> {
  return (await reading.leaves(from, count)).map((octets, at) => ({ index: from + at, leaf: leafHash(octets) }));
}

/** Where a mesh's catalogs stand: what an epoch commits to for a mesh that wrote to them (`docs/spec/log.md` 9.2). */
export async function standingOf(reading: Reading, mesh: string): Promise<Json> {
  const heads = (await reading.list(shelf.chains, `${mesh}/`)).map(({ value }) => {
    const { catalog, digest, index } = parseRow<Chain>(value);
    return { catalog, digest, index };
  });
  return { heads, master: mesh };
}
