import { maxDepth } from "./limits.ts";

/** An element; of text and white space between elements only what stands in an element without others is kept. */
export type XmlElement = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
  /** Its end is missing. */
  readonly cut?: true;
};

/** A document as it was read; `damage` says where reading ended early, if it did. */
export type XmlDocument = { readonly root: XmlElement | undefined; readonly damage: string | undefined };

type Open = { readonly name: string; readonly attributes: XmlElement["attributes"]; children: XmlElement[] | undefined; text: string };

// Most elements have none of either; a document has millions.
const [noAttributes, noChildren]: [XmlElement["attributes"], readonly XmlElement[]] = [{}, []];

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const TAG = /([A-Za-z_][\w.-]*)((?:\s+[A-Za-z_][\w.:-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const ATTRIBUTE = /([A-Za-z_][\w.:-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g;

/**
 * Reads XML of the plain kind that password managers write: elements, attributes, text, comments, the five entities and characters by
 * number; no document type, no instructions, no names of namespaces.
 *
 * What is not of that kind, deeper than 64 or cut off ends the reading; what stands before it is there, elements that were open marked `cut`.
 * `leaf` may put another in the place of each whole element without children, in the order in which they stand.
 */
export function readXml(source: string, leaf: (element: XmlElement) => XmlElement = (element) => element): XmlDocument {
  const text = source.replaceAll("\r\n", "\n");
  const open: Open[] = [];
  let root: XmlElement | undefined;
  const close = (cut: boolean): void => {
    const done = open.pop();
    if (done === undefined) return;
    const { name, attributes, children, text } = done;
    const made: XmlElement = children === undefined ? { name, attributes, children: noChildren, text } : { name, attributes, children, text: "" };
    const element = cut ? { ...made, cut: true as const } : children === undefined ? leaf(made) : made;
    const parent = open.at(-1);
    if (parent === undefined) root = element;
    else (parent.children ??= []).push(element);
  };
  const broken = (why: string, at: number): XmlDocument => {
    while (open.length > 0) close(true);
    return { root, damage: `${why}, at character ${at}` };
  };
  let at = /^\uFEFF?\s*(?:<\?xml\s[^?]*\?>)?/.exec(text)?.[0].length ?? 0;
  while (at < text.length) {
    const next = text.indexOf("<", at);
    const between = next < 0 ? text.slice(at) : text.slice(at, next);
    const holder = open.at(-1);
    if (holder === undefined) {
      if (between.trim() !== "") return broken("text stands outside of the document", at);
    } else if (between !== "" && holder.children === undefined) {
      const value = unescaped(between);
      if (value === undefined) return broken("an entity is not one of the five", at);
      holder.text += value;
    } else if (between.trim() !== "") return broken("text stands between elements", at);
    if (next < 0) break;
    at = next;
    if (text.startsWith("<!--", at)) {
      const end = text.indexOf("-->", at);
      if (end < 0) return broken("a comment is never closed", at);
      at = end + 3;
    } else if (text.startsWith("</", at)) {
      const end = text.indexOf(">", at);
      if (holder === undefined || end < 0 || text.slice(at + 2, end).trimEnd() !== holder.name) return broken("an end does not match", at);
      close(false);
      at = end + 1;
    } else {
      TAG.lastIndex = at + 1;
      const tag = TAG.exec(text);
      if (tag === null) return broken("this is no element", at);
      if (open.length >= maxDepth) return broken(`elements stand deeper than ${maxDepth}`, at);
      if (open.length === 0 && root !== undefined) return broken("there are two documents", at);
      const attributes = tag[2] === undefined || tag[2] === "" ? noAttributes : attributesIn(tag[2]);
      if (attributes === undefined) return broken("an attribute is not well-formed", at);
      if (holder !== undefined && holder.text.trim() !== "") return broken("text stands between elements", at);
      open.push({ name: tag[1] ?? "", attributes, children: undefined, text: "" });
      if (tag[3] === "/") close(false);
      at = TAG.lastIndex;
    }
  }
  if (open.length > 0) return broken("it is cut off", at);
  return { root, damage: root === undefined ? "there is no element" : undefined };
}

/** Writes a document, indented by tabs, one element a line. What XML cannot say is left out (`isSayable`). */
export function writeXml(root: XmlElement): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'];
  const write = ({ name, attributes, children, text }: XmlElement, indent: string): void => {
    const head = `${indent}<${name}${Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`).join("")}`;
    if (children.length > 0) {
      lines.push(`${head}>`);
      for (const child of children) write(child, `${indent}\t`);
      lines.push(`${indent}</${name}>`);
    } else lines.push(text === "" ? `${head}/>` : `${head}>${escaped(text)}</${name}>`);
  };
  write(root, "");
  return `${lines.join("\n")}\n`;
}

/** Makes an element that holds a text. */
export function textElement(name: string, text: string, attributes: XmlElement["attributes"] = noAttributes): XmlElement {
  return { name, attributes, children: noChildren, text };
}

/** Makes an element that holds others. */
export function element(name: string, children: readonly XmlElement[]): XmlElement {
  return { name, attributes: noAttributes, children, text: "" };
}

/** The first child of a name. */
export function child(of: XmlElement | undefined, name: string): XmlElement | undefined {
  return of?.children.find((one) => one.name === name);
}

// Controls other than tab and line breaks, halves of pairs, and the two that are no characters: XML 1.0 has no way to say them.
const unsayable = /(?![\t\n\r\u007F-\u009F])\p{Cc}|[\uFFFE\uFFFF]|\p{Cs}/gu;

/** Whether XML can say a text. */
export function isSayable(text: string): boolean {
  return text.search(unsayable) < 0;
}

// What most texts are made of, and needs no other spelling.
const plain = /^[\t\n !#-%'-;=?-~]*$/;

function escaped(text: string): string {
  if (plain.test(text)) return text;
  return text.replaceAll(unsayable, "").replaceAll(/[&<>"\r]/g, (character) => escapes[character] ?? "");
}

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;" };

function unescaped(text: string): string | undefined {
  if (!text.includes("&")) return text;
  let known = true;
  const value = text.replaceAll(/&([^;&]{0,12})(;?)/g, (_, name: string, end: string) => {
    const character = end === "" ? undefined : name.startsWith("#") ? numbered(name) : Object.hasOwn(entities, name) ? entities[name] : undefined;
    known &&= character !== undefined;
    return character ?? "";
  });
  return known ? value : undefined;
}

function numbered(name: string): string | undefined {
  const number = /^#x[0-9A-Fa-f]{1,6}$/.test(name) ? Number.parseInt(name.slice(2), 16) : /^#[0-9]{1,7}$/.test(name) ? Number(name.slice(1)) : -1;
  const valid = number > 0 && number <= 0x10ffff && (number < 0xd800 || number > 0xdfff);
  return valid ? String.fromCodePoint(number) : undefined;
}

function attributesIn(source: string): Record<string, string> | undefined {
  const attributes = new Map<string, string>();
  for (const [, name = "", double, single] of source.matchAll(ATTRIBUTE)) {
    const value = unescaped(double ?? single ?? "");
    if (value === undefined || attributes.has(name)) return undefined;
    attributes.set(name, value);
  }
  return Object.fromEntries(attributes);
}
