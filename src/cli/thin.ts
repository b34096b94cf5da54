import { answerIn, lineFor, PATIENCE } from "../agent/line.ts";
import { type Answer, type Caller, MAX_ANSWER, type Outcome, type Wish } from "../agent/messages.ts";
import { agentPlace, type Asking, isPrivate } from "../agent/place.ts";
import { type LocalLine, localLine } from "../machine/libc.ts";
import { homePath } from "./home-path.ts";

/** What of the environment a command reads; a passphrase file is for the command's own process. */
const PASSED = /^(?:MESH_(?!PASSPHRASE_FILE$).*|NO_COLOR|TERM|COLUMNS)$/;

/**
 * Has the agent of the home run a command, where there is one that holds it; undefined where the command is to run by itself.
 *
 * Nothing of it was done then, and nothing written: what an agent wrote is shown when it has ended, all of it.
 */
export async function runThin(argv: readonly string[], build: string): Promise<Outcome | undefined> {
  const { env } = process;
  const isOn = (text: string | undefined): boolean => !["", "0", "false", "no", undefined].includes(text);
  if (isOn(env["MESH_NO_AGENT"]) || env["MESH_PASSPHRASE_FILE"]) return undefined;
  if (argv.some((word) => word === "--no-agent" || word.startsWith("--passphrase-file"))) return undefined;
  const place = agentPlace(homePath(homeOption(argv) ?? (env["MESH_HOME"] || undefined), env), env);
  if (place === undefined || !isPrivate(place.directory)) return undefined;
  const environment = Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => PASSED.test(pair[0]) && pair[1] !== undefined));
  const line = localLine();
  const caller = { argv, environment, ...(await terminalsBy(line)) };
  const answer = await asked({ place, build }, { ask: "run", caller }, line);
  return answer !== undefined && "ok" in answer ? (answer.ok as Outcome) : undefined;
}

/** By the C library where it can be called: the engine's own doors to terminals and sockets take as long to open as an agent to answer, five times over. */
async function asked(asking: Asking, wish: Wish, line: LocalLine | undefined): Promise<Answer | undefined> {
  if (line === undefined) return (await import("../agent/ask.ts")).askAgent(asking, wish);
  const said = line.exchange(asking.place.socket, lineFor(asking, wish), PATIENCE, MAX_ANSWER);
  return said === undefined ? undefined : answerIn(said);
}

async function terminalsBy(line: LocalLine | undefined): Promise<Pick<Caller, "terminals" | "columns">> {
  const isTerminal = line?.isTerminal ?? (await import("node:tty")).isatty;
  const terminals = [isTerminal(0), isTerminal(1), isTerminal(2)] as const;
  return { terminals, columns: terminals[1] ? process.stdout.columns : null };
}

/** The value of --home, as the line has it; one that is given twice or without a value is for the command to refuse. */
function homeOption(argv: readonly string[]): string | undefined {
  const end = argv.indexOf("--");
  const line = argv.slice(0, end === -1 ? undefined : end);
  const at = line.findIndex((word) => word === "--home" || word.startsWith("--home="));
  const word = line[at];
  return word === "--home" ? line[at + 1] : word?.slice("--home=".length);
}
