import { realpathSync } from "node:fs";

import { startAgent } from "../../agent/agent.ts";
import { agentPlace } from "../../agent/place.ts";
import { makePrompter } from "../../agent/prompt.ts";
import { engineOptions } from "../../agent/start.ts";
import { libc } from "../../machine/libc.ts";
import { giveMemoryBack } from "../../machine/memory.ts";
import { programsOf } from "../../machine/programs.ts";
import { isNeverSwapped } from "../../machine/swap.ts";
import { demand } from "../../refusals/mesh-error.ts";
import { buildName } from "../bundle.ts";
import type { Call } from "../call.ts";
import { durationOf } from "../duration.ts";
import { holdHome } from "../hold-home.ts";
import { homeExists, octetsOf } from "../home.ts";
import { homePath } from "../home-path.ts";
import { tellReady } from "../portal/ready.ts";
import type { Environment } from "../world.ts";

/** `mesh agent`: { home, socket, sshSocket, pid, unlocked, lockAfterSeconds, peersChecked, noDumps, noSwap }, then answers until it locks or a signal ends it. */
export async function run(call: Call): Promise<void> {
  const { args, input, output, world } = call;
  const home = homePath(args.text("home"), world.environment);
  demand(homeExists(home), "home-missing", `There is no mesh on this device (in ${home}).`, "Make one with `mesh create ADDRESS`, or join yours with `mesh join ADDRESS`.");
  const place = agentPlace(home, world.environment);
  demand(place !== undefined, "agent-failed", `The path ${home} is too long for a socket.`, "Set XDG_RUNTIME_DIR, or choose a shorter home with MESH_HOME.");
  const lockAfter = durationOf(args.text("lock-after") ?? "15m", "lock-after");
  if (args.flag("unit")) return printUnit(call, place.home);
  const library = await libc();
  // Before there is anything to hide.
  const noDumps = library !== undefined && [library.forbidCoreFiles(), library.forbidDumps()].every(Boolean);
  const guards = { peersChecked: library !== undefined, noDumps, noSwap: isNeverSwapped() };
  const passphrase = octetsOf(await input.secretFile("passphrase-file"));
  const agent = await startAgent({ place, build: buildName(), lockAfter, guards, peerOf: library?.peerOf, now: world.now, open: (octets) => holdHome(call, place.home, octets, () => agent.status()), programsOf, prompter: makePrompter(windowsOf(world.environment)), rest: giveMemoryBack }, passphrase);
  passphrase?.fill(0);
  // Else anybody on this computer could debug it, once somebody sent this.
  process.on("SIGUSR1", () => {});
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => void agent.end("asked"));
  const { pid, unlocked } = agent.status();
  const document = { home: place.home, socket: place.socket, sshSocket: place.sshSocket, pid, unlocked, lockAfterSeconds: lockAfter / 1000, ...guards };
  output.receipt(document, `The agent of ${place.home} answers at ${place.socket}, ${unlocked ? "unlocked" : "locked: mesh unlock"}.${guardsText(guards)}`);
  await tellReady(world.environment);
  const ending = await agent.ended;
  output.note({ asked: "Locked.", idle: "Locked, since it was not used for a while.", unreachable: "Locked, since its socket was taken away.", "home-gone": "Locked, since its home is gone or another." }[ending]);
}

/** What programs that ask are given: all but what is ours, as the file of a passphrase. */
function windowsOf(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("MESH_")));
}

/** { unit }, for a session that has the same home. */
async function printUnit({ args, output }: Call, home: string): Promise<void> {
  const { agentUnitText } = await import("../agent-unit.ts");
  const lockAfter = args.text("lock-after");
  const program = [process.execPath, ...engineOptions, realpathSync(process.argv[1] ?? "")];
  const text = agentUnitText([...program, "agent", "--home", home, ...(lockAfter === undefined ? [] : ["--lock-after", lockAfter])]);
  output.data({ unit: text }, text.trimEnd());
}

/** What does not hold here is said, and nothing else. */
function guardsText({ peersChecked, noDumps, noSwap }: { readonly peersChecked: boolean; readonly noDumps: boolean; readonly noSwap: boolean }): string {
  return [
    ...(peersChecked ? [] : [" Callers are not checked by the kernel here: only the folder of its socket keeps others out."]),
    ...(noDumps ? [] : [" Its memory may be written into a core dump."]),
    ...(noSwap ? [] : [" Its memory may be swapped to disk: encrypt the swap, or set MemorySwapMax=0 for it."]),
  ].join("");
}
