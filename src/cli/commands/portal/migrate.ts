import { existsSync, renameSync } from "node:fs";
import { resolve } from "node:path";

import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openPortalData } from "../../portal/data.ts";
import { unusedPath } from "../../portal/paths.ts";
import { keepSettings } from "../../portal/settings.ts";

/** `mesh portal migrate`: moves a stopped portal's records from its file into PostgreSQL or back, compared octet for octet. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const directory = resolve(args.needText("data"));
  const data = await openPortalData(directory);
  const depot = args.text("depot");
  if (depot !== undefined) {
    demand(args.text("to") === undefined, "usage-options-conflict", "--to and --depot are moved by one at a time.");
    const moved = await (await import("../../portal/move-depot.ts")).moveDepot(directory, data, depot);
    return output.receipt({ depot: depot === "none" ? null : resolve(depot), values: moved }, depot === "none" ? `Moved ${moved} blobs and tiles into the database. The depot is left as it was, and is not used any more.` : `Moved ${moved} blobs and tiles into the depot in ${resolve(depot)}.`);
  }
  const to = args.needText("to");
  const { settings, identity, database: file } = data;
  const owner = identity.profile.payload.id;
  const [{ isPostgresUrl, parsePostgresUrl }, { moveToPostgres, moveToSqlite }] = await Promise.all([import("../../../store/postgres-url.ts"), import("../../../store/postgres-move.ts")]);
  if (isPostgresUrl(to)) {
    parsePostgresUrl(to);
    demand(settings.database === undefined, "data-exists", "This portal keeps its records in PostgreSQL already.", `Move them back first: mesh portal migrate --data ${directory} --to ${directory}`);
    const moved = await moveToPostgres(file, to, owner);
    keepSettings(directory, { ...settings, database: to });
    for (const suffix of ["-wal", "-shm", ""]) if (existsSync(file + suffix)) renameSync(file + suffix, unusedPath(`${file}.moved${suffix}`));
    return output.receipt({ ...moved, to }, `Moved ${moved.entries} entries and ${moved.leaves} leaves of the log. What the portal kept is in PostgreSQL now; the old file is ${file}.moved.`);
  }
  demand(resolve(to) === directory, "usage-option-value", "--to is the URL of a PostgreSQL database, or the portal's own directory.");
  demand(settings.database !== undefined, "data-exists", "This portal keeps its records in a file already.");
  const { database, ...kept } = settings;
  const moved = await moveToSqlite(database, file, owner);
  keepSettings(directory, kept);
  output.receipt({ ...moved, to: directory }, `Moved ${moved.entries} entries and ${moved.leaves} leaves of the log into ${file}. The database is left as it was, and is not used any more.`);
}
