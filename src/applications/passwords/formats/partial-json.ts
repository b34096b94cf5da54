import type { Json } from "../../../bytes/canonical-json.ts";
import { parseJson } from "../../../bytes/json.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";

/** What can be read of a damaged object: its members, of those that are lists what of them is whole, and how many elements of each list are not. */
export type PartialObject = { readonly members: Readonly<Record<string, Json>>; readonly lost: Readonly<Record<string, number>> };

/**
 * Reads the outermost object of JSON that is cut off or changed, member by member, and its lists element by element.
 *
 * Brackets and quotes say where each ends; what between them is no JSON, or has no end, is left out and counted.
 */
export function readPartialObject(text: string): PartialObject {
  const members = new Map<string, Json>();
  const lost = new Map<string, number>();
  let at = text.indexOf("{") + 1;
  while (at > 0 && at < text.length) {
    const opening = text.indexOf('"', at);
    const closing = opening < 0 ? -1 : endOfText(text, opening);
    const colon = closing < 0 ? -1 : text.indexOf(":", closing);
    if (colon < 0) break;
    const name = valueIn(text.slice(opening, closing));
    let from = colon + 1;
    while (/\s/.test(text.charAt(from))) from++;
    if (typeof name !== "string") break;
    if (text.charAt(from) === "[") {
      const { elements, broken, end } = elementsFrom(text, from + 1);
      members.set(name, elements);
      if (broken > 0) lost.set(name, broken);
      at = end;
    } else {
      const end = endOfValue(text, from);
      const value = end < 0 ? undefined : valueIn(text.slice(from, end));
      if (value !== undefined) members.set(name, value);
      at = end < 0 ? text.length : end;
    }
  }
  return { members: Object.fromEntries(members), lost: Object.fromEntries(lost) };
}

function elementsFrom(text: string, from: number): { readonly elements: readonly Json[]; readonly broken: number; readonly end: number } {
  const elements: Json[] = [];
  let broken = 0;
  let at = from;
  for (;;) {
    while (/[\s,]/.test(text.charAt(at))) at++;
    if (text.charAt(at) === "]") return { elements, broken, end: at + 1 };
    const end = at < text.length ? endOfValue(text, at) : -1;
    if (end < 0 || end === at) return { elements, broken: broken + 1, end: text.length };
    const value = valueIn(text.slice(at, end));
    if (value === undefined) broken++;
    else elements.push(value);
    at = end;
  }
}

/** Where the value that begins at `from` ends, by its brackets and quotes alone; -1 if the text ends first. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') {
      at = endOfText(text, at) - 1;
      if (at < 0) return -1;
    } else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") {
      // The end of what the value stands in.
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (character === "," && depth === 0) return at;
  }
  return -1;
}

/** Where the text ends that begins with the quote at `from`, past its closing quote; -1 if it never does. */
function endOfText(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text.charAt(at) === "\\") at++;
    else if (text.charAt(at) === '"') return at + 1;
  }
  return -1;
}

function valueIn(text: string): Json | undefined {
  try {
    return parseJson(text, { maxBytes: Number.MAX_SAFE_INTEGER });
  } catch (error) {
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}
