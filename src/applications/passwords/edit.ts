import { canonicalJson, type Json } from "../../bytes/canonical-json.ts";
import { type Change, changesBytes } from "../../catalogs/entries.ts";
import { newEntryId } from "../../catalogs/entry-id.ts";
import { change, current, type Entry, isRemoved, REMOVED } from "../../catalogs/merge.ts";
import { demand } from "../../refusals/mesh-error.ts";
import { isDetail } from "./kinds.ts";
import { checkLabel, checkLine, checkText, limits } from "./limits.ts";
import { type ListName, membersOf, newMemberField } from "./members.ts";
import { type CustomField, customField, passwordOf, type TextName, texts } from "./password.ts";

/** What to write: an absent member stays as it is, an empty text goes away; custom fields are replaced and taken away by name. */
export type Edits = {
  readonly [Name in TextName]?: string;
} & {
  readonly addSites?: readonly string[];
  readonly removeSites?: readonly string[];
  readonly addTags?: readonly string[];
  readonly removeTags?: readonly string[];
  readonly setFields?: readonly CustomField[];
  readonly removeFields?: readonly string[];
};

/**
 * Makes the change that adds a login.
 * @throws MeshError `password-malformed`; `password-name-taken`, since names are how people say which one they mean
 */
export function addPassword(entries: readonly Entry[], edits: Edits & { readonly name: string }): Change {
  return checked(change(newEntryId(), undefined, valuesOf(entries, undefined, edits)));
}

/**
 * Makes the change that edits a login; undefined if it would change nothing.
 * @throws MeshError as `addPassword`; `password-field-not-found` for a site, tag or field to take away that is not there
 */
export function editPassword(entries: readonly Entry[], entry: Entry, edits: Edits): Change | undefined {
  const values = Object.entries(valuesOf(entries, entry, edits)).filter(([field, value]) => canonicalJson(current(entry, field) ?? null) !== canonicalJson(value));
  return values.length === 0 ? undefined : checked(change(entry.id, entry, Object.fromEntries(values)));
}

/** Makes the change that removes a login; all it held stays in its history. */
export function removePassword(entry: Entry): Change {
  return change(entry.id, entry, { [REMOVED]: true });
}

/**
 * Makes the change that brings a removed login back.
 * @throws MeshError `password-name-taken`
 */
export function restorePassword(entries: readonly Entry[], entry: Entry): Change {
  checkFree(entries, entry, passwordOf(entry).name);
  return change(entry.id, entry, { [REMOVED]: false });
}

function valuesOf(entries: readonly Entry[], entry: Entry | undefined, edits: Edits): Record<string, Json> {
  const values: Record<string, Json> = {};
  for (const name of texts) {
    const value = edits[name];
    if (value !== undefined) values[name] = checkOf[name](value);
  }
  if (typeof values["name"] === "string") checkFree(entries, entry, values["name"]);
  editList(entry, values, "site", edits.addSites ?? [], edits.removeSites ?? []);
  editList(entry, values, "tag", edits.addTags ?? [], edits.removeTags ?? []);
  editFields(entry, values, edits.setFields ?? [], edits.removeFields ?? []);
  return values;
}

const checkOf: Readonly<Record<TextName, (value: string) => string>> = {
  name: (value) => checkLabel(value, limits.name, "The name"),
  username: (value) => checkLine(value, limits.username, "The user name"),
  password: (value) => checkText(value, limits.password, "The password"),
  notes: (value) => checkText(value, limits.notes, "The text of the notes"),
  folder: (value) => checkLine(value.replaceAll(/^\/+|\/+$/g, ""), limits.folder, "The name of the folder"),
  totp: (value) => checkLine(value, limits.totp, "The secret of the one-time codes"),
};

function editList(entry: Entry | undefined, values: Record<string, Json>, list: "site" | "tag", add: readonly string[], remove: readonly string[]): void {
  const kept = new Map(membersOfMaybe(entry, list).map((member) => [member.field, member.value]));
  for (const value of remove) {
    // Two devices may have added the same value under two fields: it goes from both.
    const fields = [...kept].filter(([, held]) => held === value).map(([field]) => field);
    demand(fields.length > 0, "password-field-not-found", `This login has no ${list} ${JSON.stringify(value)}.`);
    for (const field of fields) {
      values[field] = null;
      kept.delete(field);
    }
  }
  let added = 0;
  for (const value of add.map((one) => checkLabel(one, limits[list], `A ${list}`))) {
    if ([...kept.values()].includes(value)) continue;
    const field = newMemberField(entry, list, added++);
    values[field] = value;
    kept.set(field, value);
  }
  const most = list === "site" ? limits.sites : limits.tags;
  demand(added === 0 || kept.size <= most, "password-malformed", `A login has at most ${most} ${list}s.`);
}

function editFields(entry: Entry | undefined, values: Record<string, Json>, set: readonly CustomField[], remove: readonly string[]): void {
  const details = new Set<string>(remove.filter((name) => isDetail(name) && entry !== undefined && typeof current(entry, name) === "string"));
  for (const name of details) values[name] = "";
  const kept = new Map(membersOfMaybe(entry, "field").map((member) => [member.field, customField(member.value)?.name]));
  const fieldsOf = (name: string): readonly string[] => [...kept].filter(([, held]) => held === name).map(([field]) => field);
  for (const name of remove.filter((one) => !details.has(one))) {
    const fields = fieldsOf(name);
    demand(fields.length > 0, "password-field-not-found", `This login has no field ${JSON.stringify(name)}.`);
    for (const field of fields) {
      values[field] = null;
      kept.delete(field);
    }
  }
  let added = 0;
  for (const one of set) {
    const name = checkLabel(one.name, limits.fieldName, "The name of a field");
    // What cards, identities and keys have is set by the same words.
    if (isDetail(name)) {
      values[name] = checkText(one.value, limits.detail, `The text ${name}`);
      continue;
    }
    const value = checkText(one.value, limits.fieldValue, `The field ${JSON.stringify(name)}`);
    const fields = fieldsOf(name);
    for (const field of fields.length > 0 ? fields : [newMemberField(entry, "field", added++)]) {
      const before = entry === undefined ? undefined : current(entry, field);
      // What an importer keeps with a field stays with it.
      values[field] = { ...(isPlainObject(before) ? before : {}), name, secret: one.secret, value };
      kept.set(field, name);
    }
  }
  demand(added === 0 || kept.size <= limits.fields, "password-malformed", `A login has at most ${limits.fields} fields of its owner's.`);
}

function isPlainObject(value: Json | undefined): value is { readonly [member: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function membersOfMaybe(entry: Entry | undefined, list: ListName) {
  return entry === undefined ? [] : membersOf(entry, list);
}

/** Refuses a name that another login has: names are how people say which one they mean. */
export function checkFree(entries: readonly Entry[], entry: Entry | undefined, name: string): void {
  const taken = entries.some((other) => other.id !== entry?.id && !isRemoved(other) && current(other, "name") === name);
  demand(!taken, "password-name-taken", `There is already a login named ${JSON.stringify(name)}.`, `Choose another name, or change that one: mesh password edit ${JSON.stringify(name)}`);
}

function checked(made: Change): Change {
  demand(changesBytes([made]).length <= limits.change, "password-malformed", `All that this login holds together is larger than ${limits.change / 1024} KiB.`);
  return made;
}
