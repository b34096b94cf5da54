import { toBase64url } from "../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { hmac } from "../crypto/digest.ts";
import type { Digest } from "../envelope/fields.ts";
import type { SealedEntry, SealedKind } from "./entry.ts";

/** Octets of a salt: so many that nobody who guesses the content can tell that he guessed right. */
export const SALT_OCTETS = 32;

/** What a sealed entry is about, with its salt: kept beside the log, shown to whom it concerns, and deletable (decision 8.5). */
export type Opening = { readonly salt: Uint8Array; readonly content: Json };

/** The entry that commits to an opening: HMAC-SHA-512(salt, "mesh/log/" kind "/v1" ‖ 0x00 ‖ JCS(content)). */
export function sealEntry(k: SealedKind, { salt, content }: Opening): SealedEntry {
  if (salt.length !== SALT_OCTETS) throw new RangeError(`a salt has ${SALT_OCTETS} octets, not ${salt.length}`);
  return { c: toBase64url(hmac(salt, concatBytes(utf8(`mesh/log/${k}/v1\0`), canonicalBytes(content)))) as Digest, k, v: 1 };
}

/** The digest of the signed object that a sealed entry of a kind is about, by what it commits to; undefined where it is about none, or of another form. */
export function sealedObject(k: SealedKind, content: Json): string | undefined {
  const member = { account: ["account"], application: ["digest"], blobs: ["drop"], catalogs: [], connect: ["request", "answer", "notice"], device: [], release: ["release"] }[k].find((one) => isRecord(content) && one in content);
  const object = member !== undefined && isRecord(content) ? content[member] : undefined;
  return typeof object === "string" ? object : undefined;
}

function isRecord(content: Json): content is { readonly [member: string]: Json } {
  return typeof content === "object" && content !== null && !Array.isArray(content);
}

/** Whether an opening is the one that a sealed entry commits to. */
export function opens({ c, k }: SealedEntry, opening: Opening): boolean {
  return opening.salt.length === SALT_OCTETS && sealEntry(k, opening).c === c;
}
