import { MeshError } from "../refusals/mesh-error.ts";
import { padTo, wrap } from "./columns.ts";
import type { Command, Example } from "./command.ts";
import { globalOptions } from "./globals.ts";
import { nearest } from "./nearest.ts";
import { commands, nouns } from "./table.ts";
import { topics } from "./topics.ts";

const WIDTH = 80;

/** The page of help for a path, or `usage-unknown-command`. */
export function helpFor(path: readonly string[]): string {
  const page = renderHelp(path);
  if (page !== undefined) return page;
  const meant = nearest(path.at(-1) ?? "", [...commands.flatMap((command) => command.path), ...topics.map((topic) => topic.name)]);
  throw new MeshError("usage-unknown-command", `There is no help on ${JSON.stringify(path.join(" "))}.`, meant === undefined ? "See: mesh help" : `Did you mean: mesh help ${meant}`);
}

/** The page of help for a command, a noun or a topic, `[]` being the front page; undefined for another path. It depends on the tables alone. */
export function renderHelp(path: readonly string[]): string | undefined {
  const line = path.join(" ");
  const command = commands.find((one) => one.path.join(" ") === line);
  if (command !== undefined) return commandHelp(command);
  if (line === "") return frontHelp();
  const topic = topics.find((one) => one.name === line);
  if (topic !== undefined) return topic.text;
  const noun = nouns.find((one) => one.name === line);
  return noun && nounHelp(noun.name);
}

/** Every path that `renderHelp` answers, the front page first. */
export function allCommandPaths(): readonly (readonly string[])[] {
  return [[], ...nouns.map((noun) => [noun.name]), ...commands.map((command) => command.path), ...topics.map((topic) => [topic.name])];
}

/** The words of every command that an agent runs for its callers. */
export function servedCommandPaths(): readonly (readonly string[])[] {
  return commands.filter((command) => command.served !== undefined).map((command) => command.path);
}

function frontHelp(): string {
  const flat = commands.filter((command) => command.path.length === 1);
  const examples = [...flat, ...commands].slice(0, 2).flatMap((command) => command.examples[0]);
  const daily = flat.length === 0 ? "" : `Commands\n${rows(flat.map((command) => [command.path.join(" "), command.summary]))}\n`;
  return `${exampleLines(examples)}
Your keys and passwords on all your devices, through a server that you need not
trust.

Usage: mesh COMMAND [options]

${daily}Groups of commands
${rows(nouns.map((noun) => [noun.name, `${noun.summary} (${verbsOf(noun.name).join(", ")})`]))}
Topics: mesh help TOPIC
${rows(topics.map((topic) => [topic.name, topic.summary]))}`;
}

function nounHelp(noun: string): string {
  const members = commands.filter((command) => command.path[0] === noun);
  const [first, second] = members;
  const examples = [first?.examples[0], second === undefined ? first?.examples[1] : second.examples[0]].filter((one) => one !== undefined);
  return `${exampleLines(examples)}
Usage: mesh ${noun} VERB [options]

${rows(members.map((command) => [command.path.slice(1).join(" "), command.summary]))}
More: mesh ${noun} VERB --help
`;
}

function commandHelp(command: Command): string {
  const usage = ["mesh", ...command.path, ...command.positionals.map((one) => (one.optional ? `[${one.name}]` : one.name) + (one.many ? "..." : "")), "[options]"].join(" ");
  const about = [command.summary, ...(command.about ?? [])].map((paragraph) => `${wrap(paragraph, WIDTH)}\n`).join("\n");
  const places = command.positionals.filter((one) => one.about !== undefined).map((one): [string, string] => [one.name, one.about ?? ""]);
  const own = command.options.map((one): [string, string] => [spell(one), one.about]);
  const common = globalOptions.map((one): [string, string] => [spell(one), one.about]);
  const width = Math.max(...[...places, ...own, ...common].map(([left]) => left.length));
  const section = (title: string, pairs: readonly [string, string][]): string => (pairs.length === 0 ? "" : `\n${title}\n${rows(pairs, width)}`);
  return `${exampleLines(command.examples)}
${about}
Usage: ${usage}
${section("Arguments", places)}${section("Options", own)}${section("Options of every command", common)}`;
}

function spell(option: Command["options"][number]): string {
  return `--${option.name}${option.value === undefined ? "" : ` ${option.value}`}`;
}

function verbsOf(noun: string): readonly string[] {
  return commands.filter((command) => command.path[0] === noun).map((command) => command.path.slice(1).join(" "));
}

/** Help begins with what can be typed at once. */
function exampleLines(examples: readonly Example[]): string {
  const width = Math.max(...examples.map((example) => example.line.length));
  const wide = examples.some((example) => width + 7 + example.about.length > WIDTH);
  return examples.map((example) => (wide ? `  # ${example.about}\n  ${example.line}\n` : `  ${padTo(example.line, width)}  # ${example.about}\n`)).join("");
}

/** Two columns, the second wrapped beside the first. */
function rows(pairs: readonly (readonly string[])[], least = 0): string {
  const width = Math.min(30, Math.max(least, ...pairs.map(([left]) => left?.length ?? 0)));
  return pairs
    .map(([left = "", right = ""]) => {
      const text = wrap(right, WIDTH, " ".repeat(width + 4));
      return left.length > width ? `  ${left}\n${text}\n` : `  ${padTo(left, width)}${text.slice(width + 2)}\n`;
    })
    .join("");
}
