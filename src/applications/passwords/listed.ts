import { type Entry, isRemoved } from "../../catalogs/merge.ts";
import { byName, isFolder, type Password, passwordOf } from "./password.ts";

/** What lists show and searches look at: nothing secret is in it. */
export type Listed = Pick<Password, "id" | "kind" | "name" | "username" | "sites" | "notes" | "folder" | "tags">;

const NONE: readonly string[] = [];

/** The view of all logins that are not removed, in the order in which people are shown them. */
export const listed = {
  make: (entry: Entry): Listed | undefined => (isRemoved(entry) || isFolder(entry) ? undefined : lean(passwordOf(entry))),
  order: byName,
  size: ({ name, username, sites, notes, folder, tags }: Listed): number => [name, username, notes, folder, ...sites, ...tags].reduce((sum, text) => sum + (text === undefined ? 0 : 16 + text.length), 200),
};

function lean({ id, kind, name, username, sites, notes, folder, tags }: Password): Listed {
  return { id, kind, name, username, sites: sites.length === 0 ? NONE : sites, notes, folder, tags: tags.length === 0 ? NONE : tags };
}
