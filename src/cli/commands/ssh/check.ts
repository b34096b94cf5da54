import { MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { bringInStep, readHosts } from "../../ssh/in-step.ts";
import { openReach } from "../../ssh/open.ts";
import { stateDocument, stateLine, worstOf } from "../../ssh/states.ts";
import { trySync } from "../../try-sync.ts";

/** `mesh ssh check`: [ { name, state, missing, surplus, others, newOthers, trouble } ]; looks at every server and changes none. It ends with 0 if all are in step. */
export async function run(call: Call): Promise<void> {
  const { client, quiet } = await openReach(call, "online");
  await trySync(call, client);
  const states = await bringInStep(client, quiet, await readHosts(client), "look");
  if (states.length === 0 && !call.output.json) call.output.note("There are no servers yet. Add one: mesh ssh host add user@host");
  else call.output.data(states.map(stateDocument), states.map(stateLine).join("\n"));
  const worst = worstOf(states);
  if (worst !== undefined && worst.exit !== 7) throw worst;
  const stale = states.filter((one) => one.state === "stale").map((one) => one.name);
  if (stale.length > 0) throw new MeshError("ssh-host-stale", `Not in step: ${stale.join(", ")}.`, "Bring them in step: mesh ssh host sync");
  if (worst !== undefined) throw worst;
}
