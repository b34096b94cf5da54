import { keyringNeedsPassphrase } from "../../keyring/file.ts";
import { demand } from "../../refusals/mesh-error.ts";
import { agentOf } from "../agent-of.ts";
import type { Call } from "../call.ts";
import { durationOf } from "../duration.ts";
import { homeExists, homeFiles } from "../home.ts";
import { homePath } from "../home-path.ts";

/** `mesh unlock`: { unlocked, lockAfterSeconds }. The agent is given the passphrase over its socket, and opens the home. */
export async function run(call: Call): Promise<void> {
  const { args, input, output, world } = call;
  const home = homePath(args.text("home"), world.environment);
  demand(homeExists(home), "home-missing", `There is no mesh on this device (in ${home}).`, "Make one with `mesh create ADDRESS`, or join yours with `mesh join ADDRESS`.");
  const wanted = args.text("lock-after");
  if (wanted !== undefined) durationOf(wanted, "lock-after");
  const agent = agentOf(call, home);
  demand(agent !== undefined, "agent-failed", "There can be no agent here.", "Leave --no-agent out; where the home's path is long, set XDG_RUNTIME_DIR.");
  const needed = await keyringNeedsPassphrase(homeFiles(home).keyring);
  const given = await input.secretFile("passphrase-file");
  // None is started for a passphrase that nobody will say.
  const open = (await (!needed || given !== undefined || input.mayAsk ? agent.start(wanted === undefined ? [] : ["--lock-after", wanted]) : agent.status()))?.unlocked === true;
  if (needed && !open) {
    const unlocked = await agent.unlock(given ?? (await input.secret("passphrase-file", "Passphrase")));
    demand(unlocked !== undefined, "agent-failed", "The agent of this home could not be started.", "To see why: mesh agent");
  }
  const status = await agent.status();
  demand(status?.unlocked === true, "agent-failed", "The agent of this home could not be started.", "To see why: mesh agent");
  const minutes = Math.round(status.lockAfter / 60_000);
  output.receipt({ lockAfterSeconds: status.lockAfter / 1000, unlocked: true }, `${open ? "Unlocked already" : "Unlocked"}; it locks after ${minutes} minute${minutes === 1 ? "" : "s"} without use.`);
}
