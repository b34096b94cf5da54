import type { Args } from "./args.ts";
import type { Tables } from "./complete.ts";
import type { Input } from "./input.ts";
import type { Output } from "./output.ts";
import type { Environment, World } from "./world.ts";

/** One run of one command: all that it may touch. */
export type Call = {
  readonly args: Args;
  readonly input: Input;
  readonly output: Output;
  readonly world: World;
  /** All that can be typed, for what helps to type it. */
  readonly tables: Tables;
  /** How another's line is run in a world of its own, for an agent; undefined for one that an agent does not run. */
  readonly served: (argv: readonly string[], environment: Environment) => ((world: World) => Promise<number>) | undefined;
  /** Ends with another status than 0, though nothing failed: that of a program that was run. */
  readonly exitWith: (status: number) => void;
  /** Has something closed when the command is over, however it ends; the latest first. */
  readonly whenDone: (close: () => void | Promise<void>) => void;
};
