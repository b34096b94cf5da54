import { passwordOf, passwordsOf } from "../../../applications/passwords/password.ts";
import { isRemoved } from "../../../catalogs/merge.ts";
import { readEntries } from "../../../client/catalog.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { showList } from "./show-list.ts";

/** `mesh password list`: [ { id, kind, name, username, sites, folder, tags } ]. */
export async function run(call: Call): Promise<void> {
  const entries = await readEntries(await openClient(call, "offline"), "passwords");
  const tags = call.args.texts("tag");
  const removed = call.args.flag("removed");
  const all = removed ? entries.filter(isRemoved).map(passwordOf) : passwordsOf(entries);
  const none = removed ? "Nothing was removed." : tags.length > 0 ? "No login has these tags." : "There are no logins yet. Save one: mesh password add NAME";
  showList(call, all.filter((one) => tags.every((tag) => one.tags.includes(tag))), none);
}
