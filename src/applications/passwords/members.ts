import { toBase64url } from "../../bytes/base64url.ts";
import type { Json } from "../../bytes/canonical-json.ts";
import { current, type Entry } from "../../catalogs/merge.ts";
import { randomBytes } from "../../crypto/random.ts";

/** The lists that a login has. */
export type ListName = "site" | "tag" | "field" | "passkey" | "past" | "attachment";

/** One member of a list: the field of the entry that holds it, and its value. */
export type Member = { readonly field: string; readonly value: Json };

/**
 * The members of a list that are there now, in the order in which they were added.
 *
 * Each is a field of its own, `site:0001:<random>`, because merging is per field: what two devices add at the same time
 * both stays (decision 6.3). One that was taken away is null and keeps its history.
 */
export function membersOf(entry: Entry, list: ListName): readonly Member[] {
  return Object.keys(entry.fields)
    .filter((field) => field.startsWith(`${list}:`))
    .sort()
    .map((field) => ({ field, value: current(entry, field) ?? null }))
    .filter((member) => member.value !== null);
}

/** Names the fields of the members with which a new entry begins: nobody else can add one beside them, so they need no chance in their names. */
export function firstMemberField(list: ListName, position: number): string {
  return `${list}:${String(position).padStart(4, "0")}`;
}

/** Names the field of a new member, to stand after all there are, those taken away included; `also` counts what one edit adds before it. */
export function newMemberField(entry: Entry | undefined, list: ListName, also: number): string {
  const taken = Object.keys(entry?.fields ?? {}).filter((field) => field.startsWith(`${list}:`));
  const last = taken.reduce((most, field) => Math.max(most, Number(field.split(":")[1]) || 0), 0);
  // Past 9999 the order is by chance, and nothing else suffers.
  const position = Math.min(9999, last + also + 1);
  return `${list}:${String(position).padStart(4, "0")}:${toBase64url(randomBytes(8))}`;
}
