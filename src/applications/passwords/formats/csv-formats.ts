import { emptyItem, type Failure, type Item, type ItemText, type Keeper, titleFor } from "./item.ts";
import { folderNames, folderPath } from "./folders.ts";
import { headed, readCsv, type Table, writeCsv } from "./csv.ts";
import { damaged } from "./damage.ts";
import type { Contents } from "./plan.ts";

/** One column: what its value becomes, and where it comes from again. A column without either is kept as it is, unless it says the usual. */
type Column = { readonly heading: string; readonly optional?: true; readonly read?: (item: Item, value: string) => Item; readonly write?: (item: Item) => string; readonly dull?: true; readonly usual?: string };

/** A program's table: its columns in order, and what it cannot hold. */
type CsvFormat = { readonly program: `${string}-csv`; readonly columns: readonly Column[]; readonly quoted?: true };

function text(heading: string, name: ItemText): Column {
  return { heading, read: (item, value) => (value === "" ? item : { ...item, texts: { ...item.texts, [name]: value } }), write: (item) => item.texts[name] ?? "" };
}

function title(heading: string, program: Keeper): Column {
  return { heading, read: (item, value) => ({ ...item, title: value }), write: (item) => titleFor(item, program) };
}

function site(heading: string): Column {
  return { heading, read: (item, value) => (value === "" ? item : { ...item, sites: [value] }), write: (item) => item.sites[0] ?? "" };
}

function kept(heading: string): Column {
  return { heading };
}

/** Kept, and not worth a word: identifiers, times, icons. */
function dull(heading: string): Column {
  return { heading, dull: true };
}

const ROOT = "Root";

/** Every table we know, in the order in which headings are tried. */
export const csvFormats: readonly CsvFormat[] = [
  {
    program: "bitwarden-csv",
    columns: [
      text("folder", "folder"),
      { heading: "favorite", read: (item, value) => ({ ...item, favorite: value === "1" }), write: (item) => (item.favorite ? "1" : "") },
      { heading: "type", read: (item, value) => ({ ...item, kind: value === "note" ? "note" : "login" }), write: (item) => (item.kind === "note" ? "note" : "login") },
      title("name", "bitwarden-csv"),
      text("notes", "notes"),
      { heading: "fields", read: (item, value) => ({ ...item, fields: fieldsFrom(value) }), write: (item) => item.fields.map(({ name, value }) => `${name}: ${value}`).join("\n") },
      { heading: "reprompt", usual: "0" },
      { heading: "login_uri", read: (item, value) => ({ ...item, sites: value === "" ? [] : value.split(/,(?=[A-Za-z][A-Za-z0-9+.-]*:\/\/)/) }), write: (item) => item.sites.join(",") },
      text("login_username", "username"),
      text("login_password", "password"),
      text("login_totp", "totp"),
    ],
  },
  {
    program: "firefox-csv",
    quoted: true,
    columns: [site("url"), text("username", "username"), text("password", "password"), kept("httpRealm"), dull("formActionOrigin"), dull("guid"), dull("timeCreated"), dull("timeLastUsed"), dull("timePasswordChanged")],
  },
  {
    program: "keepassxc-csv",
    quoted: true,
    columns: [
      { heading: "Group", read: readGroup, write: writeGroup },
      title("Title", "keepassxc-csv"),
      text("Username", "username"),
      text("Password", "password"),
      site("URL"),
      text("Notes", "notes"),
      { ...text("TOTP", "totp"), optional: true },
      { ...dull("Icon"), optional: true },
      { ...text("Last Modified", "modified"), optional: true },
      { ...text("Created", "created"), optional: true },
    ],
  },
  { program: "safari-csv", columns: [title("Title", "safari-csv"), site("URL"), text("Username", "username"), text("Password", "password"), { ...text("Notes", "notes"), optional: true }, { ...text("OTPAuth", "totp"), optional: true }] },
  { program: "chrome-csv", columns: [title("name", "chrome-csv"), site("url"), text("username", "username"), text("password", "password"), { ...text("note", "notes"), optional: true }] },
];

/** The format whose headings these are, whatever their order. */
export function csvFormatOf(headings: readonly string[]): CsvFormat | undefined {
  const there = new Set(headings.map((heading) => heading.trim().toLowerCase()));
  return csvFormats.find(({ columns }) => columns.every(({ heading, optional }) => optional === true || there.has(heading.toLowerCase())));
}

/** Reads a program's table. A row with more or fewer values than headings is damage; `partial` takes the others all the same. */
export function readCsvFormat(program: string, source: string, partial: boolean): Contents {
  const table: Table = readCsv(source);
  const { headings, rows } = headed(table);
  const format = csvFormats.find((one) => one.program === program);
  if (format === undefined || csvFormatOf(headings) === undefined) throw damaged("These are not the headings of that program's tables.");
  const failed: Failure[] = [];
  const fail = (title: string, why: string): void => {
    if (!partial) throw damaged(`${why}.`);
    failed.push({ title, why: `${why}.` });
  };
  const strange = new Set<Item>();
  const items = rows.flatMap((row, index): Item[] => {
    if (row.length !== headings.length) {
      fail(`row ${index + 2}`, `Row ${index + 2} has ${row.length} values and not ${headings.length}`);
      return [];
    }
    const { item, kept } = itemFrom(format, headings, row);
    if (kept) strange.add(item);
    return [item];
  });
  if (table.damage !== undefined) fail("(the rest of the file)", `The table is damaged: ${table.damage}`);
  return { items, folders: [], failed, kept: strange };
}

/** Writes items as a program's table; what does not fit a table is named. */
export function writeCsvFormat(program: string, items: readonly Item[]): { readonly text: string; readonly failed: readonly Failure[] } {
  const format = csvFormats.find((one) => one.program === program) ?? csvFormats[0] as CsvFormat;
  const fits = (item: Item): boolean => item.kind === "login" || (item.kind === "note" && format.program === "bitwarden-csv");
  const rows = items.filter(fits);
  const others = new Set(rows.flatMap((item) => Object.keys(keptBy(item, format.program))).filter((heading) => format.columns.every((column) => column.heading !== heading) && heading !== ROOT));
  const headings = [...format.columns.map(({ heading }) => heading), ...others];
  const valueOf = (item: Item, heading: string): string => {
    const column = format.columns.find((one) => one.heading === heading);
    return column?.write?.(item) ?? keptUnder(item, format.program, heading) ?? column?.usual ?? "";
  };
  const lines = rows.map((item) => headings.map((heading) => valueOf(item, heading)));
  const failed = items.filter((item) => !fits(item)).map((item) => ({ title: titleFor(item, format.program), why: `A table of passwords has no place for ${item.kind === "note" ? "notes" : "cards, identities and keys"}.` }));
  return { text: writeCsv([headings, ...lines], format.quoted === true), failed };
}

function itemFrom(format: CsvFormat, headings: readonly string[], row: readonly string[]): { readonly item: Item; readonly kept: boolean } {
  let item: Item = emptyItem;
  let strange = false;
  const kept = new Map<string, string>();
  for (const [index, heading] of headings.entries()) {
    const value = row[index] ?? "";
    const column = format.columns.find((one) => one.heading.toLowerCase() === heading.toLowerCase());
    if (column?.read !== undefined) item = column.read(item, value);
    else if (value !== "" && value !== column?.usual) {
      kept.set(column?.heading ?? heading, value);
      strange ||= column?.dull !== true;
    }
  }
  const before = keptBy(item, format.program);
  // A heading may be any text, such as the names that every object has.
  const all = { ...before, ...Object.fromEntries(kept) };
  return { item: Object.keys(all).length === 0 ? item : { ...item, kept: { [format.program]: all } }, kept: strange };
}

function keptBy(item: Item, program: Keeper): Readonly<Record<string, string>> {
  return (item.kept[program] ?? {}) as Readonly<Record<string, string>>;
}

function keptUnder(item: Item, program: Keeper, heading: string): string | undefined {
  const kept = keptBy(item, program);
  return Object.hasOwn(kept, heading) ? kept[heading] : undefined;
}

/** KeePassXC begins every path with the name of the group that holds all others. */
function readGroup(item: Item, value: string): Item {
  const [root = ROOT, ...rest] = value.split("/");
  const folder = folderPath(rest);
  const texts = folder === "" ? item.texts : { ...item.texts, folder };
  return { ...item, texts, ...(root === ROOT ? {} : { kept: { "keepassxc-csv": { [ROOT]: root } } }) };
}

function writeGroup(item: Item): string {
  return [keptBy(item, "keepassxc-csv")[ROOT] ?? ROOT, ...folderNames(item.texts.folder ?? "")].join("/");
}

/** `name: value`, a line each; a line without a name belongs to the value before it. */
function fieldsFrom(value: string): Item["fields"] {
  const fields: { name: string; value: string; secret: boolean }[] = [];
  for (const line of value.split("\n")) {
    const at = line.indexOf(": ");
    const last = fields.at(-1);
    if (at > 0) fields.push({ name: line.slice(0, at), value: line.slice(at + 2), secret: false });
    else if (last !== undefined) last.value += `\n${line}`;
    else if (line !== "") fields.push({ name: "", value: line, secret: false });
  }
  return fields;
}
