import type { Json } from "../../../bytes/canonical-json.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { damaged } from "./damage.ts";
import { folderPath } from "./folders.ts";
import { emptyItem, type Failure, isObject, type Item, type ItemField, type ItemFile, type ItemText, type JsonObject } from "./item.ts";
import { categoryKinds, dullMembers, fieldText, textsOfField } from "./one-pux-shape.ts";
import type { Contents } from "./plan.ts";

/** A file of the archive by its path. */
export type Member = (path: string) => Promise<Uint8Array | undefined>;

/** Reads the content of a 1Password export (`export.data`): accounts, vaults, items. A vault becomes a folder. */
export async function readOnePux(data: Json, member: Member): Promise<Contents> {
  if (!isObject(data) || !Array.isArray(data["accounts"])) throw damaged("it is no export of 1Password: there are no accounts.");
  const [items, failed, kept]: [Item[], Failure[], Set<Item>] = [[], [], new Set()];
  for (const account of partsOf(data, "accounts")) {
    for (const vault of partsOf(account, "vaults")) {
      const folder = folderPath([textIn(objectIn(vault, "attrs"), "name") ?? ""].filter((name) => name !== ""));
      for (const [index, one] of partsOf(vault, "items").entries()) {
        // Earlier versions wrapped each item in an object.
        const raw = isObject(one["item"]) ? one["item"] : one;
        const title = textIn(objectIn(raw, "overview"), "title") ?? `item ${index + 1}`;
        try {
          const { item, strange } = itemFrom(raw, folder);
          const { files, missing } = await filesOf(raw, member);
          const whole = { ...item, files };
          items.push(whole);
          if (strange) kept.add(whole);
          for (const name of missing) failed.push({ title: `${title}: ${name}`, why: "This file is not in the archive." });
        } catch (error) {
          if (!(error instanceof MeshError)) throw error;
          failed.push({ title, why: error.message });
        }
      }
    }
  }
  return { items, folders: [], failed, kept };
}

function itemFrom(raw: JsonObject, folder: string): { readonly item: Item; readonly strange: boolean } {
  const { details: _details, overview: _overview, favIndex, createdAt, updatedAt, categoryUuid, ...rest } = raw;
  const [details, overview] = [objectIn(raw, "details"), objectIn(raw, "overview")];
  const { loginFields: _login, notesPlain: _notes, sections: _sections, passwordHistory: _history, password: _password, documentAttributes: _document, ...moreDetails } = details;
  const { title: _title, url: _url, urls: _urls, tags: _tags, ...moreOverview } = overview;
  const kind = categoryKinds[String(categoryUuid)];
  const texts: { [Name in ItemText]?: string } = {};
  const set = (name: ItemText, value: string | undefined): boolean => {
    if (value === undefined || value === "" || texts[name] !== undefined) return false;
    texts[name] = value;
    return true;
  };
  set("folder", folder);
  set("notes", textIn(details, "notesPlain"));
  set("password", textIn(details, "password"));
  set("created", timeText(createdAt));
  set("modified", timeText(updatedAt));
  const fields: ItemField[] = [];
  for (const { designation, value, name, id, fieldType, ...more } of listIn(details, "loginFields")) {
    const text = typeof value === "string" ? value : "";
    if (text === "" || ((designation === "username" || designation === "password") && set(designation, text))) continue;
    fields.push({ name: String(name || id || ""), value: text, secret: fieldType === "P", as: { "1pux": { ...more, designation: designation ?? null, fieldType: fieldType ?? null, id: id ?? null, name: name ?? null } } });
  }
  for (const section of listIn(details, "sections")) {
    for (const field of listIn(section, "fields")) {
      if (isObject(field["value"]) && isObject(field["value"]["file"])) continue;
      const known = textsOfField(kind, field);
      if (known !== undefined && known.every(([name]) => texts[name] === undefined)) for (const [name, value] of known) set(name, value);
      else fields.push(fieldFrom(section, field));
    }
  }
  const urls = listIn(overview, "urls");
  const sites = urls.map((url) => textIn(url, "url") ?? "").filter((url) => url !== "");
  const first = textIn(overview, "url") ?? "";
  const labelled = urls.filter((url) => Object.entries(url).some(([name, value]) => name !== "url" && value !== "" && value !== null && value !== "website" && value !== "default"));
  const kept: JsonObject = Object.fromEntries(
    Object.entries({ ...rest, ...(kind === undefined || categoryUuid === "005" ? { categoryUuid: categoryUuid ?? null } : {}), ...(Number(favIndex ?? 0) > 1 ? { favIndex: favIndex ?? null } : {}), details: said(moreDetails), overview: said({ ...moreOverview, ...(labelled.length > 0 ? { urls: labelled } : {}) }) }).filter(([name, value]) => !saysNothing(value) && !(name === "state" && value === "active")),
  );
  const past = listIn(details, "passwordHistory").map(({ value, time }) => ({ password: typeof value === "string" ? value : "", ...(timeText(time) === undefined ? {} : { used: timeText(time) as string }) }));
  const item: Item = {
    ...emptyItem,
    kind: kind ?? "login",
    title: textIn(overview, "title") ?? "",
    texts,
    favorite: Number(favIndex ?? 0) > 0,
    sites: first === "" || sites.includes(first) ? sites : [first, ...sites],
    tags: Array.isArray(overview["tags"]) ? overview["tags"].filter((tag) => typeof tag === "string") : [],
    fields,
    past: past.filter(({ password }) => password !== ""),
    kept: { "1pux": kept },
  };
  const strange = Object.entries(kept).some(([name, value]) => !dullMembers.has(name) && !(isObject(value) && Object.keys(value).every((inner) => dullMembers.has(inner))));
  return { item, strange };
}

/** A field that its owner sees under its title; where it stood, and what it was if it was no text, stays with it. */
function fieldFrom(section: JsonObject, field: JsonObject): ItemField {
  const { title, value: _value, inputTraits, ...others } = field;
  const more = isObject(inputTraits) && Object.values(inputTraits).every((trait) => trait === "default") ? others : { ...others, inputTraits: inputTraits ?? null };
  const { kind, text, secret, raw } = fieldText(field["value"]);
  const about = { ...more, kind, section: said({ name: section["name"] ?? null, title: section["title"] ?? null }), value: raw };
  return { name: typeof title === "string" && title !== "" ? title : String(field["id"] ?? ""), value: text, secret, as: { "1pux": said(about) } };
}

async function filesOf(raw: JsonObject, member: Member): Promise<{ readonly files: readonly ItemFile[]; readonly missing: readonly string[] }> {
  const [files, missing]: [ItemFile[], string[]] = [[], []];
  const details = objectIn(raw, "details");
  const inFields = listIn(details, "sections").flatMap((section) => listIn(section, "fields")).map((field) => objectIn(objectIn(field, "value"), "file"));
  for (const attributes of [objectIn(details, "documentAttributes"), ...inFields]) {
    const [name, id] = [textIn(attributes, "fileName"), textIn(attributes, "documentId")];
    if (name === undefined || id === undefined) continue;
    const octets = await member(`files/${id}__${name}`);
    if (octets === undefined) missing.push(name);
    else files.push({ name, octets });
  }
  return { files, missing };
}

/** Seconds since 1970 as a time. */
function timeText(seconds: Json | undefined): string | undefined {
  return typeof seconds === "number" && seconds > 0 && seconds < 1e11 ? new Date(seconds * 1000).toISOString().replace(".000Z", "Z") : undefined;
}

function said(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => !saysNothing(value)));
}

function saysNothing(value: Json): boolean {
  return value === null || value === "" || value === false || (typeof value === "object" && Object.keys(value).length === 0);
}

function objectIn(of: Json | undefined, member: string): JsonObject {
  const value = isObject(of) ? of[member] : undefined;
  return isObject(value) ? value : {};
}

/** A list of which it is not one item that is damaged if it is none. */
function partsOf(of: JsonObject, member: string): readonly JsonObject[] {
  if (!Array.isArray(of[member] ?? [])) throw damaged(`its ${member} are no list.`);
  return listIn(of, member);
}

function listIn(of: JsonObject, member: string): readonly JsonObject[] {
  const value = of[member];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new MeshError("password-malformed", `Its member ${member} is no list.`);
  return (value as readonly Json[]).filter(isObject);
}

function textIn(of: JsonObject, member: string): string | undefined {
  const value = of[member];
  return typeof value === "string" ? value : undefined;
}
