import type { Json } from "../../../bytes/canonical-json.ts";
import { isObject, type JsonObject } from "./item.ts";
import { child, element, textElement, type XmlElement } from "./xml.ts";

/** What an item or a folder keeps of a KeePass entry or group (`kept.keepass`): its elements that have no meaning here, as lists. */
export type KeptElements = readonly XmlElement[];

/** The texts that every entry has, in the order of their names, which is how they are written. */
export const standardStrings = ["Notes", "Password", "Title", "URL", "UserName"] as const;

/** The attribute with the secret of one-time codes, and those with further sites (of browsers' extensions). */
export const OTP = "otp";
export const MORE_SITES = /^KP2A_URL(?:_\d+)?$/;

/** The attribute in which we tell the kind of what is no login. */
export const KIND = "mesh.kind";

/** Whether a string is protected unless an entry says otherwise. */
export function isUsuallyProtected(key: string): boolean {
  return key === "Password" || key === OTP;
}

/** The times of an entry or group, in order, and what each is where nothing says otherwise. */
const timeNames = ["LastModificationTime", "CreationTime", "LastAccessTime", "ExpiryTime", "Expires", "UsageCount", "LocationChanged"] as const;

/** The times that differ from what follows from `created` and `modified`. */
export function unusualTimes(times: XmlElement | undefined, created: string, modified: string): JsonObject {
  const usual = usualTimes(created, modified);
  return Object.fromEntries((times?.children ?? []).filter(({ name, text }) => usual[name] !== text).map(({ name, text }) => [name, text]));
}

/** The element of times again. */
export function timesElement(created: string, modified: string, unusual: Json | undefined): XmlElement {
  const all: Readonly<Record<string, Json>> = { ...usualTimes(created, modified), ...(isObject(unusual) ? unusual : {}) };
  const names = [...timeNames, ...Object.keys(all).filter((name) => !(timeNames as readonly string[]).includes(name))];
  return element("Times", names.map((name) => textElement(name, String(all[name] ?? ""))));
}

function usualTimes(created: string, modified: string): Readonly<Record<string, string>> {
  return { LastModificationTime: modified, CreationTime: created, LastAccessTime: modified, ExpiryTime: created, Expires: "False", UsageCount: "0", LocationChanged: created };
}

/** The elements of an entry besides what is read, as they are in an entry of which nothing else is known. */
export const entryDefaults: KeptElements = [
  textElement("IconID", "0"),
  textElement("ForegroundColor", ""),
  textElement("BackgroundColor", ""),
  textElement("OverrideURL", ""),
  element("AutoType", [textElement("Enabled", "True"), textElement("DataTransferObfuscation", "0"), textElement("DefaultSequence", "")]),
  element("History", []),
];

/** As `entryDefaults`, of a group. */
export const groupDefaults: KeptElements = [
  textElement("Notes", ""),
  textElement("IconID", "48"),
  textElement("IsExpanded", "True"),
  textElement("DefaultAutoTypeSequence", ""),
  textElement("EnableAutoType", "null"),
  textElement("EnableSearching", "null"),
  textElement("LastTopVisibleEntry", "AAAAAAAAAAAAAAAAAAAAAA=="),
];

/** Children of these names are read, and so never kept. */
export const entryRead: ReadonlySet<string> = new Set(["UUID", "Tags", "Times", "String", "Binary"]);
export const groupRead: ReadonlySet<string> = new Set(["UUID", "Name", "Times", "Entry", "Group"]);

/** Elements that are kept and not worth a word. */
export const dullElements: ReadonlySet<string> = new Set(["IconID", "CustomIconUUID", "IsExpanded", "LastTopVisibleEntry", "PreviousParentGroup"]);

/** The children that are neither read nor as in `defaults`. */
export function unusualElements(of: XmlElement, read: ReadonlySet<string>, defaults: KeptElements): KeptElements {
  return of.children.filter((one) => {
    if (read.has(one.name)) return false;
    const usual = defaults.find(({ name }) => name === one.name);
    return usual === undefined || !sameElement(usual, one);
  });
}

/** The defaults with what was kept in their places, and what else was kept. */
export function withKept(defaults: KeptElements, kept: KeptElements): { readonly usual: (name: string) => XmlElement; readonly more: KeptElements } {
  const usual = (name: string): XmlElement => kept.find((one) => one.name === name) ?? defaults.find((one) => one.name === name) ?? textElement(name, "");
  return { usual, more: kept.filter((one) => !defaults.some(({ name }) => name === one.name)) };
}

function sameElement(a: XmlElement, b: XmlElement): boolean {
  return a.name === b.name && a.text === b.text && a.children.length === b.children.length && JSON.stringify(a.attributes) === JSON.stringify(b.attributes) && a.children.every((one, index) => sameElement(one, b.children[index] ?? one));
}

/** An element as a list: its name, its attributes if it has any, its text or its children. */
export function elementToJson({ name, attributes, children, text }: XmlElement): Json {
  return [name, ...(Object.keys(attributes).length > 0 ? [attributes] : []), ...(children.length > 0 ? children.map(elementToJson) : text === "" ? [] : [text])];
}

const NAME = /^[A-Za-z_][\w.-]*$/;

/** The element again; undefined for what is none. */
export function elementFromJson(json: Json): XmlElement | undefined {
  if (!Array.isArray(json)) return undefined;
  const [name, ...rest] = json as readonly Json[];
  if (typeof name !== "string" || !NAME.test(name)) return undefined;
  const attributes = isObject(rest[0]) ? Object.entries(rest.shift() as JsonObject).flatMap(([key, value]) => (NAME.test(key) && typeof value === "string" ? [[key, value] as const] : [])) : [];
  const [first] = rest;
  return { name, attributes: Object.fromEntries(attributes), children: rest.flatMap((one) => elementFromJson(one) ?? []), text: typeof first === "string" ? first : "" };
}

/** The elements kept under a name. */
export function keptElements(kept: Json | undefined, name: string): KeptElements {
  const list = isObject(kept) ? kept[name] : undefined;
  return Array.isArray(list) ? (list as readonly Json[]).flatMap((one) => elementFromJson(one) ?? []) : [];
}

/** The text of a child, empty where there is none. */
export function textOf(of: XmlElement | undefined, name: string): string {
  return child(of, name)?.text ?? "";
}
