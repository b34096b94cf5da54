import type { Json } from "../../../bytes/canonical-json.ts";
import { bitwardenKinds, bitwardenTexts } from "./bitwarden-shape.ts";
import { folderNames } from "./folders.ts";
import { type Folder, isObject, type Item, type ItemField, type JsonObject, titleFor } from "./item.ts";
import { uuidOf } from "./uuid.ts";

/** Writes a plain Bitwarden export; `now` (RFC 3339) stands for times that nobody knows. */
export function writeBitwarden(items: readonly Item[], folders: readonly Folder[], now: string): string {
  const ids = new Map<string, string>();
  const addFolder = (path: string, id: Json | undefined): void => {
    if (path !== "" && !ids.has(path)) ids.set(path, typeof id === "string" ? id : uuidOf(`bitwarden/${path}`));
  };
  for (const { path, kept } of folders) addFolder(path, isObject(kept.bitwarden) ? kept.bitwarden["id"] : undefined);
  for (const item of items) addFolder(item.texts.folder ?? "", undefined);
  const file = {
    encrypted: false,
    folders: [...ids].map(([path, id]) => ({ id, name: folderNames(path).join("/") })),
    items: items.map((item) => itemTo(item, ids, now)),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

function itemTo(item: Item, folders: ReadonlyMap<string, string>, now: string): JsonObject {
  const shape = bitwardenKinds.find(({ kind }) => kind === item.kind) ?? { type: 1, member: "login" };
  const { [shape.member]: keptPart, ...kept } = isObject(item.kept.bitwarden) ? item.kept.bitwarden : {};
  const foreign = kept["type"] !== undefined;
  const { texts } = item;
  return {
    passwordHistory: item.past.length === 0 ? null : item.past.map(({ password, used }) => ({ lastUsedDate: used ?? now, password })),
    revisionDate: texts.modified ?? now,
    creationDate: texts.created ?? now,
    deletedDate: null,
    ...(kept["id"] === undefined ? {} : { id: kept["id"] }),
    organizationId: null,
    folderId: folders.get(texts.folder ?? "") ?? null,
    type: shape.type,
    reprompt: 0,
    name: titleFor(item, "bitwarden"),
    notes: texts.notes ?? null,
    favorite: item.favorite,
    ...(item.fields.length === 0 ? {} : { fields: item.fields.map(fieldTo) }),
    ...(foreign ? {} : { [shape.member]: partTo(item, shape.member, isObject(keptPart) ? keptPart : {}) }),
    collectionIds: null,
    ...kept,
  };
}

function partTo(item: Item, member: string, kept: JsonObject): JsonObject {
  const texts = Object.fromEntries((bitwardenTexts[member] ?? []).map(([to, from]) => [to, item.texts[from] ?? null]));
  if (member === "secureNote") return { type: 0, ...kept };
  if (member !== "login") return { ...texts, ...kept };
  const { uris: matched, ...rest } = kept;
  const matches = Array.isArray(matched) ? (matched as readonly Json[]).filter(isObject) : [];
  const uris = item.sites.map((uri) => {
    // Each kept rule goes to one site: there may be two for the same one.
    const at = matches.findIndex((one) => one["uri"] === uri);
    return { match: null, uri, ...(at < 0 ? {} : matches.splice(at, 1)[0]) };
  });
  return { uris, ...texts, fido2Credentials: item.passkeys, ...rest };
}

function fieldTo({ name, value, secret, as }: ItemField): JsonObject {
  const known = isObject(as?.["bitwarden"]) ? as["bitwarden"] : {};
  return { name: name === "" ? null : name, value: value === "" ? null : value, type: secret ? 1 : 0, linkedId: null, ...known };
}
