import { findHost } from "../../../../applications/ssh/host.ts";
import { sync } from "../../../../client/sync.ts";
import type { Call } from "../../../call.ts";
import { tendCertificates } from "../../../ssh/certificates.ts";
import { writeFiles } from "../../../ssh/files.ts";
import { bringInStep, readHosts } from "../../../ssh/in-step.ts";
import { openReach } from "../../../ssh/open.ts";
import { stateDocument, stateLine, worstOf } from "../../../ssh/states.ts";
import { trySync } from "../../../try-sync.ts";

/** `mesh ssh host sync [NAME]`: [ { name, state, missing, surplus, others, newOthers, trouble } ]; brings every server in step that can be reached. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const { asking, client, quiet } = await openReach(call, "online");
  // What stands on servers is never made of what this device knew some time ago.
  await sync(client);
  await tendCertificates(client);
  const all = await readHosts(client);
  const name = args.text("NAME");
  const states = name === undefined ? await bringInStep(client, quiet, all, "write") : await bringInStep(client, asking, [findHost(all, name)], "write");
  await writeFiles(client, quiet, await readHosts(client), "only-kept");
  await trySync(call, client);
  if (states.length === 0 && !output.json) output.note("There are no servers yet. Add one: mesh ssh host add user@host");
  else output.data(states.map(stateDocument), states.map(stateLine).join("\n"));
  const worst = worstOf(states);
  if (worst !== undefined) throw worst;
}
