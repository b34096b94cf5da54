import type { Digest } from "../../envelope/fields.ts";
import { digestOf, readSigned } from "../../envelope/signed.ts";
import type { DeviceId } from "../../profiles/types.ts";
import { verifyByDevice } from "../../profiles/validity.ts";
import { blobDrop, type dropBlobs, type getBlob, type listBlobs, MAX_BLOB, MAX_LISTED, type putBlob } from "../../protocol/blobs.ts";
import type { Carried, RequestOf, ResponseOf } from "../../protocol/command.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { Writing } from "../../store/store.ts";
import { type Context, demandRoom, deviceOf, memberOf, type Plan } from "../context.ts";
import { sealedOf } from "../logged.ts";
import { type MeshRecord, parseRow, putRow, row, shelf } from "../records.ts";
import type { View } from "../view.ts";
import { checkRevision } from "./accounts.ts";

/** Who put a blob last, when, and how large it is; a blob of an older version of the program has no such row. */
export type PutRow = { readonly arrived: number; readonly size: number; readonly device?: DeviceId };

/** PutBlob: octets are kept under their own digest and counted once, however often they come; who put them last, and when, is noted each time. */
export async function decidePutBlob(context: Context, request: RequestOf<typeof putBlob> & Carried): Promise<Plan<ResponseOf<typeof putBlob>>> {
  const { view, device } = memberOf(context);
  const { digest, octets } = request;
  demand(octets.length > 0 && octets.length <= MAX_BLOB, "request-malformed", `A blob has 1 to ${MAX_BLOB} octets.`);
  demand(digestOf(octets) === digest, "blob-wrong-digest", "These octets are not the ones that the digest names.");
  const key = keyOf(view, digest);
  const there = (await context.read((r) => r.get(shelf.blobs, key))) !== undefined;
  if (!there) demandRoom(context, larger(view, octets.length));
  const put: PutRow = { arrived: context.now, device, size: octets.length };
  return { response: { arrived: context.now }, ...changing(view, there ? 0 : octets.length, async (w) => {
    if (!there) await w.put(shelf.blobs, key, octets);
    await putRow(w, shelf.puts, key, put);
  }) };
}

/** ListBlobs: a page of them. */
export async function decideListBlobs(context: Context, { after }: RequestOf<typeof listBlobs>): Promise<Plan<ResponseOf<typeof listBlobs>>> {
  const prefix = `${memberOf(context).view.id}/`;
  const rows = await context.read((r) => r.list(shelf.puts, prefix, { limit: MAX_LISTED + 1, ...(after === undefined ? {} : { after: prefix + after }) }));
  const blobs = rows.slice(0, MAX_LISTED).map(({ key, value }) => ({ ...parseRow<PutRow>(value), digest: key.slice(prefix.length) as Digest }));
  return { response: { blobs, more: rows.length > MAX_LISTED } };
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
  const { digest, payload } = await verifyByDevice(readSigned(request.drop, blobDrop), author);
  demand(payload.master === view.id, "profile-wrong-id", "This is about the blobs of another mesh.");
  const { unlessAfter = Number.POSITIVE_INFINITY } = payload;
  const there = await context.read(async (r) => {
    const found: { readonly key: string; readonly size: number }[] = [];
    for (const blob of new Set(payload.blobs)) {
      const key = keyOf(view, blob);
      const size = (await r.get(shelf.blobs, key))?.length;
      const put = unlessAfter === Number.POSITIVE_INFINITY ? undefined : await row<PutRow>(r, shelf.puts, key);
      if (size !== undefined && (put?.arrived ?? 0) <= unlessAfter) found.push({ key, size });
    }
    return found;
  });
  const response = { arrived: context.now };
  if (there.length === 0) return { response };
  const freed = there.reduce((sum, one) => sum + one.size, 0);
  return { response, logged: { recordings: [sealedOf(view.id, "blobs", { drop: digest })] }, ...changing(view, -freed, async (w) => {
    for (const { key } of there) for (const from of [shelf.blobs, shelf.puts]) await w.remove(from, key);
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
