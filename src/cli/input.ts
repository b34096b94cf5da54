import { demand, MeshError } from "../refusals/mesh-error.ts";
import type { Args } from "./args.ts";
import { environmentName } from "./globals.ts";
import { fileName, readOctets } from "./octets.ts";
import type { World } from "./world.ts";

/** The most octets that are read from one file of input. */
const maxOctets = 128 * 1024;

/** What a command asks its person, and how it reads what she has prepared. */
export type Input = {
  /** Whether a question would reach someone: standard input and error are terminals, and --no-input is not given. */
  readonly mayAsk: boolean;
  /** One line out of the file that `--option` names (`-`: standard input), else asked for without showing it. */
  secret(option: string, question: string): Promise<string>;
  /** As `secret`, from the file alone; undefined if the option is not given. */
  secretFile(option: string): Promise<string | undefined>;
  /** One line out of a file. */
  secretFrom(path: string): Promise<string>;
  /** All of a file's text, less the line break at its end. */
  textFrom(path: string): string;
  /** Asks for a line, showing what is typed; without someone to ask, `input-needed` names the option that says it. */
  ask(question: string, option: string): Promise<string>;
  /** Asks for a secret twice, until both are the same. */
  newSecret(option: string, question: string): Promise<string>;
};

/**
 * Makes the input of one command.
 *
 * Its verbs throw MeshError `input-needed` where there is no one to ask, `input-unreadable` for a file that cannot be
 * read, `input-malformed` for one that is no text, empty, too long (128 KiB), or more than the one line wanted.
 */
export function makeInput(world: World, args: Args): Input {
  const mayAsk = !args.flag("no-input") && world.isTerminal(0) && world.isTerminal(2);
  let standardInputUsed = false;

  const read = (path: string): string => {
    if (path === "-") {
      demand(!standardInputUsed, "usage-options-conflict", "Standard input can be read only once.", "Give one of the two as a file.");
      standardInputUsed = true;
    }
    return readText(path);
  };
  const prompt = async (question: string, option: string, show: boolean): Promise<string> => {
    if (!mayAsk) throw new MeshError("input-needed", `${question}: there is no one to ask.`, `Give --${option}, or set ${environmentName(option)}.`);
    const { askTerminal } = await import("./terminal.ts");
    return askTerminal(`${question}: `, show);
  };
  const secretFrom = async (path: string): Promise<string> => {
    if (path === "-" && mayAsk) return prompt("One line", "no-input", false);
    return oneLine(read(path), path);
  };
  const secretFile = async (option: string): Promise<string | undefined> => {
    const path = args.text(option);
    return path === undefined ? undefined : secretFrom(path);
  };
  return {
    mayAsk,
    secretFile,
    secretFrom,
    secret: async (option, question) => (await secretFile(option)) ?? nonEmpty(await prompt(question, option, false), "What you typed"),
    textFrom: (path) => read(path).replace(/\r?\n$/, ""),
    ask: (question, option) => prompt(question, option, true),
    newSecret: async (option, question) => {
      const given = await secretFile(option);
      if (given !== undefined) return given;
      for (;;) {
        const first = nonEmpty(await prompt(question, option, false), "What you typed");
        if (first === (await prompt(`${question}, once more`, option, false))) return first;
        world.write(2, "They differ; once more.\n");
      }
    },
  };
}

function oneLine(text: string, path: string): string {
  const line = text.replace(/\r?\n$/, "");
  demand(!/[\r\n]/.test(line), "input-malformed", `${fileName(path)} holds more than one line.`);
  return nonEmpty(line, fileName(path));
}

function nonEmpty(text: string, what: string): string {
  demand(text !== "", "input-malformed", `${what} is empty.`);
  return text;
}

function readText(path: string): string {
  const octets = readOctets(path, maxOctets, "input-malformed");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(octets);
  } catch {
    throw new MeshError("input-malformed", `${fileName(path)} is not text in UTF-8.`);
  } finally {
    octets.fill(0);
  }
}
