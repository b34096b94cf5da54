import type { Json } from "../../../bytes/canonical-json.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { damaged } from "./damage.ts";
import { folderPath } from "./folders.ts";
import type { Kind } from "../kinds.ts";
import { emptyItem, type Failure, gatherTexts, isObject, type Item, type ItemField, type ItemFile, type ItemText, type JsonObject, strayParts } from "./item.ts";
import { categoryKinds, dullMembers, fieldText, textsOfField } from "./one-pux-shape.ts";
import { checkItems } from "./limits.ts";
import type { Contents } from "./plan.ts";

/** A file of the archive by its path. */
export type Member = (path: string) => Promise<Uint8Array | undefined>;

/** Reads the content of a 1Password export (`export.data`): accounts, vaults, items. A vault becomes a folder. */
export async function readOnePux(data: Json, member: Member): Promise<Contents> {
  if (!isObject(data) || !Array.isArray(data["accounts"])) throw damaged("it is no export of 1Password: there are no accounts.");
  const [items, failed, kept]: [Item[], Failure[], Set<Item>] = [[], [], new Set()];
  const lost = (title: string, list: readonly Json[], what: string): void => {
    for (const [index, one] of list.entries()) if (!isObject(one)) failed.push({ title: `${title}${what} ${index + 1}`, why: "It is no object." });
  };
  lost("", elementsOf(data, "accounts"), "account");
  for (const account of partsOf(data, "accounts")) {
    lost("", elementsOf(account, "vaults"), "vault");
    for (const vault of partsOf(account, "vaults")) {
      checkItems(items.length + elementsOf(vault, "items").length);
      lost("", elementsOf(vault, "items"), "item");
      const folder = folderPath([textIn(partIn(vault, "attrs"), "name") ?? ""].filter((name) => name !== ""));
      for (const [index, one] of partsOf(vault, "items").entries()) {
        // Earlier versions wrapped each item in an object.
        const raw = isObject(one["item"]) ? one["item"] : one;
        const title = textIn(partIn(raw, "overview"), "title") ?? `item ${index + 1}`;
        try {
          const { item, strange } = itemFrom(raw, folder);
          const { files, missing } = await filesOf(raw, member);
          const whole = { ...item, files };
          items.push(whole);
          if (strange) kept.add(whole);
          failed.push(...strayParts(title, listsOf(raw)));
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
  const [details, overview] = [partIn(raw, "details"), partIn(raw, "overview")];
  const kind = categoryKinds.get(String(raw["categoryUuid"]));
  const { texts, set } = gatherTexts();
  set("folder", folder);
  set("notes", textIn(details, "notesPlain"));
  set("password", textIn(details, "password"));
  set("created", timeText(raw["createdAt"]));
  set("modified", timeText(raw["updatedAt"]));
  const fields = [...loginFields(details, set), ...sectionFields(details, kind, set)];
  const urls = listIn(overview, "urls").flatMap((url) => textIn(url, "url") || []);
  const first = textIn(overview, "url") ?? "";
  const kept = keptFrom(raw, kind);
  const item: Item = {
    ...emptyItem,
    kind: kind ?? "login",
    title: textIn(overview, "title") ?? "",
    texts,
    favorite: Number(raw["favIndex"] ?? 0) > 0,
    sites: first === "" || urls.includes(first) ? urls : [first, ...urls],
    tags: Array.isArray(overview["tags"]) ? overview["tags"].filter((tag) => typeof tag === "string") : [],
    fields,
    past: listIn(details, "passwordHistory").flatMap(({ value, time }) => (typeof value !== "string" || value === "" ? [] : [{ password: value, ...usedAt(timeText(time)) }])),
    kept: { "1pux": kept },
  };
  const isDull = (name: string, value: Json): boolean => dullMembers.has(name) || (isObject(value) && Object.keys(value).every((inner) => dullMembers.has(inner)));
  return { item, strange: !Object.entries(kept).every(([name, value]) => isDull(name, value)) };
}

type SetText = ReturnType<typeof gatherTexts>["set"];

/** The fields of a web page: user name and password, and what else was typed into it. */
function loginFields(details: JsonObject, set: SetText): readonly ItemField[] {
  return listIn(details, "loginFields").flatMap(({ designation, value, name, id, fieldType, ...more }) => {
    if (typeof value !== "string" || value === "") return [];
    if ((designation === "username" || designation === "password") && set(designation, value)) return [];
    return [{ name: String(name || id || ""), value, secret: fieldType === "P", as: { "1pux": said({ ...more, designation: designation ?? null, fieldType: fieldType ?? null, id: id ?? null }) } }];
  });
}

/** The fields of sections that are no text of ours; those without a value are there in every item of a category, and left out. */
function sectionFields(details: JsonObject, kind: Kind | undefined, set: SetText): readonly ItemField[] {
  return listIn(details, "sections").flatMap((section) =>
    listIn(section, "fields").flatMap((field) => {
      const value = field["value"];
      if (isObject(value) && isObject(value["file"])) return [];
      const known = textsOfField(kind, field);
      if (known !== undefined && known.length > 0 && set(...known[0] as [ItemText, string])) {
        for (const [name, text] of known) set(name, text);
        return [];
      }
      const { text, raw } = fieldText(value);
      return text === "" && raw === null ? [] : [fieldFrom(section, field)];
    }),
  );
}

/** What of an item is not understood: members of it, of its details and of its overview. */
function keptFrom(raw: JsonObject, kind: Kind | undefined): JsonObject {
  const { details: _details, overview: _overview, createdAt: _created, updatedAt: _updated, favIndex, categoryUuid, state, ...rest } = raw;
  const { loginFields: _login, notesPlain: _notes, sections: _sections, passwordHistory: _history, password: _password, documentAttributes: _document, ...details } = partIn(raw, "details");
  const { title: _title, url: _url, urls: _urls, tags: _tags, ...overview } = partIn(raw, "overview");
  const usual = new Set<Json>(["", null, "website", "default"]);
  const labelled = listIn(partIn(raw, "overview"), "urls").filter((url) => Object.entries(url).some(([name, value]) => name !== "url" && !usual.has(value)));
  return said({
    ...rest,
    categoryUuid: kind === undefined || categoryUuid === "005" ? (categoryUuid ?? null) : null,
    details: said(details),
    favIndex: Number(favIndex ?? 0) > 1 ? (favIndex ?? null) : null,
    overview: said({ ...overview, urls: labelled }),
    state: state === "active" ? null : (state ?? null),
  });
}

function usedAt(used: string | undefined): { readonly used?: string } {
  return used === undefined ? {} : { used };
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
  const details = partIn(raw, "details");
  const inFields = listIn(details, "sections").flatMap((section) => listIn(section, "fields")).map((field) => partIn(partIn(field, "value"), "file"));
  for (const attributes of [partIn(details, "documentAttributes"), ...inFields]) {
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

function partIn(of: Json | undefined, member: string): JsonObject {
  const value = isObject(of) ? of[member] : undefined;
  return isObject(value) ? value : {};
}

/** A list of which it is not one item that is damaged if it is none. */
function elementsOf(of: JsonObject, member: string): readonly Json[] {
  const list = of[member] ?? [];
  if (!Array.isArray(list)) throw damaged(`its ${member} are no list.`);
  return list as readonly Json[];
}

function partsOf(of: JsonObject, member: string): readonly JsonObject[] {
  return elementsOf(of, member).filter(isObject);
}

/** The lists of an item of which only objects are read. */
function listsOf(raw: JsonObject): Readonly<Record<string, readonly Json[]>> {
  const [details, overview] = [partIn(raw, "details"), partIn(raw, "overview")];
  const fields = listIn(details, "sections").flatMap((section) => allIn(section, "fields"));
  return { urls: allIn(overview, "urls"), loginFields: allIn(details, "loginFields"), sections: allIn(details, "sections"), fields, passwordHistory: allIn(details, "passwordHistory") };
}

function listIn(of: JsonObject, member: string): readonly JsonObject[] {
  return allIn(of, member).filter(isObject);
}

/** A list of an item; one that is none is the fault of that item alone. */
function allIn(of: JsonObject, member: string): readonly Json[] {
  const value = of[member];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new MeshError("password-malformed", `Its member ${member} is no list.`);
  return value as readonly Json[];
}

function textIn(of: JsonObject, member: string): string | undefined {
  const value = of[member];
  return typeof value === "string" ? value : undefined;
}
