import { spawn } from "node:child_process";
import { constants } from "node:os";

import { isReference } from "../../applications/passwords/reference.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { Call } from "../call.ts";
import { referred } from "./password/refer.ts";

/** Signals that a program is told of, when this one is. */
const PASSED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** `mesh run -- CMD [ARG...]`: runs a program with what the references in its environment mean; ends with its status, or 128 and its signal. */
export async function run(call: Call): Promise<void> {
  const { args, input, world } = call;
  const [command = "", ...rest] = args.texts("CMD");
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(world.environment)) if (value !== undefined) environment[name] = value;
  for (const file of args.texts("variables-file")) Object.assign(environment, variablesIn(input.textFrom(file)));
  const wanted = Object.entries(environment).filter(([, value]) => isReference(value));
  const meant = wanted.length === 0 ? [] : await referred(call, wanted.map(([, value]) => value));
  for (const [at, [name]] of wanted.entries()) {
    const { text } = meant[at] ?? { text: "" };
    demand(!text.includes("\0"), "run-failed", `What ${name} refers to has an octet 0, which no variable can have.`);
    environment[name] = text;
  }
  call.exitWith(await statusOf(command, rest, environment));
}

/** Lines NAME=VALUE; empty ones and those that begin with # say nothing. */
function variablesIn(text: string): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    const [, name, value] = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line) ?? [];
    demand(name !== undefined && value !== undefined, "input-malformed", `Line ${at + 1} of the file of variables is not NAME=VALUE.`);
    variables[name] = /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
  }
  return variables;
}

function statusOf(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: "inherit" });
    const passers = PASSED.map((signal) => [signal, () => void child.kill(signal)] as const);
    // A terminal sends its own to both; whoever runs must not be gone before the program that it waits for.
    for (const [signal, pass] of passers) process.on(signal, pass);
    const done = (): void => {
      for (const [signal, pass] of passers) process.off(signal, pass);
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      done();
      reject(new MeshError("run-failed", `${command} cannot be run (${error.code ?? "unknown"}).`, "Is it installed, and on your PATH?"));
    });
    child.once("exit", (status, signal) => {
      done();
      resolve(status ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
