import { fromBase64url } from "../bytes/base64url.ts";
import { canonicalBytes } from "../bytes/canonical-json.ts";
import { ordinal } from "../bytes/ordinal.ts";
import type { Digest } from "../envelope/fields.ts";
import { packedWords, packJws, unpackJws } from "../envelope/packed.ts";
import { readJws, type Signed } from "../envelope/signed.ts";
import type { KnownWords, PersonalWords } from "../profiles/history.ts";
import { type PersonalProfile, personalProfile } from "../profiles/personal.ts";
import { splitOctets, withOctets } from "../protocol/octets.ts";
import type { Reading, Writing } from "../store/store.ts";
import { getObject, parseRow, shelf, type Stamped, theOne } from "./records.ts";

/*
 * A version of a Personal Profile stands in its row, behind digest and time: no other row names it, so it needs none of its
 * own among the objects. Older versions of the program kept it there, and for a while its words beside its digest.
 */
type PersonalRow = Stamped & { readonly words?: { readonly kid: PersonalWords["kid"]; readonly payload: string } };

/** Keeps a version that arrived at a time. */
export async function putPersonal(writing: Writing, master: string, arrived: number, { digest, jws, payload }: Signed<PersonalProfile>): Promise<void> {
  await writing.put(shelf.personals, personalKey(master, payload), withOctets(canonicalBytes({ arrived, digest }), packJws(jws)));
}

/** Where a version stands. */
export function personalKey(master: string, { g, n }: { readonly g: number; readonly n: number }): string {
  return `${master}/${ordinal(g)}/${ordinal(n)}`;
}

/** The profile that a row holds or names; as `getObject`. */
export async function personalIn(reading: Reading, row: Uint8Array): Promise<Signed<PersonalProfile>> {
  const { text, octets } = splitOctets(row);
  const { digest } = parseRow<Stamped>(text);
  return octets === undefined ? getObject(reading, digest, personalProfile) : theOne(readJws(unpackJws(octets), personalProfile), digest);
}

/** The digest of a profile that stands among the objects, as older versions of the program kept it; `undefined` where the row holds it. */
export function keptApart(row: Uint8Array): Digest | undefined {
  const { text, octets } = splitOctets(row);
  return octets === undefined ? parseRow<Stamped>(text).digest : undefined;
}

/** What the profile in a row says; it was judged when it was written. */
export async function wordsIn(reading: Reading, row: Uint8Array): Promise<KnownWords> {
  const { text, octets } = splitOctets(row);
  const { arrived, digest, words } = parseRow<PersonalRow>(text);
  if (octets !== undefined) {
    const { head, payload } = packedWords(octets);
    return { arrived, profile: { digest, kid: parseRow<{ kid: PersonalWords["kid"] }>(head).kid, payload: parseRow<PersonalProfile>(payload) } };
  }
  if (words === undefined) return { arrived, profile: wordsOf(await getObject(reading, digest, personalProfile)) };
  return { arrived, profile: { digest, kid: words.kid, payload: parseRow<PersonalProfile>(fromBase64url(words.payload)) } };
}

/** A profile without the octets that were signed. */
export function wordsOf({ digest, kid, payload }: Signed<PersonalProfile>): PersonalWords {
  return { digest, kid, payload };
}
