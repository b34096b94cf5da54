import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** The commands of a Markdown text's blocks marked ```sh run, one a line. */
export function commandsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^```sh run\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) => block.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#")));
}

export type Outcome = { readonly command: string; readonly status: number | null; readonly output: string };
export type Environment = Readonly<Record<string, string>>;

/** Runs one line in a shell and waits for its end; nobody is there to be asked. */
export async function run(command: string, cwd: string, env: Environment): Promise<Outcome> {
  const child = spawn("/bin/sh", ["-c", command], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { command, status, output };
}

/**
 * Plays a person who follows a document's commands, one after the other, on one machine.
 *
 * She puts the portal's URL where the document says `URL`, and where it says `"the six words"` those that the line before
 * showed. A device that waits to be let in (exit 5) stays on her screen until another line has shown three words; she
 * types these, which is to run the line again with `MESH_ANSWER`.
 */
export async function follow(commands: readonly string[], url: string, cwd: string, env: Environment): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let waiting: string | undefined;
  let words = "";
  for (const written of commands) {
    const command = written.replace(/\bURL\b/, `'${url}'`).replace('"the six words"', `"${words}"`);
    const outcome = await run(command, cwd, env);
    outcomes.push(outcome);
    words = wordsIn(outcome.output, 6) ?? words;
    const answer = wordsIn(outcome.output, 3);
    if (outcome.status === 5) waiting = command;
    else if (waiting !== undefined && answer !== undefined) {
      outcomes.push(await run(waiting, cwd, { ...env, MESH_ANSWER: answer }));
      waiting = undefined;
    }
  }
  return outcomes;
}

function wordsIn(output: string, count: number): string | undefined {
  return new RegExp(`^\\s+((?:[a-z]+ ){${count - 1}}[a-z]+)$`, "m").exec(output)?.[1];
}

/** Asks again and again until there is an answer, for at most so many milliseconds. */
export async function until<T>(ask: () => T | undefined, mostMs: number): Promise<T> {
  for (const end = Date.now() + mostMs; Date.now() < end; await sleep(50)) {
    const answer = ask();
    if (answer !== undefined) return answer;
  }
  throw new Error(`no answer within ${mostMs} ms`);
}
