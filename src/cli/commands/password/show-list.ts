import type { Password } from "../../../applications/passwords/password.ts";
import type { Call } from "../../call.ts";

/** Prints logins without a secret in them: [ { id, name, username, sites, tags } ], or a table; `none` is said where there are none. */
export function showList({ output }: Call, passwords: readonly Password[], none: string): void {
  const documents = passwords.map(({ id, name, username, sites, tags }) => ({ id, name, username: username ?? null, sites, tags }));
  const rows = passwords.map((one) => [one.name, one.username ?? "", one.sites.join(", "), one.tags.join(", ")]);
  if (rows.length === 0) output.note(none);
  output.data(documents, rows.length === 0 ? "" : output.table(["NAME", "USER NAME", "SITES", "TAGS"], rows));
}
