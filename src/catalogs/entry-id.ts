import { toBase64url } from "../bytes/base64url.ts";
import { randomBytes } from "../crypto/random.ts";

/** The identifier of an entry: 128 random bits. */
export type EntryId = string;

/** A fresh entry identifier; none begins with a dash, since it is typed where options are. */
export function newEntryId(): EntryId {
  for (;;) {
    const id = toBase64url(randomBytes(16));
    if (!id.startsWith("-")) return id;
  }
}
