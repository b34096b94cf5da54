import type { Json } from "../../../bytes/canonical-json.ts";
import { tabulate } from "../../columns.ts";
import { printable } from "../../printable.ts";

type Members = { readonly [member: string]: Json };

/** Says a value in a few words where that is better than all that it holds, or undefined. */
export type Describe = (value: Json) => string | undefined;

const LONG = 72;

/** The members of an object as lines, an indented block for each that holds others; lists of like things as tables. */
export function memberLines(members: Members, describe: Describe, indent = ""): readonly string[] {
  const short = Object.entries(members).filter(([, value]) => brief(value, describe) !== undefined);
  const width = Math.max(0, ...short.map(([name]) => name.length));
  return Object.entries(members).flatMap(([name, value]) => {
    const text = brief(value, describe);
    if (text !== undefined) return [`${indent}${printable(name).padEnd(width)}  ${text}`];
    return [`${indent}${printable(name)}`, ...blockLines(value, describe, `${indent}  `)];
  });
}

function blockLines(value: Json, describe: Describe, indent: string): readonly string[] {
  if (!isList(value)) return memberLines(value as Members, describe, indent);
  const rows = value.map((one) => asRow(one, describe));
  if (rows.every((row) => row !== undefined)) {
    const headings = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return tabulate(headings, rows.map((row) => headings.map((name) => row[name] ?? ""))).split("\n").map((line) => indent + line);
  }
  return value.flatMap((one, at) => {
    const text = brief(one, describe);
    return text === undefined ? [...(at === 0 ? [] : [""]), ...blockLines(one, describe, indent)] : [indent + text];
  });
}

/** An element of a list as cells by heading, if all its members are short. */
function asRow(value: Json, describe: Describe): Readonly<Record<string, string>> | undefined {
  if (typeof value !== "object" || value === null || isList(value) || describe(value) !== undefined) return undefined;
  const cells = Object.entries(value as Members).map(([name, member]) => [printable(name), isList(member) && member.length > 0 ? undefined : brief(member, describe)] as const);
  return cells.every(([, text]) => text !== undefined) ? (Object.fromEntries(cells) as Record<string, string>) : undefined;
}

/** A value on one line, if it has place there. */
function brief(value: Json, describe: Describe): string | undefined {
  const said = describe(value);
  if (said !== undefined) return printable(said);
  if (typeof value === "string") return value.length > LONG ? `${printable(value.slice(0, 16))}... (${value.length} characters)` : printable(value);
  if (isList(value)) return value.length === 0 ? "none" : value.length === 1 && typeof value[0] === "string" ? brief(value[0], describe) : undefined;
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0 ? "nothing" : undefined;
  return String(value);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
