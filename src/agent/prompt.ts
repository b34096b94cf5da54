import { spawn } from "node:child_process";

import { MeshError } from "../refusals/mesh-error.ts";
import { type Heard, pinentryLines, readPinentry } from "./assuan.ts";

/** How a person is asked who is not at a terminal of this process: by a window, of whatever program she uses for that. */
export type Prompter = {
  /** What she types unseen. */
  readonly secret: (text: string, given: AbortSignal) => Promise<string>;
  /** Returns once she agreed. */
  readonly agree: (text: string, given: AbortSignal) => Promise<void>;
};

type Environment = Readonly<Record<string, string | undefined>>;
type Ask = "secret" | "yes or no";

/** So long a person is waited for, in milliseconds: less than a server waits for a login (120 s, sshd_config(5)). */
const WAIT_MS = 60_000;
/** So long what a program said last may take to come when it has ended, in milliseconds. */
const LEFT_MS = 500;
/** The most octets that a program may say. */
const MAX_SAID = 16 * 1024;

/**
 * Asks by the program that SSH_ASKPASS names, as ssh does (with SSH_ASKPASS_PROMPT=confirm where there is only yes or no; SSH_ASKPASS_REQUIRE counts), else by `pinentry`, else by `ssh-askpass`.
 *
 * One question at a time; `given` is aborted once nobody wants the answer any more, and the window goes. Both verbs throw MeshError `prompt-missing` where there is no display
 * or no such program, `prompt-denied`, and `prompt-timed-out` after a minute.
 */
export function makePrompter(environment: Environment, waitMs = WAIT_MS): Prompter {
  let turn: Promise<unknown> = Promise.resolve();
  const ask = (how: Ask, text: string, given: AbortSignal): Promise<string> => {
    const mine = turn.catch(() => {}).then(async () => understood(await heardBy(environment, how, text, AbortSignal.any([given, AbortSignal.timeout(waitMs)]), given, waitMs)));
    turn = mine;
    return mine;
  };
  return { secret: (text, given) => ask("secret", text, given), agree: async (text, given) => void (await ask("yes or no", text, given)) };
}

function understood(heard: Heard): string {
  if (heard === "none") throw new MeshError("prompt-missing", "Nobody could be asked: there is no display here, or no program that asks.", "Install pinentry or ssh-askpass, and start the agent where a display is; or unlock by hand: mesh unlock");
  if (heard === "late") throw new MeshError("prompt-timed-out", "Nobody answered in time.", "Try again.");
  if (heard === "no") throw new MeshError("prompt-denied", "Whoever was asked said no.");
  return heard.said;
}

async function heardBy(environment: Environment, how: Ask, text: string, ends: AbortSignal, given: AbortSignal, waitMs: number): Promise<Heard> {
  for (const { args, input, program, read, set } of waysOf(environment, how, text, waitMs)) {
    if (given.aborted) return "no";
    const ended = await runTo(program, args, { ...environment, ...set }, input, ends);
    if (ended === "not there") continue;
    if (given.aborted) return "no";
    return ends.aborted ? "late" : read(ended);
  }
  return "none";
}

type Ended = { readonly status: number | null; readonly said: string };
type Way = { readonly program: string; readonly args: readonly string[]; readonly input: string; readonly set: Environment; readonly read: (ended: Ended) => Heard };

function waysOf(environment: Environment, how: Ask, text: string, waitMs: number): readonly Way[] {
  const display = [environment["DISPLAY"], environment["WAYLAND_DISPLAY"]].some((one) => one !== undefined && one !== "");
  const required = environment["SSH_ASKPASS_REQUIRE"];
  const own = environment["SSH_ASKPASS"];
  const askpass = (program: string): Way => ({ program, args: [text], input: "", set: how === "secret" ? {} : { SSH_ASKPASS_PROMPT: "confirm" }, read: (ended) => readAskpass(ended, how) });
  if (own !== undefined && own !== "" && required !== "never" && (display || required === "force")) return [askpass(own)];
  if (!display) return [];
  return [{ program: "pinentry", args: [], input: pinentryLines(text, how, Math.ceil(waitMs / 1000)), set: {}, read: ({ said }) => readPinentry(said) }, askpass("ssh-askpass")];
}

/** What a program meant that ssh would ask by: it ends with 0, and says the secret, or for yes nothing or "yes". */
function readAskpass({ said, status }: Ended, how: Ask): Heard {
  const line = said.replace(/\r?\n$/, "");
  if (status !== 0) return "no";
  if (how === "secret") return line === "" ? "no" : { said: line };
  return line === "" || line.toLowerCase() === "yes" ? { said: "" } : "no";
}

function runTo(program: string, args: readonly string[], environment: Environment, input: string, ends: AbortSignal): Promise<Ended | "not there"> {
  return new Promise((resolve) => {
    const child = spawn(program, [...args], { env: { ...environment }, stdio: ["pipe", "pipe", "ignore"], cwd: "/", detached: true });
    let said = "";
    const end = (): void => endAll(child.pid);
    ends.addEventListener("abort", end, { once: true });
    if (ends.aborted) end();
    const done = (what: Ended | "not there"): void => {
      ends.removeEventListener("abort", end);
      child.stdout.destroy();
      resolve(what);
    };
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      said += piece;
      if (said.length > MAX_SAID) end();
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.once("error", () => done("not there"));
    child.once("close", (status) => done({ status, said }));
    // What it started may hold its output open.
    child.once("exit", (status) => setTimeout(() => done({ status, said }), LEFT_MS).unref());
  });
}

/** Ends a program and what it started: it is the first of a group of its own. */
function endAll(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
