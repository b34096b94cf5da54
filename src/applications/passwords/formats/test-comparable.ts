import type { FormatName } from "./formats.ts";
import { keepassDocument } from "./keepass-document.ts";
import { textOf } from "./keepass-shape.ts";
import type { XmlElement } from "./xml.ts";

/** A file as it can be compared: in no order, and without what says nothing. */
export function comparable(format: FormatName, text: string): unknown {
  if (format === "bitwarden") {
    const file = bare(JSON.parse(text)) as Record<string, unknown[]>;
    return { ...file, items: sorted(file["items"] ?? []), folders: sorted(file["folders"] ?? []) };
  }
  if (format === "keepassxc-xml") {
    const { root } = keepassDocument(text);
    return sorted(linesOf(root as XmlElement, ""));
  }
  return sorted(text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n").split("\n"));
}

/** Each text of a document with the way to it, entries and groups by their identifiers; who wrote it aside. */
function linesOf(one: XmlElement, way: string): readonly string[] {
  const key = one.name === "String" || one.name === "Item" ? textOf(one, "Key") : textOf(one, "UUID");
  const here = `${way}/${one.name}${key === "" ? "" : `[${key}]`}${JSON.stringify(one.attributes)}`;
  // KeePassXC writes the moment of its own export here.
  if (one.name === "Generator" || key === "_LAST_MODIFIED") return [];
  return one.children.length === 0 ? [`${here} ${one.text}`] : one.children.flatMap((inner) => linesOf(inner, here));
}

function sorted(list: readonly unknown[]): readonly unknown[] {
  return list.map((one) => JSON.stringify(one)).sort();
}

/** Bitwarden says null and [] where there is nothing, or does not say it at all, from version to version. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null && !(Array.isArray(one) && one.length === 0)).map(([name, one]) => [name, bare(one)]).sort());
}
