import { searchPasswords } from "../../../applications/passwords/find.ts";
import { passwordsOf } from "../../../applications/passwords/password.ts";
import { filterPasswords, parseQuery } from "../../../applications/passwords/query.ts";
import { readEntries } from "../../../client/catalog.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { showList } from "./show-list.ts";

/** `mesh password search`: [ { id, kind, name, username, sites, folder, tags } ]; nothing found is an empty list, and no error. */
export async function run(call: Call): Promise<void> {
  const { args } = call;
  const entries = await readEntries(await openClient(call, "offline"), "passwords");
  const { words, filter } = parseQuery(args.texts("WORD"));
  const narrowed = filterPasswords(passwordsOf(entries), { tags: [...filter.tags, ...args.texts("tag")], site: args.text("site") ?? filter.site, folder: args.text("folder") ?? filter.folder });
  showList(call, searchPasswords(narrowed, words), `No login has ${JSON.stringify(args.texts("WORD").join(" "))} in it.`);
}
