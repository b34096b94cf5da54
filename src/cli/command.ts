import type { Args } from "./args.ts";
import type { Call } from "./call.ts";
import type { Accepts } from "./options.ts";

export type { Option } from "./options.ts";

/** What runs a command; it resolves when it is done, and throws a MeshError when it is not. */
export type Run = (call: Call) => Promise<void>;

/** A line that can be typed as it is, and what comes of it. */
export type Example = { readonly line: string; readonly about: string };

/** One verb, as data: help, parsing, completions and the tests are read off it, and its code is loaded when it runs. */
export type Command = Accepts & {
  /** One sentence, for the list of commands. */
  readonly summary: string;
  readonly examples: readonly [Example, Example];
  /** Further paragraphs of help. */
  readonly about?: readonly string[];
  /** The agent of a home runs it for its callers, or such a line of it: it only reads the home, asks nobody, and touches neither files nor standard input. */
  readonly served?: true | ((args: Args) => boolean);
  readonly load: () => Promise<{ readonly run: Run }>;
};

/** The first word of a group of commands. */
export type Noun = { readonly name: string; readonly summary: string };
