import { digestOf, readSigned } from "../../envelope/signed.ts";
import { verifyByDevice } from "../../profiles/validity.ts";
import { blobDrop, type dropBlobs, type getBlob, MAX_BLOB, type putBlob } from "../../protocol/blobs.ts";
import type { Carried, RequestOf, ResponseOf } from "../../protocol/command.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { Writing } from "../../store/store.ts";
import { type Context, demandRoom, deviceOf, memberOf, type Plan } from "../context.ts";
import { type MeshRecord, putRow, shelf } from "../records.ts";
import type { View } from "../view.ts";
import { checkRevision } from "./accounts.ts";

/** PutBlob: octets are kept under their own digest and counted once, however often they come. */
export async function decidePutBlob(context: Context, request: RequestOf<typeof putBlob> & Carried): Promise<Plan<ResponseOf<typeof putBlob>>> {
  const { view } = memberOf(context);
  const { digest, octets } = request;
  demand(octets.length > 0 && octets.length <= MAX_BLOB, "request-malformed", `A blob has 1 to ${MAX_BLOB} octets.`);
  demand(digestOf(octets) === digest, "blob-wrong-digest", "These octets are not the ones that the digest names.");
  const response = { arrived: context.now };
  if ((await context.read((r) => r.get(shelf.blobs, keyOf(view, digest)))) !== undefined) return { response };
  demandRoom(context, larger(view, octets.length));
  return { response, ...changing(view, octets.length, (w) => w.put(shelf.blobs, keyOf(view, digest), octets)) };
}

/** GetBlob: a blob of the asker's own mesh, by its digest. */
export async function decideGetBlob(context: Context, request: RequestOf<typeof getBlob>): Promise<Plan<ResponseOf<typeof getBlob>>> {
  const { view } = memberOf(context);
  const octets = await context.read((r) => r.get(shelf.blobs, keyOf(view, request.digest)));
  demand(octets !== undefined, "blob-unknown", "There is no such blob here.");
  if (digestOf(octets) !== request.digest) throw new MeshError("store-damaged", "A blob was changed in the portal's database.", "Run `mesh portal check`, or restore a backup.");
  return { response: {}, octets };
}

/** DropBlobs: by an active device of the mesh; what is not there is passed over, so it may be asked again. */
export async function decideDropBlobs(context: Context, request: RequestOf<typeof dropBlobs>): Promise<Plan<ResponseOf<typeof dropBlobs>>> {
  const { view, device } = memberOf(context);
  const author = await deviceOf(context, view, device);
  demand(author !== undefined, "profile-wrong-signer", "The signer is no device of this mesh.");
  const { payload } = await verifyByDevice(readSigned(request.drop, blobDrop), author);
  demand(payload.master === view.id, "profile-wrong-id", "This is about the blobs of another mesh.");
  const sizes = await context.read((r) => Promise.all([...new Set(payload.blobs)].map(async (digest) => ({ digest, size: (await r.get(shelf.blobs, keyOf(view, digest)))?.length }))));
  const there = sizes.filter((one) => one.size !== undefined);
  const response = { arrived: context.now };
  if (there.length === 0) return { response };
  const freed = there.reduce((sum, one) => sum + (one.size ?? 0), 0);
  return { response, ...changing(view, -freed, async (w) => {
    for (const { digest } of there) await w.remove(shelf.blobs, keyOf(view, digest));
  }) };
}

/** A change of what a mesh keeps besides its objects: it counts in the one row that every change rewrites, so no two count the same room. */
export function changing(view: View, octets: number, work: (writing: Writing) => Promise<void>): { readonly changed: View; readonly write: (writing: Writing) => Promise<void> } {
  const record = larger(view, octets);
  return {
    changed: { ...view, record },
    write: async (w) => {
      await checkRevision(w, view);
      await work(w);
      await putRow(w, shelf.meshes, view.id, record);
    },
  };
}

function larger({ record }: View, octets: number): MeshRecord {
  return { ...record, octets: record.octets + octets, revision: record.revision + 1 };
}

function keyOf(view: View, digest: string): string {
  return `${view.id}/${digest}`;
}
