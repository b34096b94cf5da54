import type { Client } from "../../client/client.ts";
import type { Call } from "../call.ts";
import { openHome } from "../home.ts";
import { homePath } from "../home-path.ts";
import { clientOf } from "../open-client.ts";
import type { Reach } from "./reach.ts";

/** Milliseconds that are spent on one server while others wait for theirs, or the person for something else. */
export const QUICK = 5000;

/** The client of a command about servers, and how it reaches them: quickly and without a word, or by asking the person. */
export async function openReach(call: Call, use: "offline" | "online"): Promise<{ readonly client: Client; readonly quiet: Reach; readonly asking: Reach }> {
  const home = await openHome(call);
  const quiet = quietReach(call);
  return { client: await clientOf(home, call, use), quiet, asking: call.input.mayAsk ? { ...quiet, mayAsk: true, within: undefined } : { ...quiet, within: 4 * QUICK } };
}

/** How a command reaches servers beside what it is for. */
export function quietReach({ args, world }: Pick<Call, "args" | "world">): Reach {
  return { home: homePath(args.text("home"), world.environment), environment: world.environment, mayAsk: false, within: QUICK };
}
