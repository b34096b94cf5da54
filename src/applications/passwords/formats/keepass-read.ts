import type { Json } from "../../../bytes/canonical-json.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { isDetail, kinds } from "../kinds.ts";
import { damaged } from "./damage.ts";
import { folderPath } from "./folders.ts";
import { emptyItem, type Failure, type Folder, gatherTexts, type Item, type ItemField, type ItemFile } from "./item.ts";
import { dullElements, elementToJson, entryDefaults, entryRead, groupDefaults, groupRead, isUsuallyProtected, KIND, MORE_SITES, OTP, standardStrings, textOf, unusualElements, unusualTimes } from "./keepass-shape.ts";
import { maxGroups } from "./limits.ts";
import type { Contents } from "./plan.ts";
import { child, element, type XmlDocument, type XmlElement } from "./xml.ts";

/** The content of a file within the database, by the number that entries call it by. */
export type Files = (reference: string) => Uint8Array | undefined;

type Found = { readonly items: Item[]; readonly folders: Folder[]; readonly failed: Failure[]; readonly kept: Set<Item>; readonly files: Files };

/**
 * Reads the document of a KeePass database, out of a KeePassXC export or out of the database itself.
 *
 * Groups become folders, the one that holds all others being no folder of its own. What has no meaning here stays with entry or folder.
 * @throws MeshError `import-damaged`, unless `partial` takes what stands before the damage
 */
export function readKeepass({ root, damage }: XmlDocument, files: Files, partial: boolean): Contents {
  if (damage !== undefined && !partial) throw damaged(`${damage}.`);
  const top = child(child(root, "Root"), "Group");
  if (root?.name !== "KeePassFile" || top === undefined) throw damaged("it is no document of KeePass.");
  const found: Found = { items: [], folders: [], failed: [], kept: new Set(), files };
  readGroup(found, top, []);
  const meta = child(root, "Meta")?.children.filter(({ name }) => name !== "Generator" && name !== "Binaries") ?? [];
  const [first, ...rest] = found.folders;
  if (first !== undefined) found.folders.splice(0, 1, ...rest, { path: "", kept: { keepass: { ...(first.kept.keepass as object), name: textOf(top, "Name"), meta: meta.map(elementToJson) } } });
  if (damage !== undefined) found.failed.push({ title: "(the rest of the file)", why: `The document is damaged: ${damage}.` });
  return found;
}

function readGroup(found: Found, group: XmlElement, names: readonly string[]): void {
  if (names.length > maxGroups) return void found.failed.push({ title: `the group ${names.at(-1) ?? ""}`, why: `Groups stand deeper than ${maxGroups} in one another.` });
  const path = folderPath(names);
  const times = child(group, "Times");
  const [created, modified] = [textOf(times, "CreationTime"), textOf(times, "LastModificationTime")];
  const unusual = unusualTimes(times, created, modified);
  const elements = unusualElements(group, groupRead, groupDefaults).map(elementToJson);
  found.folders.push({ path, kept: { keepass: { uuid: textOf(group, "UUID"), created, modified, ...(Object.keys(unusual).length > 0 ? { times: unusual } : {}), ...(elements.length > 0 ? { elements } : {}) } } });
  for (const one of group.children) {
    if (one.name === "Group") readGroup(found, one, [...names, textOf(one, "Name")]);
    else if (one.name === "Entry") readEntry(found, one, path);
  }
}

function readEntry(found: Found, entry: XmlElement, path: string): void {
  const title = stringsOf(entry).find(({ key }) => key === "Title")?.value ?? "";
  if (entry.cut === true) return void found.failed.push({ title: title === "" ? "(an entry)" : title, why: "Its end is missing." });
  try {
    const { item, strange, missing } = itemFrom(entry, path, found.files);
    found.items.push(item);
    if (strange) found.kept.add(item);
    for (const name of missing) found.failed.push({ title: `${title}: ${name}`, why: "This file is not in the database." });
    const old = child(entry, "History")?.children.some((version) => version.children.some(({ name }) => name === "Binary"));
    if (old === true) found.failed.push({ title: `${title}: its history`, why: "Files of earlier versions are not kept; the rest of the history is." });
  } catch (error) {
    if (!(error instanceof MeshError)) throw error;
    found.failed.push({ title, why: error.message });
  }
}

type KeepassString = { readonly key: string; readonly value: string; readonly protected: boolean };

function stringsOf(entry: XmlElement): readonly KeepassString[] {
  return entry.children.filter(({ name }) => name === "String").map((one) => {
    const value = child(one, "Value");
    return { key: textOf(one, "Key"), value: value?.text ?? "", protected: value?.attributes["ProtectInMemory"] === "True" };
  });
}

function itemFrom(entry: XmlElement, path: string, files: Files): { readonly item: Item; readonly strange: boolean; readonly missing: readonly string[] } {
  if (entry.children.some((one) => child(one, "Value")?.attributes["Protected"] === "True")) throw new MeshError("password-malformed", "Its texts are encrypted by themselves, and the key is not in this file.");
  const strings = stringsOf(entry);
  const at = (key: string): string => strings.find((one) => one.key === key)?.value ?? "";
  const { texts, set } = gatherTexts();
  const times = child(entry, "Times");
  const [created, modified] = [textOf(times, "CreationTime"), textOf(times, "LastModificationTime")];
  for (const [name, value] of [["username", at("UserName")], ["password", at("Password")], ["notes", at("Notes")], ["totp", at(OTP)], ["folder", path], ["created", created], ["modified", modified]] as const) set(name, value);
  const fields: ItemField[] = [];
  const sites = [at("URL")];
  for (const one of strings) {
    if ((standardStrings as readonly string[]).includes(one.key) || one.key === OTP || one.key === KIND) continue;
    if (isDetail(one.key)) set(one.key, one.value);
    else if (MORE_SITES.test(one.key)) sites.push(one.value);
    else fields.push({ name: one.key, value: one.value, secret: one.protected });
  }
  const unusual = unusualTimes(times, created, modified);
  const elements = unusualElements(withoutFiles(entry), entryRead, entryDefaults);
  const turned = strings.filter((one) => ([...standardStrings, OTP] as readonly string[]).includes(one.key) && one.protected !== isUsuallyProtected(one.key)).map(({ key }) => key);
  const kept: Json = { uuid: textOf(entry, "UUID"), ...(Object.keys(unusual).length > 0 ? { times: unusual } : {}), ...(turned.length > 0 ? { protection: turned } : {}), ...(elements.length > 0 ? { elements: elements.map(elementToJson) } : {}) };
  const held = filesOf(entry, files);
  return {
    item: {
      ...emptyItem,
      kind: kinds.find((kind) => kind === at(KIND)) ?? "login",
      title: at("Title"),
      texts,
      sites: sites.filter((site) => site !== ""),
      tags: textOf(entry, "Tags").split(/[;,\t]/).map((tag) => tag.trim()).filter((tag) => tag !== ""),
      fields,
      past: pastOf(entry, at("Password")),
      kept: { keepass: kept },
      files: held.files,
    },
    strange: unusual["Expires"] !== undefined || elements.some(({ name }) => !dullElements.has(name)),
    missing: held.missing,
  };
}

function filesOf(entry: XmlElement, files: Files): { readonly files: readonly ItemFile[]; readonly missing: readonly string[] } {
  const [held, missing]: [ItemFile[], string[]] = [[], []];
  for (const one of entry.children.filter(({ name }) => name === "Binary")) {
    const name = textOf(one, "Key");
    const octets = files(child(one, "Value")?.attributes["Ref"] ?? "");
    if (octets === undefined) missing.push(name);
    else held.push({ name, octets });
  }
  return { files: held, missing };
}

/** Passwords of earlier versions, the latest first, each once. */
function pastOf(entry: XmlElement, now: string): Item["past"] {
  const past = new Map<string, string>();
  for (const version of child(entry, "History")?.children ?? []) {
    const password = stringsOf(version).find(({ key }) => key === "Password")?.value ?? "";
    if (password === "" || password === now) continue;
    past.delete(password);
    past.set(password, textOf(child(version, "Times"), "LastModificationTime"));
  }
  return [...past].reverse().map(([password, used]) => ({ password, ...(used === "" ? {} : { used }) }));
}

/** An entry whose history names no files: they would mean others in another database. */
function withoutFiles(entry: XmlElement): XmlElement {
  const history = child(entry, "History");
  if (history === undefined || history.children.every((version) => version.children.every(({ name }) => name !== "Binary"))) return entry;
  const versions = history.children.map((version) => ({ ...version, children: version.children.filter(({ name }) => name !== "Binary") }));
  return { ...entry, children: entry.children.map((one) => (one === history ? element("History", versions) : one)) };
}
