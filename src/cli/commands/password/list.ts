import { listed } from "../../../applications/passwords/listed.ts";
import { passwordOf } from "../../../applications/passwords/password.ts";
import { isGone } from "../../../applications/passwords/gone.ts";
import { filterPasswords } from "../../../applications/passwords/query.ts";
import { isRemoved } from "../../../catalogs/merge.ts";
import { readEntries, readView } from "../../../client/catalog.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { showList } from "./show-list.ts";

/** `mesh password list`: [ { id, kind, name, username, sites, folder, tags } ]. */
export async function run(call: Call): Promise<void> {
  const client = await openClient(call, "offline");
  const tags = call.args.texts("tag");
  const removed = call.args.flag("removed");
  const [site, folder] = [call.args.text("site"), call.args.text("folder")];
  const all = removed ? (await readEntries(client, "passwords")).filter((entry) => isRemoved(entry) && !isGone(entry)).map(passwordOf) : await readView(client, "passwords", listed);
  const none = removed ? "Nothing was removed." : site !== undefined ? "No login is for that site." : folder !== undefined ? "Nothing is in that folder." : tags.length > 0 ? "No login has these tags." : "There are no logins yet. Save one: mesh password add NAME";
  showList(call, filterPasswords(all, { tags, site, folder }), none);
}
