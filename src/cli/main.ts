import type { Call } from "./call.ts";
import { makeInput } from "./input.ts";
import { makeOutput } from "./output.ts";
import { type Parsed, parse, wantsJson } from "./parse.ts";
import { report } from "./report.ts";
import { commands, nouns } from "./table.ts";
import { version } from "./version.ts";
import { type Environment, thisWorld, type World } from "./world.ts";

/**
 * The command line: does what `argv` (without the node and the script) says and returns the exit status.
 *
 * Never throws: every error ends as sentences, or with --json as one object, on standard error. All is written when it
 * returns, so the process may exit at once. A command's code is loaded only when it runs.
 */
export async function main(argv: readonly string[], world: World = thisWorld()): Promise<number> {
  // Interrupted is a status of its own, not death by a signal: a caller that sees only statuses can tell.
  process.once("SIGINT", interrupted);
  try {
    return await runLine(argv, world, () => parse(argv, world.environment, commands));
  } finally {
    process.off("SIGINT", interrupted);
  }
}

/** As `main`, for a line that `read` parses; nothing of the process is touched but through its world. */
async function runLine(argv: readonly string[], world: World, read: () => Parsed): Promise<number> {
  try {
    const parsed = read();
    if (parsed.kind === "run") return await run(parsed, world);
    if (parsed.kind === "version") world.write(1, wantsJson(argv, world.environment) ? `${JSON.stringify({ version })}\n` : `mesh ${version}\n`);
    else world.write(1, (await import("./help.ts")).helpFor(parsed.path));
    return 0;
  } catch (error) {
    return report(error, world, wantsJson(argv, world.environment));
  }
}

/**
 * How a line is run that an agent runs for its callers.
 *
 * Undefined for every command whose table does not say `served`, for what is to be opened by a passphrase file, and for what does not parse:
 * the caller runs those by itself, and says what is wrong with them.
 */
function served(argv: readonly string[], environment: Environment): ((world: World) => Promise<number>) | undefined {
  try {
    const parsed = parse(argv, environment, commands);
    if (parsed.kind !== "run" || !isServed(parsed) || parsed.args.text("passphrase-file") !== undefined || parsed.args.flag("no-agent")) return undefined;
    return (world) => runLine(argv, world, () => parsed);
  } catch {
    return undefined;
  }
}

function isServed({ command: { served: which }, args }: Extract<Parsed, { kind: "run" }>): boolean {
  return typeof which === "function" ? which(args) : which === true;
}

function interrupted(): void {
  // A command that ends well by itself when it is interrupted has said so.
  if (process.listenerCount("SIGINT") === 0) process.exit(130);
}

async function run({ command, args }: Extract<Parsed, { kind: "run" }>, world: World): Promise<number> {
  let status = 0;
  const closers: (() => void | Promise<void>)[] = [];
  const call: Call = { args, input: makeInput(world, args), output: makeOutput(world, args.flag("json")), tables: { commands, nouns }, world, served, exitWith: (wanted) => void (status = wanted), whenDone: (close) => closers.push(close) };
  try {
    await (await command.load()).run(call);
  } finally {
    for (const close of closers.reverse()) await close();
  }
  return status;
}
