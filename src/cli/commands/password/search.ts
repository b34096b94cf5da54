import { searchPasswords } from "../../../applications/passwords/find.ts";
import { passwordsOf } from "../../../applications/passwords/password.ts";
import { readEntries } from "../../../client/catalog.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { showList } from "./show-list.ts";

/** `mesh password search`: [ { id, kind, name, username, sites, folder, tags } ]; nothing found is an empty list, and no error. */
export async function run(call: Call): Promise<void> {
  const entries = await readEntries(await openClient(call, "offline"), "passwords");
  const query = call.args.texts("WORD").join(" ");
  showList(call, searchPasswords(passwordsOf(entries), query), `No login has ${JSON.stringify(query)} in it.`);
}
