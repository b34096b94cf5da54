import type { Call } from "../call.ts";
import { agentOf } from "../agent-of.ts";
import { homePath } from "../home-path.ts";

/** `mesh lock`: { locked, agent }, `agent` saying whether there was one to end. Its process is gone when this returns. */
export async function run(call: Call): Promise<void> {
  const ended = (await agentOf(call, homePath(call.args.text("home"), call.world.environment))?.end()) ?? false;
  call.output.receipt({ agent: ended, locked: true }, ended ? "Locked." : "No agent held this device's keys.");
}
