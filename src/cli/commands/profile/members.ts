import type { Json } from "../../../bytes/canonical-json.ts";
import { tabulate } from "../../columns.ts";
import { printable } from "../../printable.ts";

type Members = { readonly [member: string]: Json };

/** Says a value in a few words where that is better than all that it holds, or undefined. */
export type Describe = (value: Json) => string | undefined;

const LONG = 72;
// Whoever made an object chose how much there is in it; nobody reads more than this.
const MOST_SHOWN = 500;
const MOST_COLUMNS = 12;

/** The members of an object as lines: first those that fit on one, then an indented block for each that holds others; lists of like things as tables. */
export function memberLines(members: Members, describe: Describe, indent = ""): readonly string[] {
  const entries = Object.entries(members);
  const lines = entries.slice(0, MOST_SHOWN).map(([name, value]) => ({ name: printable(name), value, text: brief(value, describe) }));
  const short = lines.filter(({ text }) => text !== undefined);
  const width = Math.max(0, ...short.map(({ name }) => name.length));
  const blocks = lines.filter(({ text }) => text === undefined).flatMap(({ name, value }) => [indent + name, ...blockLines(value, describe, `${indent}  `)]);
  return [...short.map(({ name, text }) => `${indent}${name.padEnd(width)}  ${text}`), ...blocks, ...moreLines(entries.length, indent)];
}

function blockLines(value: Json, describe: Describe, indent: string): readonly string[] {
  if (!isList(value)) return memberLines(value as Members, describe, indent);
  const shown = value.slice(0, MOST_SHOWN);
  const more = moreLines(value.length, indent);
  const rows = shown.map((one) => asRow(one, describe));
  const headings = [...new Set(rows.flatMap((row) => Object.keys(row ?? {})))];
  if (rows.every((row) => row !== undefined) && headings.length <= MOST_COLUMNS) {
    return [...tabulate(headings, rows.map((row) => headings.map((name) => row[name] ?? ""))).split("\n").map((line) => indent + line), ...more];
  }
  const blocks = shown.flatMap((one, at) => {
    const text = brief(one, describe);
    return text === undefined ? [...(at === 0 ? [] : [""]), ...blockLines(one, describe, indent)] : [indent + text];
  });
  return [...blocks, ...more];
}

function moreLines(count: number, indent: string): readonly string[] {
  return count > MOST_SHOWN ? [`${indent}... and ${count - MOST_SHOWN} more`] : [];
}

/** An element of a list as cells by heading, if all its members are short; those of an object in it are headed `object.member`. */
function asRow(value: Json, describe: Describe): Readonly<Record<string, string>> | undefined {
  if (typeof value !== "object" || value === null || isList(value) || describe(value) !== undefined) return undefined;
  const cells = Object.entries(value as Members).flatMap(([name, member]): (readonly [string, string | undefined])[] => {
    const text = isList(member) && member.length > 0 ? undefined : brief(member, describe);
    const inner = text === undefined ? asRow(member, describe) : undefined;
    return inner === undefined ? [[printable(name), text]] : Object.entries(inner).map(([of, cell]) => [`${printable(name)}.${of}`, cell]);
  });
  return cells.every(([, text]) => text !== undefined) ? (Object.fromEntries(cells) as Record<string, string>) : undefined;
}

/** A value on one line, if it has place there. */
function brief(value: Json, describe: Describe): string | undefined {
  const said = describe(value);
  if (said !== undefined) return printable(said);
  if (typeof value === "string") return value.length > LONG ? `${printable(value.slice(0, 20))}...` : printable(value);
  if (isList(value)) return value.length === 0 ? "none" : value.length === 1 && typeof value[0] === "string" ? brief(value[0], describe) : undefined;
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0 ? "nothing" : undefined;
  return String(value);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
