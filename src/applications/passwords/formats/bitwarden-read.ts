import { canonicalJson, type Json } from "../../../bytes/canonical-json.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { bitwardenDefaults, bitwardenDull, bitwardenKinds, bitwardenKnown, bitwardenTexts } from "./bitwarden-shape.ts";
import { damaged } from "./damage.ts";
import { folderPath } from "./folders.ts";
import { emptyItem, type Failure, type Folder, gatherTexts, isObject, type Item, type ItemField, type JsonObject, strayParts } from "./item.ts";
import { checkItems } from "./limits.ts";
import type { Contents } from "./plan.ts";

/** Reads a plain Bitwarden export, of a person or of an organisation; an item that is malformed is a failure, named. */
export function readBitwarden(file: Json): Contents {
  if (!isObject(file) || !Array.isArray(file["items"])) throw damaged("it is no export of Bitwarden: there is no list of items.");
  checkItems((file["items"] as readonly Json[]).length);
  const folders = foldersOf(file);
  const failed: Failure[] = [];
  const kept = new Set<Item>();
  const items = (file["items"] as readonly Json[]).flatMap((one, index): Item[] => {
    try {
      const { item, strange } = itemFrom(one, folders);
      if (strange) kept.add(item);
      failed.push(...strayParts(titleOf(one, index), listsOf(one)));
      return [item];
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      failed.push({ title: titleOf(one, index), why: error.message });
      return [];
    }
  });
  const known: Folder[] = [...folders].map(([id, path]) => ({ path, kept: { bitwarden: { id } } }));
  return { items, folders: known.filter(({ path }) => path !== ""), failed, kept };
}

/** The lists of an item of which only objects are read. */
function listsOf(one: Json): Readonly<Record<string, readonly Json[]>> {
  const whole = isObject(one) ? one : {};
  const login = isObject(whole["login"]) ? whole["login"] : {};
  return { fields: listIn(whole, "fields"), passwordHistory: listIn(whole, "passwordHistory"), uris: listIn(login, "uris"), fido2Credentials: listIn(login, "fido2Credentials") };
}

function titleOf(one: Json, index: number): string {
  const name = isObject(one) ? one["name"] : undefined;
  return typeof name === "string" && name !== "" ? name : `item ${index + 1}`;
}

/** Folders, and the collections of organisations, by identifier. Bitwarden nests them by slashes in their names. */
function foldersOf(file: JsonObject): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const list of ["folders", "collections"]) {
    if (!Array.isArray(file[list] ?? [])) throw damaged(`its ${list} are no list.`);
    for (const one of listIn(file, list)) {
      if (isObject(one) && typeof one["id"] === "string" && typeof one["name"] === "string") paths.set(one["id"], folderPath(one["name"].split("/")));
    }
  }
  return paths;
}

function itemFrom(one: Json, folders: ReadonlyMap<string, string>): { readonly item: Item; readonly strange: boolean } {
  if (!isObject(one)) throw malformed("It is no object.");
  const shape = bitwardenKinds.find(({ type }) => type === one["type"]);
  const member = shape?.member ?? "";
  const part = isObject(one[member]) ? one[member] : {};
  const { texts, set } = gatherTexts();
  for (const [from, to] of bitwardenTexts[member] ?? []) set(to, textIn(part, from));
  set("notes", textIn(one, "notes"));
  set("created", textIn(one, "creationDate"));
  set("modified", textIn(one, "revisionDate"));
  const collection = listIn(one, "collectionIds").find((id) => typeof id === "string");
  set("folder", folders.get(textIn(one, "folderId") ?? collection ?? ""));
  const uris = listIn(part, "uris").filter(isObject);
  const passkeys = listIn(part, "fido2Credentials").filter(isObject);
  const past = listIn(one, "passwordHistory").filter(isObject).map((old) => ({ password: textIn(old, "password") ?? "", ...(textIn(old, "lastUsedDate") === undefined ? {} : { used: textIn(old, "lastUsedDate") as string }) }));
  const kept = keptFrom(one, shape?.kind === undefined ? undefined : member, uris);
  const item: Item = {
    ...emptyItem,
    kind: shape?.kind ?? "login",
    title: textIn(one, "name") ?? "",
    texts,
    favorite: one["favorite"] === true,
    sites: uris.flatMap((uri) => textIn(uri, "uri") ?? []),
    fields: listIn(one, "fields").filter(isObject).map(fieldFrom),
    passkeys,
    past,
    kept: { bitwarden: kept },
  };
  return { item, strange: Object.entries(kept).some(([name, value]) => !bitwardenDull.has(name) && !(isObject(value) && Object.keys(value).every((inner) => bitwardenDull.has(inner)))) };
}

/** What of an item is not understood here; the whole of it where its kind is unknown. */
function keptFrom(one: JsonObject, member: string | undefined, uris: readonly JsonObject[]): JsonObject {
  const kept: Record<string, Json> = Object.fromEntries(Object.entries(one).filter(([name, value]) => !bitwardenKnown.has(name) && name !== member && !saysNothing(name, value)));
  if (member === undefined) return { ...kept, type: one["type"] ?? null };
  const known = new Set([...(bitwardenTexts[member] ?? []).map(([from]) => from), "uris", "fido2Credentials", ...(member === "secureNote" ? ["type"] : [])]);
  const part = Object.entries(isObject(one[member]) ? one[member] : {}).filter(([name, value]) => !known.has(name) && !saysNothing(name, value));
  const matched = uris.filter((uri) => Object.entries(uri).some(([name, value]) => name !== "uri" && value !== null));
  if (matched.length > 0) part.push(["uris", matched]);
  if (part.length > 0) kept[member] = Object.fromEntries(part);
  return kept;
}

function saysNothing(name: string, value: Json): boolean {
  return value === null || (Array.isArray(value) && value.length === 0) || (Object.hasOwn(bitwardenDefaults, name) && canonicalJson(value) === canonicalJson(bitwardenDefaults[name] as Json));
}

/** Types: 0 text, 1 hidden, 2 yes or no, 3 linked to a field of the item. */
function fieldFrom(one: JsonObject): ItemField {
  const { name: _name, value: _value, type, ...rest } = one;
  const others = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  const special = type !== 0 && type !== 1;
  const as = special || Object.keys(others).length > 0 ? { as: { bitwarden: { ...others, ...(special ? { type: type ?? null } : {}) } } } : {};
  return { name: textIn(one, "name") ?? "", value: textIn(one, "value") ?? "", secret: type === 1, ...as };
}

function textIn(object: JsonObject, member: string): string | undefined {
  const value = object[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw malformed(`Its member ${member} is no text.`);
  return value;
}

function listIn(object: JsonObject, member: string): readonly Json[] {
  const value = object[member];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed(`Its member ${member} is no list.`);
  return value as readonly Json[];
}

function malformed(why: string): MeshError {
  return new MeshError("password-malformed", why);
}
