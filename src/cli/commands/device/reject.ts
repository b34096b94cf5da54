import { rejectConnection } from "../../../client/operations/accept.ts";
import type { Call } from "../../call.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import { openClient } from "../../open-client.ts";

/** `mesh device reject`: turns a request down, or with --all every one that waits. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const words = args.text("WORDS");
  demand((words === undefined) === args.flag("all"), "usage-missing-argument", "Name one request by its six words, or all of them with --all.");
  const rejected = await rejectConnection(await openClient(call, "online"), words ?? "--all");
  output.receipt({ rejected }, rejected === 1 ? "Rejected." : `Rejected ${rejected}.`);
}
