import type { Json } from "../../../bytes/canonical-json.ts";
import { detailNames, isSecretDetail } from "../kinds.ts";
import { toBase64 } from "./base64.ts";
import { folderNames } from "./folders.ts";
import { type Failure, type Folder, isObject, type Item, type ItemField, titleFor } from "./item.ts";
import { entryDefaults, groupDefaults, isUsuallyProtected, KIND, keptElements, OTP, standardStrings, textOf, timesElement, withKept } from "./keepass-shape.ts";
import { maxGroups } from "./limits.ts";
import { element, isSayable, textElement, writeXml, type XmlElement } from "./xml.ts";
import { uuidOctets } from "./uuid.ts";

/** What all groups and entries of one document need. */
type Context = {
  readonly now: string;
  /** What is kept of each folder. */
  readonly kept: ReadonlyMap<string, Json | undefined>;
  /** The number of an item's first file among all. */
  readonly first: (item: Item) => number;
  /** The identifier that was kept, unless another has it already; else one that follows from the text. */
  readonly uuid: (kept: Json | undefined, text: string) => string;
};

type Group = { readonly path: string; readonly name: string; readonly groups: Map<string, Group>; readonly items: Item[] };

/** Writes a KeePassXC export; `now` (RFC 3339) stands for times that nobody knows. What it has no place for is named. */
export function writeKeepass(items: readonly Item[], folders: readonly Folder[], now: string): { readonly text: string; readonly failed: readonly Failure[] } {
  const top: Group = { path: "", name: "Passwords", groups: new Map(), items: [] };
  const kept = new Map(folders.map((folder) => [folder.path, folder.kept.keepass]));
  for (const { path } of folders) groupAt(top, path);
  for (const item of items) groupAt(top, item.texts.folder ?? "").items.push(item);
  const context: Context = { now: secondsOf(now), kept, first: numbering(items), uuid: identifying() };
  const meta = keptElements(kept.get(""), "meta");
  const root = element("KeePassFile", [element("Meta", [textElement("Generator", "Mesh"), ...meta, ...binariesOf(items)]), element("Root", [groupTo(top, context), textElement("DeletedObjects", "")])]);
  return { text: writeXml(root), failed: items.flatMap((item) => lost(item)) };
}

function groupAt(top: Group, path: string): Group {
  let group = top;
  const names = folderNames(path);
  // Folders deeper than groups may be become one, by all their names.
  for (const name of names.length > maxGroups ? [...names.slice(0, maxGroups - 1), names.slice(maxGroups - 1).join("/")] : names) {
    let next = group.groups.get(name);
    if (next === undefined) group.groups.set(name, (next = { path: group === top ? escapedName(name) : `${group.path}/${escapedName(name)}`, name, groups: new Map(), items: [] }));
    group = next;
  }
  return group;
}

function escapedName(name: string): string {
  return name.replaceAll(/[\\/]/g, "\\$&");
}

/** The files of all items, in order; entries call them by number. */
function binariesOf(items: readonly Item[]): readonly XmlElement[] {
  const files = items.flatMap((item) => item.files);
  return files.length === 0 ? [] : [element("Binaries", files.map(({ octets }, index) => textElement("Binary", toBase64(octets), { ID: String(index) })))];
}

function numbering(items: readonly Item[]): Context["first"] {
  const numbers = new Map<Item, number>();
  let files = 0;
  for (const item of items) {
    numbers.set(item, files);
    files += item.files.length;
  }
  return (item) => numbers.get(item) ?? 0;
}

function identifying(): Context["uuid"] {
  const taken = new Set<string>();
  return (kept, text) => {
    const uuid = typeof kept === "string" && kept !== "" && !taken.has(kept) ? kept : uuidFor(text);
    taken.add(uuid);
    return uuid;
  };
}

function groupTo(group: Group, context: Context): XmlElement {
  const { now } = context;
  const own = context.kept.get(group.path);
  const about = isObject(own) ? own : {};
  const text = (name: string, otherwise: string): string => (typeof about[name] === "string" && about[name] !== "" ? about[name] : otherwise);
  const { usual, more } = withKept(groupDefaults, keptElements(own, "elements"));
  return element("Group", [
    textElement("UUID", context.uuid(about["uuid"], `group/${group.path}`)),
    textElement("Name", group.path === "" ? text("name", group.name) : group.name),
    usual("Notes"),
    usual("IconID"),
    timesElement(text("created", now), text("modified", now), about["times"]),
    ...groupDefaults.slice(2).map(({ name }) => usual(name)),
    ...more,
    ...group.items.map((item) => entryTo(item, context)),
    ...[...group.groups.values()].map((inner) => groupTo(inner, context)),
  ]);
}

function entryTo(item: Item, { first, now, uuid: identify }: Context): XmlElement {
  const kept = isObject(item.kept.keepass) ? item.kept.keepass : {};
  const { usual, more } = withKept(entryDefaults, keptElements(kept, "elements"));
  const [created, modified] = [secondsOf(item.texts.created ?? now), secondsOf(item.texts.modified ?? now)];
  const strings = stringsTo(item, kept["protection"]);
  const uuid = textElement("UUID", identify(kept["uuid"], `entry/${item.name ?? item.title}`));
  return element("Entry", [
    uuid,
    ...["IconID", "ForegroundColor", "BackgroundColor", "OverrideURL"].map(usual),
    textElement("Tags", item.tags.join(",")),
    timesElement(created, modified, kept["times"]),
    ...more,
    ...strings,
    ...item.files.map(({ name }, index) => element("Binary", [textElement("Key", name), textElement("Value", "", { Ref: String(first(item) + index) })])),
    usual("AutoType"),
    historyTo(item, usual("History"), uuid, strings),
  ]);
}

function stringsTo(item: Item, protection: Json | undefined): readonly XmlElement[] {
  const turned = Array.isArray(protection) ? (protection as readonly Json[]) : [];
  const { texts } = item;
  const [site = "", ...more] = item.sites;
  const standard: Readonly<Record<string, string | undefined>> = { Notes: texts.notes, Password: texts.password, Title: titleFor(item, "keepass"), URL: site, UserName: texts.username };
  const others: ItemField[] = [
    ...item.fields,
    ...more.map((value, index) => ({ name: index === 0 ? "KP2A_URL" : `KP2A_URL_${index}`, value, secret: false })),
    ...(texts.totp === undefined ? [] : [{ name: OTP, value: texts.totp, secret: true }]),
    ...(item.kind === "login" ? [] : [{ name: KIND, value: item.kind, secret: false }]),
    ...detailNames.flatMap((name) => (texts[name] === undefined ? [] : [{ name, value: texts[name], secret: isSecretDetail(name) }])),
  ];
  const one = (name: string, value: string, secret: boolean): XmlElement => element("String", [textElement("Key", name), textElement("Value", value, secret !== turned.includes(name) ? { ProtectInMemory: "True" } : {})]);
  const all = [...standardStrings.map((name) => one(name, standard[name] ?? "", isUsuallyProtected(name))), ...distinct(others).map(({ name, value, secret }) => one(name, value, secret))];
  return all.sort((a, b) => (textOf(a, "Key") < textOf(b, "Key") ? -1 : 1));
}

/** A KeePass entry has each name once, and none that is empty. */
function distinct(fields: readonly ItemField[]): readonly ItemField[] {
  const taken = new Set<string>(standardStrings);
  return fields.map((field) => {
    const base = field.name === "" ? "field" : field.name;
    let name = base;
    for (let number = 2; taken.has(name); number++) name = `${base} ${number}`;
    taken.add(name);
    return { ...field, name };
  });
}

/** The history that was kept, and before it the passwords that it does not hold, each as a version of the entry. */
function historyTo(item: Item, kept: XmlElement, uuid: XmlElement, strings: readonly XmlElement[]): XmlElement {
  const held = new Set(kept.children.map((version) => textOf(version.children.find((one) => textOf(one, "Key") === "Password"), "Value")));
  const versions = item.past.filter(({ password }) => !held.has(password)).toReversed().map(({ password, used }) =>
    element("Entry", [
      uuid,
      ...(used === undefined ? [] : [timesElement(secondsOf(item.texts.created ?? used), secondsOf(used), undefined)]),
      ...strings.map((one) => (textOf(one, "Key") === "Password" ? element("String", [textElement("Key", "Password"), textElement("Value", password, { ProtectInMemory: "True" })]) : one)),
    ]),
  );
  return element("History", [...kept.children, ...versions]);
}

function lost(item: Item): readonly Failure[] {
  const title = item.title === "" ? (item.name ?? "") : item.title;
  const why = [
    ...(item.passkeys.length > 0 ? ["passkeys have no place in this format"] : []),
    ...(Object.values(item.texts).some((text) => text !== undefined && !isSayable(text)) || item.fields.some(({ value }) => !isSayable(value)) ? ["control characters have no place in XML and were left out"] : []),
  ];
  return why.length === 0 ? [] : [{ title, why: `Exported but for this: ${why.join("; ")}.` }];
}

function secondsOf(time: string): string {
  return time.replace(/\.\d+(?=Z$)/, "");
}

function uuidFor(text: string): string {
  return toBase64(uuidOctets(`keepass/${text}`));
}
