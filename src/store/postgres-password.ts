import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { MeshError } from "../refusals/mesh-error.ts";
import type { PostgresAddress } from "./postgres-url.ts";

/**
 * The password for a database, where PostgreSQL's own programs look for it: `PGPASSWORD`, else the first line that fits in the file
 * `PGPASSFILE` or `~/.pgpass` (https://www.postgresql.org/docs/15/libpq-pgpass.html). None is no error: the server may know us otherwise.
 */
export function passwordFor(address: PostgresAddress, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const said = environment["PGPASSWORD"];
  if (said !== undefined && said !== "") return said;
  const file = environment["PGPASSFILE"] ?? (environment["HOME"] === undefined ? undefined : join(environment["HOME"], ".pgpass"));
  const found = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  if (file === undefined || found === undefined || !found.isFile()) return undefined;
  if ((found.mode & 0o077) !== 0) throw new MeshError("store-url", `Others may read the passwords in ${file}.`, `chmod 600 ${file}`);
  const wanted = [address.host.startsWith("/") ? "localhost" : address.host, String(address.port), address.database, address.user ?? environment["PGUSER"] ?? environment["USER"] ?? ""];
  for (const line of readFileSync(file, "utf8").split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const fields = (line.match(/(?:\\.|[^:\\])*(?::|$)/g) ?? []).map((field) => field.replace(/:$/, "").replace(/\\(.)/g, "$1"));
    if (fields.length >= 5 && wanted.every((value, at) => fields[at] === "*" || fields[at] === value || (at === 0 && fields[at] === address.host))) return fields[4];
  }
  return undefined;
}
