import * as v from "valibot";

import { countField, digestField, formatField, udfField } from "../envelope/fields.ts";
import { jwsShape, type ObjectType } from "../envelope/signed.ts";
import type { Command } from "./command.ts";

/** The most octets of one blob. */
export const MAX_BLOB = 512 * 1024;

/** The most blobs that one request drops. */
export const MAX_DROPPED = 256;

const putRequest = v.strictObject({ digest: digestField });
const putResponse = v.strictObject({ arrived: v.number() });

/**
 * PutBlob: keeps octets for the asker's mesh under their SHA-512; they travel behind the request. Sent again, nothing happens twice.
 *
 * It alone of all writes is not signed: it adds what nothing names yet, and takes nothing away.
 */
export const putBlob: Command<v.InferOutput<typeof putRequest>, v.InferOutput<typeof putResponse>> = {
  name: "PutBlob",
  request: putRequest,
  response: putResponse,
  asker: "member",
  writes: true,
  refusals: ["blob-wrong-digest", "account-quota"],
  carries: "request",
};

const getRequest = v.strictObject({ digest: digestField });
const getResponse = v.strictObject({});

/** GetBlob: a blob of the asker's mesh, behind the answer. Whoever knows its digest was told by an entry that it reads. */
export const getBlob: Command<v.InferOutput<typeof getRequest>, v.InferOutput<typeof getResponse>> = {
  name: "GetBlob",
  request: getRequest,
  response: getResponse,
  asker: "member",
  writes: false,
  refusals: ["blob-unknown"],
  carries: "response",
};

/** The most blobs that one answer lists. */
export const MAX_LISTED = 1024;

const listRequest = v.strictObject({ after: v.optional(digestField) });
const listResponse = v.strictObject({ blobs: v.pipe(v.array(v.strictObject({ arrived: v.number(), device: v.optional(udfField<"device">()), digest: digestField, size: countField() })), v.maxLength(MAX_LISTED)), more: v.boolean() });

/** ListBlobs: the blobs of the asker's mesh in the order of their digests: how large, who put each last, and when. */
export const listBlobs: Command<v.InferOutput<typeof listRequest>, v.InferOutput<typeof listResponse>> = {
  name: "ListBlobs",
  request: listRequest,
  response: listResponse,
  asker: "member",
  writes: false,
  refusals: [],
};

const dropShape = v.strictObject({ blobs: v.pipe(v.array(digestField), v.minLength(1), v.maxLength(MAX_DROPPED)), master: udfField<"master">(), unlessAfter: v.optional(countField(0)), v: formatField });

/** A device's word that blobs of its mesh are no longer needed, signed since it takes something away for good; one that was put after `unlessAfter`, in portal time, stays. */
export type BlobDrop = v.InferOutput<typeof dropShape>;
export const blobDrop: ObjectType<BlobDrop> = { typ: "mesh-blob-drop+json", shape: dropShape, maxBytes: 64 * 1024 };

const dropRequest = v.strictObject({ drop: jwsShape });
const dropResponse = v.strictObject({ arrived: v.number() });

/** DropBlobs: takes blobs away and gives the account their room back; one that is not there is passed over. */
export const dropBlobs: Command<v.InferOutput<typeof dropRequest>, v.InferOutput<typeof dropResponse>> = {
  name: "DropBlobs",
  request: dropRequest,
  response: dropResponse,
  asker: "member",
  writes: true,
  refusals: ["signed-malformed", "signature-wrong-key", "signature-invalid", "profile-wrong-signer", "profile-wrong-id"],
};
