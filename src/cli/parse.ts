import { parseArgs } from "node:util";

import { demand, MeshError } from "../refusals/mesh-error.ts";
import { type Args, makeArgs, type Source } from "./args.ts";
import type { Command } from "./command.ts";
import { environmentName, globalOptions } from "./globals.ts";
import { nearest } from "./nearest.ts";
import type { Option } from "./options.ts";
import type { Environment } from "./world.ts";

/** What a command line asks for. `path` of help may name a command, a noun or a topic; `[]` is the front page. */
export type Parsed =
  | { readonly kind: "run"; readonly command: Command; readonly args: Args }
  | { readonly kind: "help"; readonly path: readonly string[] }
  | { readonly kind: "version" };

const parserOptions: readonly Option[] = [
  { name: "help", short: "h", about: "show this" },
  { name: "version", about: "show the version" },
];

/**
 * Reads a command line against a table of commands.
 *
 * The words of the command come first, but for options that every command has; then options and arguments in any order, and
 * after `--` arguments only. What the line does not say, `MESH_<OPTION>` may.
 * @throws MeshError `usage-unknown-command`, `usage-unknown-option`, `usage-option-value`, `usage-missing-argument`,
 * `usage-unexpected-argument`
 */
export function parse(argv: readonly string[], environment: Environment, commands: readonly Command[]): Parsed {
  const { words, early, rest } = splitWords(argv, commands);
  // `mesh` alone tells how things are.
  const asked = words.length === 0 && rest.length === 0 ? ["status"] : words;
  const command = commands.find((one) => one.path.join(" ") === asked.join(" "));
  const [first] = rest;
  if (command === undefined && words[0] !== "help" && first !== undefined && !first.startsWith("-")) throw unknownCommand([...words, first], commands);
  const options = [...(command?.options ?? []), ...globalOptions, ...parserOptions];
  const { values, positionals } = readTokens([...early, ...rest], options, command);
  if (values.has("help")) return { kind: "help", path: words };
  if (values.has("version")) return { kind: "version" };
  if (words[0] === "help" && command === undefined) return { kind: "help", path: positionals };
  if (command === undefined) return { kind: "help", path: words };
  addEnvironment(values, [...command.options, ...globalOptions], environment);
  placeArguments(values, command, positionals);
  return { kind: "run", command, args: makeArgs(command, globalOptions, values) };
}

/** Whether errors are wanted as JSON, as far as can be told from a line that may not parse. */
export function wantsJson(argv: readonly string[], environment: Environment): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? undefined : end).includes("--json") || ["1", "true", "yes"].includes(environment["MESH_JSON"] ?? "");
}

/** Cuts the words of the command, as far as the table knows them, from what follows and from global options before them. */
function splitWords(argv: readonly string[], commands: readonly Command[]) {
  const words: string[] = [];
  const early: string[] = [];
  let index = 0;
  for (; index < argv.length; index++) {
    const token = argv[index] ?? "";
    const option = [...globalOptions, ...parserOptions].find((one) => token === `--${one.name}` || (one.short !== undefined && token === `-${one.short}`) || token.startsWith(`--${one.name}=`));
    if (option !== undefined) {
      early.push(token);
      if (option.value !== undefined && !token.includes("=") && index + 1 < argv.length) early.push(argv[++index] ?? "");
    } else if (words.length === 0 && token === "help") {
      words.push(token);
      index++;
      break;
    } else if (commands.some((one) => [...words, token].every((word, place) => one.path[place] === word))) {
      words.push(token);
    } else {
      break;
    }
  }
  return { words, early, rest: argv.slice(index) };
}

function readTokens(argv: readonly string[], options: readonly Option[], command: Command | undefined) {
  const byName = new Map(options.map((option) => [option.name, option]));
  const config = Object.fromEntries(options.map((option) => [option.name, { type: option.value === undefined ? ("boolean" as const) : ("string" as const), ...(option.short === undefined ? {} : { short: option.short }) }]));
  const { tokens } = parseArgs({ args: [...argv], options: config, strict: false, tokens: true, allowPositionals: true });
  const values = new Map<string, { texts: string[]; source: Source }>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = byName.get(token.name);
    if (option === undefined) throw unknownOption(token.rawName, [...byName.keys()], command);
    const before = values.get(option.name);
    demand(before === undefined || option.many === true || option.value === undefined, "usage-option-value", `--${option.name} is given twice.`);
    values.set(option.name, { texts: [...(before?.texts ?? []), valueOf(option, token.value, token.inlineValue === true)], source: "line" });
  }
  return { values, positionals };
}

function valueOf(option: Option, value: string | undefined, inline: boolean): string {
  if (option.value === undefined) {
    demand(!inline, "usage-option-value", `--${option.name} is a switch and takes no value.`);
    return "";
  }
  demand(value !== undefined, "usage-option-value", `--${option.name} needs a value: --${option.name} ${option.value}`);
  // "--username --site x" is a forgotten value far more often than a value that begins with a dash.
  demand(inline || value === "-" || !value.startsWith("-"), "usage-option-value", `--${option.name} needs a value: --${option.name} ${option.value}`, `For one that begins with a dash: --${option.name}=${option.value}`);
  return value;
}

function addEnvironment(values: Map<string, { texts: string[]; source: Source }>, options: readonly Option[], environment: Environment): void {
  for (const option of options) {
    const name = environmentName(option.name);
    const value = environment[name];
    if (value === undefined || value === "" || values.has(option.name)) continue;
    if (option.value !== undefined) {
      const texts = option.many === true ? value.split("\n").filter((line) => line !== "") : [value];
      values.set(option.name, { texts, source: "environment" });
      continue;
    }
    if (["0", "false", "no"].includes(value)) continue;
    demand(["1", "true", "yes"].includes(value), "usage-option-value", `${name} must be 1 or 0.`);
    values.set(option.name, { texts: [""], source: "environment" });
  }
}

function placeArguments(values: Map<string, { texts: string[]; source: Source }>, command: Command, given: readonly string[]): void {
  const usage = `See: mesh ${command.path.join(" ")} --help`;
  const left = [...given];
  for (const positional of command.positionals) {
    const texts = positional.many === true ? left.splice(0) : left.splice(0, 1);
    demand(texts.length > 0 || positional.optional === true, "usage-missing-argument", `mesh ${command.path.join(" ")} needs ${positional.name}.`, usage);
    if (texts.length > 0) values.set(positional.name, { texts, source: "line" });
  }
  const [extra] = left;
  demand(extra === undefined, "usage-unexpected-argument", `mesh ${command.path.join(" ")} has no use for ${JSON.stringify(extra)}.`, command.positionals.length > 0 ? `Put quotes around what holds a space. ${usage}` : usage);
}

function unknownCommand(words: readonly string[], commands: readonly Command[]): MeshError {
  const before = words.slice(0, -1);
  const siblings = new Set(commands.filter((one) => before.every((word, place) => one.path[place] === word)).map((one) => one.path[before.length] ?? ""));
  const meant = nearest(words.at(-1) ?? "", [...siblings]);
  const hint = meant === undefined ? `See: ${["mesh", ...before, "--help"].join(" ")}` : `Did you mean: ${["mesh", ...before, meant].join(" ")}`;
  return new MeshError("usage-unknown-command", `There is no command \`${["mesh", ...words].join(" ")}\`.`, hint);
}

function unknownOption(raw: string, known: readonly string[], command: Command | undefined): MeshError {
  const line = ["mesh", ...(command?.path ?? [])].join(" ");
  const meant = raw.startsWith("--") ? nearest(raw.slice(2), known) : undefined;
  return new MeshError("usage-unknown-option", `\`${line}\` has no option ${raw}.`, meant === undefined ? `See: ${line} --help` : `Did you mean --${meant}?`);
}
