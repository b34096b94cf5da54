import type { Json } from "../../bytes/canonical-json.ts";
import type { EntryId } from "../../catalogs/entry-id.ts";
import { current, type Entry, isRemoved } from "../../catalogs/merge.ts";
import { type DetailName, detailNames, type Kind, kinds } from "./kinds.ts";
import { type ListName, membersOf } from "./members.ts";

/** A field that its owner named herself; `secret` ones are treated as the password is. */
export type CustomField = { readonly name: string; readonly value: string; readonly secret: boolean };

/** An entry as people know it, a login or another kind; absent texts are undefined, lists are in the order in which their members were added. */
export type Password = {
  readonly id: EntryId;
  readonly kind: Kind;
  readonly name: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly sites: readonly string[];
  readonly notes: string | undefined;
  /** An `otpauth:` URL or a bare secret, kept as it was given. */
  readonly totp: string | undefined;
  readonly tags: readonly string[];
  readonly fields: readonly CustomField[];
  /** The folder it lies in, `Work/Servers`. */
  readonly folder: string | undefined;
  readonly favorite: boolean;
  /** What only cards, identities and SSH keys have, in the order in which people are shown it. */
  readonly details: readonly { readonly name: DetailName; readonly value: string }[];
  /** How many passkeys are kept with it. */
  readonly passkeys: number;
};

/** The fields of an entry that hold one text each. */
export const texts = ["name", "username", "password", "notes", "totp", "folder"] as const;
export type TextName = (typeof texts)[number];

/**
 * Reads an entry as a login.
 *
 * It never refuses: what another device wrote in a form unknown here is left out, stays in the entry, and costs its
 * owner none of the rest. An entry without a name is called by the empty one.
 */
export function passwordOf(entry: Entry): Password {
  return {
    id: entry.id,
    kind: kindOf(entry),
    name: text(entry, "name") ?? "",
    username: text(entry, "username"),
    password: text(entry, "password"),
    sites: list(entry, "site"),
    notes: text(entry, "notes"),
    totp: text(entry, "totp"),
    tags: list(entry, "tag"),
    fields: membersOf(entry, "field").flatMap((member) => customField(member.value) ?? []),
    folder: text(entry, "folder"),
    favorite: current(entry, "favorite") === true,
    details: detailNames.flatMap((name) => {
      const value = text(entry, name);
      return value === undefined ? [] : [{ name, value }];
    }),
    passkeys: membersOf(entry, "passkey").length,
  };
}

/** What an entry is; one that says nothing, or a kind of a later version, is shown as a login. */
export function kindOf(entry: Entry): Kind {
  const said = current(entry, "kind");
  return kinds.find((kind) => kind === said) ?? "login";
}

/** Whether an entry only says what a program keeps about a folder: nothing that people look for. */
export function isFolder(entry: Entry): boolean {
  return current(entry, "kind") === "folder";
}

/** Everything that is not removed, by name as people sort; equal names by identifier. */
export function passwordsOf(entries: readonly Entry[]): readonly Password[] {
  return entries
    .filter((entry) => !isRemoved(entry) && !isFolder(entry))
    .map(passwordOf)
    .sort(byName);
}

let collator: Intl.Collator | undefined;

/** By name as people sort; equal names by identifier. */
export function byName(a: Pick<Password, "id" | "name">, b: Pick<Password, "id" | "name">): number {
  // Made when it is first needed: most commands sort nothing.
  collator ??= new Intl.Collator(undefined, { numeric: true });
  return collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1);
}

/** A value of a list of custom fields, if it is one. */
export function customField(value: Json): CustomField | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { name, value: held, secret } = value as Readonly<Record<string, Json>>;
  if (typeof name !== "string" || typeof held !== "string") return undefined;
  // Unless it is marked as open it is a secret: the mistake that costs nothing.
  return { name, value: held, secret: secret !== false };
}

function text(entry: Entry, name: TextName | DetailName): string | undefined {
  const value = current(entry, name);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function list(entry: Entry, name: ListName): readonly string[] {
  const values = membersOf(entry, name).map((member) => member.value);
  return [...new Set(values.filter((value) => typeof value === "string"))];
}
