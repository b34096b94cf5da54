import { toBase64url } from "../bytes/base64url.ts";
import { randomBytes } from "../crypto/random.ts";

/** The identifier of an entry: 128 random bits. */
export type EntryId = string;

/** A fresh entry identifier. */
export function newEntryId(): EntryId {
  return toBase64url(randomBytes(16));
}
