import type { Caller, Outcome } from "../agent/messages.ts";
import { runLine } from "./main.ts";
import { type Parsed, parse } from "./parse.ts";
import { commands } from "./table.ts";
import type { HeldHome, World } from "./world.ts";

/**
 * Runs a command line on a home that is held open, as its caller would; undefined for what an agent does not run.
 *
 * That is every command whose table does not say `served`, and whatever is to be opened by a passphrase file or does not parse: the caller
 * runs those by itself, and says what is wrong with them.
 */
export async function serveLine({ argv, environment, terminals, columns }: Caller, held: HeldHome): Promise<Outcome | undefined> {
  const parsed = parsedOrNot(argv, environment);
  if (parsed?.kind !== "run" || parsed.command.served !== true || parsed.args.text("passphrase-file") !== undefined || parsed.args.flag("no-agent")) return undefined;
  const written: [1 | 2, string][] = [];
  const world: World = { environment, now: Date.now, write: (to, text) => void written.push([to, text]), isTerminal: (stream) => terminals[stream], columns: () => columns ?? undefined, held };
  return { exit: await runLine(argv, world, () => parsed), written };
}

function parsedOrNot(argv: readonly string[], environment: Readonly<Record<string, string>>): Parsed | undefined {
  try {
    return parse(argv, environment, commands);
  } catch {
    return undefined;
  }
}
