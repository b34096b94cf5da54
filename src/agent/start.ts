import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { askAgent } from "./ask.ts";
import type { AgentStatus } from "./messages.ts";
import type { Asking } from "./place.ts";

/** So long an agent may take to answer for the first time, or to be gone, in milliseconds. */
const PATIENCE = 10_000;

/** How the engine of an agent is started: little room for what runs beside it, and deaf to the signal that would open it to debuggers. */
export const engineOptions: readonly string[] = ["--disable-warning=ExperimentalWarning", "--v8-pool-size=1", "--disable-sigusr1"];

/** What of its environment an agent is given: none of what may speak for its starter, nor lead the engine to other code; and by what windows it can ask its person. */
const PASSED = ["HOME", "PATH", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "MESH_LOCK_AFTER", "UV_THREADPOOL_SIZE", "LANG", "TZ", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE"];

/** What an agent says of itself, of whatever build; undefined where there is none. */
export async function statusOf(asking: Asking): Promise<AgentStatus | undefined> {
  const answer = await askAgent(asking, { ask: "status" }, PATIENCE);
  return answer !== undefined && "ok" in answer ? (answer.ok as AgentStatus) : undefined;
}

/** Ends an agent, if there is one, and returns when its process is gone, and with it what it held. */
export async function endAgent(asking: Asking): Promise<boolean> {
  const answer = await askAgent(asking, { ask: "lock" }, PATIENCE);
  if (answer === undefined || !("ok" in answer)) return false;
  const { pid } = answer.ok as AgentStatus;
  await until(() => !isRunning(pid));
  return true;
}

/**
 * Starts the agent of a home in the background, out of reach of what becomes of this process and its terminal, and returns when it answers.
 *
 * `entry` is the file that starts `mesh`. One of the same build that runs already is left alone, one of another is ended. Undefined where no agent
 * could be started.
 */
export async function ensureAgent(asking: Asking, entry: string, options: readonly string[]): Promise<AgentStatus | undefined> {
  const there = await statusOf(asking);
  if (there?.build === asking.build) return there;
  if (there !== undefined) await endAgent(asking);
  // In a checkout the launcher sees to it that the pinned engine is there.
  const launcher = join(dirname(dirname(entry)), "mesh");
  const [command, ...first] = existsSync(launcher) ? [launcher] : [process.execPath, ...engineOptions, entry];
  const env = Object.fromEntries(PASSED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
  const child = spawn(command ?? "", [...first, "agent", "--home", asking.place.home, ...options], { detached: true, stdio: "ignore", cwd: "/", env });
  let failed = false;
  child.once("error", () => (failed = true));
  // Another may be quicker, and this one end by itself: whoever answers is the agent.
  child.unref();
  let status: AgentStatus | undefined;
  await until(async () => failed || (status = await statusOf(asking)) !== undefined);
  return status?.build === asking.build ? status : undefined;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!(await holds()) && performance.now() < deadline) await sleep(10);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
