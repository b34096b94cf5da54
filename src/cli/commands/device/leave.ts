import { leaveMesh } from "../../../client/operations/disable.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { keyringHolds } from "../../../keyring/file.ts";
import type { Call } from "../../call.ts";
import { homePath } from "../../home-path.ts";
import { homeFiles } from "../../home.ts";
import { openClient } from "../../open-client.ts";
import { receiptText } from "./receipt.ts";

/** `mesh device leave`: takes this device out of the mesh and erases its keys; the consequence is said first. */
export async function run(call: Call): Promise<void> {
  const { args, input, output, world } = call;
  if (!args.flag("yes")) {
    const files = homeFiles(homePath(args.text("home"), world.environment));
    if (keyringHolds(files.master, "master-signature")) output.note("This home alone holds your Master and Recovery keys. Leaving does not erase them; keep the home, or no administration device can ever be added or removed.");
    if (!input.mayAsk) throw new MeshError("input-needed", "Leaving erases this device's keys: everything on it that was not sent is lost.", "Add --yes if that is what you want.");
    const answer = await input.ask("Leaving erases this device's keys; what was not sent to your portal is lost. Type yes to leave", "yes");
    if (answer.trim().toLowerCase() !== "yes") throw new MeshError("interrupted", "Nothing was changed.");
  }
  const receipt = await leaveMesh(await openClient(call, "online"));
  output.data(receipt, receiptText(receipt));
}
