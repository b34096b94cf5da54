import { realpathSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";

import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openPortalData } from "../../portal/data.ts";
import { unitText } from "../../portal/unit.ts";

/** `mesh portal unit`: a systemd unit that runs the portal of a directory in /var/lib, hardened. */
export async function run({ args, output }: Call): Promise<void> {
  const directory = resolve(args.needText("data"));
  const state = basename(directory);
  demand(dirname(directory) === "/var/lib" && /^[\w.-]+$/.test(state) && state !== "private", "usage-option-value", `A unit runs a portal whose directory is directly in /var/lib, not ${directory}.`, "Make it there: mesh portal init --data /var/lib/mesh-portal --domain NAME");
  const { settings } = await openPortalData(directory);
  const program = [process.execPath, process.argv[1] ?? ""].map((path) => realpathSync(path));
  const command = [...program, "portal", "serve", "--data", directory, ...args.texts("ARGUMENT")];
  const text = unitText({ command, state, lowPort: settings.port < 1024, user: args.text("user"), also: settings.depot?.startsWith(`${directory}/`) === true ? undefined : settings.depot, hideHomes: !program.some((path) => /^\/(?:home|root|run\/user)\//.test(path)) });
  output.data({ unit: text }, text.trimEnd());
}
