import { removeHost } from "../../../../applications/ssh/edit-host.ts";
import { findHost, type Host } from "../../../../applications/ssh/host.ts";
import { editEntries } from "../../../../client/catalog.ts";
import { sync } from "../../../../client/sync.ts";
import { MeshError } from "../../../../refusals/mesh-error.ts";
import type { Call } from "../../../call.ts";
import { writeFiles } from "../../../ssh/files.ts";
import { readHosts } from "../../../ssh/in-step.ts";
import { openReach } from "../../../ssh/open.ts";
import { takeOut } from "../../../ssh/take-out.ts";
import { trySync } from "../../../try-sync.ts";

/** `mesh ssh host remove NAME`: { id, name, kept, others, sync }; takes our block out and the server off the list, or with --keep off the list alone. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const { asking, client } = await openReach(call, "online");
  await sync(client);
  const host = findHost(await readHosts(client), args.needText("NAME"));
  const keep = args.flag("keep");
  const others = keep ? null : await takeOut(client, host, asking, (left) => agree(call, host, left));
  await editEntries(client, "ssh", (entries) => entries.filter((one) => one.id === host.id).map(removeHost));
  await writeFiles(client, asking, await readHosts(client), "only-kept");
  const sent = await trySync(call, client);
  const said = keep ? host.way === "plain" ? `The keys of your devices still stand on ${host.name}, and nothing takes out one that you disable: do it by hand.` : `${host.name} goes on to let your devices in, and nothing tells it of one that you disable: see to it by hand.` : `No device gets into ${host.name} by its ${host.way === "plain" ? "key" : "certificate"} any more.`;
  output.receipt({ id: host.id, name: host.name, kept: keep, others, sync: sent ? "sent" : "later" }, `${host.name} is off your list. ${said}`);
}

async function agree({ args, input, output }: Call, host: Host, left: number): Promise<void> {
  if (left > 0 || args.flag("yes")) return;
  const consequence = `After this nothing in authorized_keys lets anybody into ${host.name}: you get in by a password or at its console only, if at all.`;
  if (!input.mayAsk) throw new MeshError("input-needed", consequence, "Nothing was changed. Add --yes if that is what you want.");
  output.note(consequence);
  const answer = await input.ask("Type yes to go on", "yes");
  if (answer.trim().toLowerCase() !== "yes") throw new MeshError("interrupted", "Nothing was changed.");
}
