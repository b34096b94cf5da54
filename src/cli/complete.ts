import { globalOptions } from "./globals.ts";
import type { Accepts, Option, Positional } from "./options.ts";
import { topics } from "./topics.ts";

type Described = Accepts & { readonly summary: string };

/** The tables of commands, as far as completions are read off them. */
export type Tables = { readonly commands: readonly Described[]; readonly nouns: readonly { readonly name: string; readonly summary: string }[] };

/** One way to go on, and what it is. */
export type Candidate = { readonly word: string; readonly about: string };

/** Names that only this device's home knows. */
export type NameKind = "devices" | "passwords" | "removed" | "servers";

/** What can stand where a word is being typed: one of some words, whatever the shell finds among files or folders, or a name of this home's. */
export type Completion =
  | { readonly kind: "words"; readonly words: readonly Candidate[] }
  | { readonly kind: "files" | "folders" }
  | { readonly kind: "names"; readonly of: NameKind; readonly home: string | undefined };

const NOTHING: Completion = { kind: "words", words: [] };
const help: Option = { name: "help", about: "show what it does" };

/**
 * What can stand for the last of `words`, which follow `mesh`; it may be begun, and no candidate has another beginning.
 *
 * All of it is read off the tables: a value `a|b` is a closed list, F and FILE are files, DIR is a folder, and NAME is a
 * device or a password by the group of its command.
 */
export function complete(words: readonly string[], tables: Tables): Completion {
  const current = words.at(-1) ?? "";
  const line = walk(words.slice(0, -1), tables);
  if (line.awaited !== undefined) return valuesOf(line.awaited, line, "", current);
  if (!line.literal && current.startsWith("-")) return current.includes("=") ? inlineValue(line, current) : begun(optionsOf(line), current);
  if (line.command === undefined) return begun(nextWords(line, tables), current);
  const positional = line.command.positionals[line.arguments] ?? line.command.positionals.findLast((one) => one.many === true);
  const place = positional === undefined ? NOTHING : valuesOf(positional, line, "", current);
  // Where nothing can be said of an argument, or none is due, options are what is left to say.
  return place === NOTHING && current === "" && !line.literal ? begun(optionsOf(line), current) : place;
}

/** How far a line got. */
type Line = {
  readonly path: readonly string[];
  readonly command: Described | undefined;
  readonly given: ReadonlySet<string>;
  readonly home: string | undefined;
  /** The option whose value comes next. */
  readonly awaited: Option | undefined;
  readonly arguments: number;
  /** After `--` there are arguments only. */
  readonly literal: boolean;
};

function walk(before: readonly string[], { commands }: Tables): Line {
  const line = { path: [] as string[], command: undefined as Described | undefined, given: new Set<string>(), home: undefined as string | undefined, awaited: undefined as Option | undefined, arguments: 0, literal: false };
  for (const word of before) {
    if (line.awaited !== undefined) {
      if (line.awaited.name === "home") line.home = word;
      line.awaited = undefined;
    } else if (word === "--" && !line.literal) line.literal = true;
    else if (!line.literal && word.startsWith("--")) {
      const [name = "", value] = word.slice(2).split("=", 2);
      const option = accepted(line).find((one) => one.name === name);
      line.given.add(name);
      if (name === "home" && value !== undefined) line.home = value;
      if (option?.value !== undefined && value === undefined) line.awaited = option;
    } else if (line.command !== undefined) line.arguments++;
    else if (line.literal || !word.startsWith("-")) {
      line.path.push(word);
      line.command = commands.find((one) => one.path.join(" ") === line.path.join(" "));
    }
  }
  return line;
}

function accepted(line: Pick<Line, "command">): readonly Option[] {
  return [...(line.command?.options ?? []), ...globalOptions, help];
}

function optionsOf(line: Line): readonly Candidate[] {
  return accepted(line).filter((one) => one.many === true || !line.given.has(one.name)).map((one) => ({ word: `--${one.name}`, about: one.about }));
}

function inlineValue(line: Line, current: string): Completion {
  const [name = ""] = current.slice(2).split("=", 1);
  const option = accepted(line).find((one) => one.name === name && one.value !== undefined);
  return option === undefined ? NOTHING : valuesOf(option, line, `--${name}=`, current);
}

/** The words that can follow a path that is not yet a command: nouns, commands, verbs; after `help`, topics too. */
function nextWords({ path }: Line, { commands, nouns }: Tables): readonly Candidate[] {
  const helping = path[0] === "help";
  const so = helping ? path.slice(1) : path;
  const following = commands.filter((one) => one.path.length > so.length && so.every((word, place) => one.path[place] === word));
  const found = new Map<string, string>();
  for (const one of following) {
    const word = one.path[so.length] ?? "";
    const noun = one.path.length > so.length + 1 ? nouns.find(({ name }) => name === word) : undefined;
    if (!found.has(word)) found.set(word, noun?.summary ?? one.summary);
  }
  if (so.length === 0 && helping) for (const { name, summary } of topics) found.set(name, summary);
  if (path.length === 0) found.set("help", "show a page of help");
  return [...found].map(([word, about]) => ({ word, about }));
}

function valuesOf(place: Option | Positional, line: Line, before: string, current: string): Completion {
  const what = ("value" in place ? place.value : undefined) ?? place.name;
  const choices = place.choices ?? (/^[a-z0-9-]+(?:\|[a-z0-9-]+)*$/.test(what) ? what.split("|") : undefined);
  if (choices !== undefined) return begun(choices.map((word) => ({ word: before + word, about: "" })), current);
  if (/^F(?:ILE)?\b/.test(what)) return { kind: "files" };
  if (what === "DIR") return { kind: "folders" };
  const of = "value" in place ? undefined : namesOf(line, what);
  return of === undefined ? NOTHING : { kind: "names", of, home: line.home };
}

/** Whose names an argument takes; what `add` takes is new, and `restore` brings back a whole login unless a field of it is named. */
function namesOf({ command, given }: Line, name: string): NameKind | undefined {
  const [noun, verb] = command?.path ?? [];
  if (name !== "NAME" || verb === "add") return undefined;
  if (noun === "device") return "devices";
  if (noun === "ssh") return "servers";
  return noun !== "password" ? undefined : verb === "restore" && !given.has("field") ? "removed" : "passwords";
}

/** The candidates that begin like what is typed. */
export function begun(candidates: readonly Candidate[], current: string): Extract<Completion, { kind: "words" }> {
  return { kind: "words", words: candidates.filter(({ word }) => word.startsWith(current)) };
}
