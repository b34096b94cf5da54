import { isatty } from "node:tty";

import { askAgent } from "../agent/ask.ts";
import type { Outcome } from "../agent/messages.ts";
import { agentPlace } from "../agent/place.ts";
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
  if (place === undefined) return undefined;
  const environment = Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => PASSED.test(pair[0]) && pair[1] !== undefined));
  const columns = isatty(1) ? process.stdout.columns : null;
  const answer = await askAgent({ place, build }, { ask: "run", caller: { argv, environment, terminals: [isatty(0), isatty(1), isatty(2)], columns } });
  return answer !== undefined && "ok" in answer ? (answer.ok as Outcome) : undefined;
}

/** The value of --home, as the line has it; one that is given twice or without a value is for the command to refuse. */
function homeOption(argv: readonly string[]): string | undefined {
  const end = argv.indexOf("--");
  const line = argv.slice(0, end === -1 ? undefined : end);
  const at = line.findIndex((word) => word === "--home" || word.startsWith("--home="));
  const word = line[at];
  return word === "--home" ? line[at + 1] : word?.slice("--home=".length);
}
