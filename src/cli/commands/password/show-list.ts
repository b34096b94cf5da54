import { kindWords } from "../../../applications/passwords/kinds.ts";
import type { Listed } from "../../../applications/passwords/listed.ts";
import type { Call } from "../../call.ts";

/** Prints logins without a secret in them: [ { id, kind, name, username, sites, folder, tags } ], or a table with the columns that are not empty; `none` is said where there are none. */
export function showList({ output }: Call, passwords: readonly Listed[], none: string): void {
  const documents = passwords.map(({ id, kind, name, username, sites, folder, tags }) => ({ id, kind, name, username: username ?? null, sites, folder: folder ?? null, tags }));
  const rows = passwords.map((one) => [one.name, kindWords[one.kind][0], one.username ?? "", one.sites.join(", "), one.folder ?? "", one.tags.join(", ")]);
  // Where there is nothing but logins, to say so of each says nothing.
  const plain = passwords.every((one) => one.kind === "login");
  const shown = (row: readonly string[]): readonly string[] => row.filter((_, column) => !plain || column !== 1);
  if (rows.length === 0) output.note(none);
  output.data(documents, rows.length === 0 ? "" : output.table(shown(["NAME", "KIND", "USER NAME", "SITES", "FOLDER", "TAGS"]), rows.map(shown)));
}
