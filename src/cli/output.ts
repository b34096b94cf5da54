import { tabulate } from "./columns.ts";
import { jsonText } from "./printable.ts";
import type { World } from "./world.ts";

/** Where a command's words go: data to standard output, all else to standard error. */
export type Output = {
  /** Whether one JSON document is wanted. */
  readonly json: boolean;
  /** Whether data would appear on a terminal. */
  readonly toTerminal: boolean;
  /** What was asked for: the document with --json, else the text. */
  data(document: unknown, text: string): void;
  /** What was done: the document with --json, else a sentence on standard error. */
  receipt(document: unknown, sentence: string): void;
  /** Something worth knowing, on standard error; with --json nothing, since the document says it. */
  note(sentence: string): void;
  /** A table as wide as the terminal, or as it needs to be where there is none. */
  table(headings: readonly string[], rows: readonly (readonly string[])[]): string;
};

/** Makes the output of one command. */
export function makeOutput(world: World, json: boolean): Output {
  const toTerminal = world.isTerminal(1);
  const line = (to: 1 | 2, text: string): void => world.write(to, text === "" ? "" : `${text}\n`);
  return {
    json,
    toTerminal,
    data: (document, text) => line(1, json ? jsonText(document) : text),
    receipt: (document, sentence) => line(json ? 1 : 2, json ? jsonText(document) : sentence),
    note: (sentence) => line(2, json ? "" : sentence),
    table: (headings, rows) => tabulate(headings, rows, toTerminal ? terminalColumns(world) : undefined),
  };
}

function terminalColumns(world: World): number {
  const columns = Number(world.environment["COLUMNS"]) || (world.columns() ?? 0);
  return columns >= 40 ? columns : 80;
}
