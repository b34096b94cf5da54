import { cpSync } from "node:fs";
import { join } from "node:path";
import { keepSettings, readSettings } from "../../src/cli/portal/settings.ts";
import { moveToPostgres } from "../../src/store/postgres-move.ts";
import { freePort } from "../../test/support/free-port.ts";
import { copyPortal, type Fixture, portalId } from "./fixture.ts";

/** A copy of the fixture's portal with its records in a database: so many directories for so many processes, each with the port that it listens on. */
export async function copyToPostgres(fixture: Fixture, into: string, url: string, processes: number): Promise<readonly { readonly directory: string; readonly port: number }[]> {
  const first = copyPortal(fixture, into, 1);
  await moveToPostgres(join(first, "portal.db"), url, portalId(fixture));
  const copies = [];
  for (let at = 0; at < processes; at++) {
    const [directory, port] = [`${first}-${at}`, await freePort()];
    cpSync(first, directory, { recursive: true, filter: (path) => !path.includes("portal.db") });
    const { accounts, domain, host } = readSettings(directory);
    keepSettings(directory, { accounts, domain, host, port, database: url });
    copies.push({ directory, port });
  }
  return copies;
}
