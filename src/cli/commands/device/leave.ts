import { leaveMesh } from "../../../client/operations/disable.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { receiptText } from "./receipt.ts";

/** `mesh device leave`: takes this device out of the mesh and erases its keys; the consequence is said first. */
export async function run(call: Call): Promise<void> {
  const { args, input, output } = call;
  if (!args.flag("yes")) {
    if (!input.mayAsk) throw new MeshError("input-needed", "Leaving erases this device's keys: everything on it that was not sent is lost.", "Add --yes if that is what you want.");
    const answer = await input.ask("Leaving erases this device's keys; what was not sent to your portal is lost. Type yes to leave", "yes");
    if (answer.trim().toLowerCase() !== "yes") throw new MeshError("interrupted", "Nothing was changed.");
  }
  const receipt = await leaveMesh(await openClient(call, "online"));
  output.data(receipt, receiptText(receipt));
}
