import { searchPasswords } from "../../../applications/passwords/find.ts";
import { listed } from "../../../applications/passwords/listed.ts";
import { filterPasswords, parseQuery } from "../../../applications/passwords/query.ts";
import { readView } from "../../../client/catalog.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { showList } from "./show-list.ts";

/** `mesh password search`: [ { id, kind, name, username, sites, folder, tags } ]; nothing found is an empty list, and no error. */
export async function run(call: Call): Promise<void> {
  const { args } = call;
  const all = await readView(await openClient(call, "offline"), "passwords", listed);
  const { words, filter } = parseQuery(args.texts("WORD"));
  const narrowed = filterPasswords(all, { tags: [...filter.tags, ...args.texts("tag")], site: args.text("site") ?? filter.site, folder: args.text("folder") ?? filter.folder });
  showList(call, searchPasswords(narrowed, words), `No login has ${JSON.stringify(args.texts("WORD").join(" "))} in it.`);
}
