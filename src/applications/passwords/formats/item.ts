import { canonicalJson, type Json } from "../../../bytes/canonical-json.ts";
import { current, type Entry, past } from "../../../catalogs/merge.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { type DetailName, detailNames, type Kind } from "../kinds.ts";
import { checkLabel, checkLine, checkText, limits } from "../limits.ts";
import { firstMemberField, type ListName, membersOf } from "../members.ts";
import { customField, isFolder, kindOf } from "../password.ts";

/** The programs whose own parts an item may carry along, as they are called in `kept.<program>`. */
export type Keeper = "bitwarden" | "keepass" | "1pux" | `${string}-csv`;

/** A JSON object. */
export type JsonObject = { readonly [member: string]: Json };

/** A field that its owner named; `as` is what programs besides know of it, each under its name. */
export type ItemField = { readonly name: string; readonly value: string; readonly secret: boolean; readonly as?: JsonObject };

/** The single texts of an item, by the field of the entry that holds each. `created` and `modified` are times as an importer told them (RFC 3339). */
export type ItemText = "username" | "password" | "notes" | "totp" | "folder" | "created" | "modified" | DetailName;
export const itemTexts: readonly ItemText[] = ["username", "password", "notes", "totp", "folder", "created", "modified", ...detailNames];

/** A file within an item. */
export type ItemFile = { readonly name: string; readonly octets: Uint8Array };

/** One thing that a file of passwords holds, in our words. */
export type Item = {
  readonly kind: Kind;
  /** Its name as the file has it: any text, also none. */
  readonly title: string;
  /** Its name here, once it is here. */
  readonly name?: string;
  readonly texts: { readonly [Name in ItemText]?: string };
  readonly favorite: boolean;
  readonly sites: readonly string[];
  readonly tags: readonly string[];
  readonly fields: readonly ItemField[];
  /** Passkeys as Bitwarden writes them (`fido2Credentials`): nobody else exports any yet. */
  readonly passkeys: readonly JsonObject[];
  /** Passwords it had before, as its program tells them, the latest first. */
  readonly past: readonly { readonly password: string; readonly used?: string }[];
  /** What a program keeps with it and we do not understand, for the day when it is exported to that program again. */
  readonly kept: { readonly [Program in Keeper]?: Json };
  readonly files: readonly ItemFile[];
};

/** What a program keeps about a folder. */
export type Folder = { readonly path: string; readonly kept: { readonly [Program in Keeper]?: Json } };

/** An item, or a part of one, that could not be taken or given, and why. */
export type Failure = { readonly title: string; readonly why: string };

/** What to say of the parts of an item that stand in its lists and are none: they are left out. */
export function strayParts(title: string, lists: Readonly<Record<string, readonly Json[]>>): readonly Failure[] {
  return Object.entries(lists).flatMap(([name, list]) => {
    const count = list.filter((one) => !isObject(one)).length;
    return count === 0 ? [] : [{ title: `${title}: ${name}`, why: `${count} of ${list.length} ${count === 1 ? "is no object, and was" : "are no objects, and were"} left out.` }];
  });
}

/** The texts of an item as they are found; `set` takes the first of each that is not empty, and says whether it did. */
export function gatherTexts(): { readonly texts: Item["texts"]; readonly set: (name: ItemText, value: string | undefined) => boolean } {
  const texts: { [Name in ItemText]?: string } = {};
  const set = (name: ItemText, value: string | undefined): boolean => {
    if (value === undefined || value === "" || texts[name] !== undefined) return false;
    texts[name] = value;
    return true;
  };
  return { texts, set };
}

/** An item with nothing in it, to be filled. */
export const emptyItem: Item = { kind: "login", title: "", texts: {}, favorite: false, sites: [], tags: [], fields: [], passkeys: [], past: [], kept: {}, files: [] };

/** Reads an entry as an item. Its title is the one that its file had, unless it was renamed since. */
export function itemOf(entry: Entry): Item {
  const texts: { [Name in ItemText]?: string } = {};
  for (const name of itemTexts) {
    const value = current(entry, name);
    if (typeof value === "string" && value !== "") texts[name] = value;
  }
  const objects = (list: ListName): readonly JsonObject[] => membersOf(entry, list).flatMap(({ value }) => (isObject(value) ? [value] : []));
  return {
    kind: kindOf(entry),
    title: titleOf(entry),
    name: String(current(entry, "name") ?? ""),
    texts,
    favorite: current(entry, "favorite") === true,
    sites: strings(entry, "site"),
    tags: strings(entry, "tag"),
    fields: objects("field").flatMap((value) => {
      const field = customField(value);
      return field === undefined ? [] : [{ ...field, ...(isObject(value["as"]) ? { as: value["as"] } : {}) }];
    }),
    passkeys: objects("passkey"),
    past: [...earlier(entry), ...objects("past").flatMap(({ password, used }) => (typeof password === "string" ? [{ password, ...(typeof used === "string" ? { used } : {}) }] : []))],
    kept: keptOf(entry),
    files: [],
  };
}

/** What programs keep about the folder of an entry that is one. */
export function folderOf(entry: Entry): Folder | undefined {
  const path = current(entry, "folder");
  return isFolder(entry) && typeof path === "string" ? { path, kept: keptOf(entry) } : undefined;
}

/** The fields of the entry that holds an item under a name. */
export function valuesOf(item: Item, name: string): Record<string, Json> {
  const values: Record<string, Json> = { name };
  if (item.title !== name) values["renamed"] = { from: item.title, to: name };
  if (item.kind !== "login") values["kind"] = item.kind;
  if (item.favorite) values["favorite"] = true;
  for (const text of itemTexts) {
    const value = item.texts[text];
    if (value !== undefined && value !== "") values[text] = value;
  }
  const add = (list: ListName, members: readonly Json[]): void => {
    for (const [index, member] of members.entries()) values[firstMemberField(list, index + 1)] = member;
  };
  add("site", item.sites);
  add("tag", item.tags);
  add("field", item.fields as readonly Json[]);
  add("passkey", item.passkeys);
  add("past", item.past as readonly Json[]);
  for (const [program, kept] of Object.entries(item.kept)) if (kept !== undefined) values[`kept.${program}`] = kept;
  return values;
}

/** A text that two items have in common only if all that they hold is equal: what imports compare. */
export function sameness(item: Item): string {
  return canonicalJson(valuesOf({ ...item, files: [] }, item.title));
}

/**
 * Refuses an item that could not have been written by hand either (`password-malformed`), with a sentence that names the part and not its value.
 */
export function checkItem(item: Item): void {
  const { texts } = item;
  if (texts.username !== undefined) checkLine(texts.username, limits.username, "The user name");
  if (texts.password !== undefined) checkText(texts.password, limits.password, "The password");
  if (texts.notes !== undefined) checkText(texts.notes, limits.notes, "The text of the notes");
  if (texts.totp !== undefined) checkLine(texts.totp, limits.totp, "The secret of the one-time codes");
  if (texts.folder !== undefined) checkLine(texts.folder, limits.folder, "The name of the folder");
  for (const name of detailNames) if (texts[name] !== undefined) checkText(texts[name], limits.detail, `The text ${name}`);
  for (const site of item.sites) checkLabel(site, limits.site, "A site");
  for (const tag of item.tags) checkLabel(tag, limits.tag, "A tag");
  for (const field of item.fields) {
    checkText(field.name, limits.fieldName, "The name of a field");
    checkText(field.value, limits.fieldValue, `The field ${JSON.stringify(field.name)}`);
  }
  for (const { password } of item.past) checkText(password, limits.password, "An earlier password");
  for (const [list, most] of [["sites", limits.sites], ["tags", limits.tags], ["fields", limits.fields], ["passkeys", limits.fields], ["past", limits.past]] as const) {
    if (item[list].length > most) throw new MeshError("password-malformed", `It has more than ${most} ${list === "past" ? "earlier passwords" : list}.`);
  }
}

/** The title under which an item goes to a program: an empty one only to where it came from. */
export function titleFor(item: Item, program: Keeper): string {
  return item.title !== "" || item.kept[program] !== undefined ? item.title : (item.name ?? "");
}

/** Whether a JSON value is an object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function titleOf(entry: Entry): string {
  const [name, renamed] = [current(entry, "name"), current(entry, "renamed")];
  const text = typeof name === "string" ? name : "";
  return isObject(renamed) && renamed["to"] === name && typeof renamed["from"] === "string" ? renamed["from"] : text;
}

/** Passwords that were changed here: the entry's own history holds them. */
function earlier(entry: Entry): Item["past"] {
  const texts = past(entry, "password").flatMap(({ value }) => (typeof value === "string" && value !== "" ? [value] : []));
  return [...new Set(texts)].filter((password) => password !== current(entry, "password")).map((password) => ({ password }));
}

function strings(entry: Entry, list: ListName): readonly string[] {
  return membersOf(entry, list).flatMap(({ value }) => (typeof value === "string" ? [value] : []));
}

function keptOf(entry: Entry): Item["kept"] {
  const kept = Object.keys(entry.fields).filter((field) => field.startsWith("kept."));
  return Object.fromEntries(kept.flatMap((field) => {
    const value = current(entry, field);
    return value === undefined || value === null ? [] : [[field.slice("kept.".length), value]];
  }));
}
