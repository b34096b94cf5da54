import { fromBase64url } from "../../bytes/base64url.ts";
import type { Json } from "../../bytes/canonical-json.ts";
import type { Entry } from "../../catalogs/merge.ts";
import { chunksOf } from "../../envelope/chunks.ts";
import type { Digest } from "../../envelope/fields.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { limits } from "./limits.ts";
import { membersOf } from "./members.ts";

/** A file kept with a login: its octets are chunks in blobs at the portal, under a key that is here. */
export type Attachment = {
  /** The field of the entry that holds it. */
  readonly field: string;
  readonly name: string;
  readonly size: number;
  /** A media type, where somebody told one. */
  readonly type: string | undefined;
  readonly key: Uint8Array;
  readonly blobs: readonly Digest[];
};

/** The attachments of a login, in the order in which they came. */
export function attachmentsOf(entry: Entry): readonly Attachment[] {
  return membersOf(entry, "attachment").flatMap(({ field, value }) => attachmentOf(field, value) ?? []);
}

/** A field's value as an attachment, if it is one. */
export function attachmentOf(field: string, value: Json): Attachment | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { blobs, key, name, size, type } = value as Readonly<Record<string, Json>>;
  if (typeof name !== "string" || typeof size !== "number" || !Number.isSafeInteger(size) || size < 0 || size > limits.attachment) return undefined;
  if (!Array.isArray(blobs) || blobs.length !== chunksOf(size).length || !blobs.every((one) => typeof one === "string" && /^[A-Za-z0-9_-]{86}$/.test(one))) return undefined;
  if (typeof key !== "string" || !/^[A-Za-z0-9_-]{43}$/.test(key)) return undefined;
  return { field, name, size, type: typeof type === "string" ? type : undefined, key: fromBase64url(key), blobs: blobs as Digest[] };
}

/** Finds an attachment by its name; `attachment-not-found` without it. */
export function findAttachment(entry: Entry, name: string): Attachment {
  const found = attachmentsOf(entry).find((one) => one.name === name.trim().normalize("NFC"));
  if (found === undefined) throw new MeshError("attachment-not-found", `This login has no attachment ${JSON.stringify(name)}.`, "See what it has: mesh password attachments NAME");
  return found;
}
