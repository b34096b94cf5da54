import { forgetKnown } from "../../../../applications/ssh/known.ts";
import { editEntries } from "../../../../client/catalog.ts";
import type { Call } from "../../../call.ts";
import { writeFiles } from "../../../ssh/files.ts";
import { readHosts } from "../../../ssh/in-step.ts";
import { openReach } from "../../../ssh/open.ts";
import { trySync } from "../../../try-sync.ts";

/** `mesh ssh known forget HOST`: { host, sync }; takes a host off the list of all devices. What stands in a person's own known_hosts stays. Works offline. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const { client, quiet } = await openReach(call, "online");
  const host = args.needText("HOST").toLowerCase();
  await editEntries(client, "ssh", (entries) => forgetKnown(entries, host));
  await writeFiles(client, quiet, await readHosts(client), "only-kept");
  const sent = await trySync(call, client);
  output.receipt({ host, sync: sent ? "sent" : "later" }, `${host} is off the list of your devices${sent ? "" : ", once this one has sent that: mesh sync"}. The key that it had does not come back by itself; the next one that you confirm does.`);
}
