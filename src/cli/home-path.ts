import { homedir } from "node:os";
import { join, resolve } from "node:path";

import type { Environment } from "./world.ts";

/** Where the home is: `--home` or MESH_HOME, else by the XDG base directory specification. */
export function homePath(option: string | undefined, environment: Environment): string {
  if (option !== undefined) return resolve(option);
  const data = environment["XDG_DATA_HOME"];
  // The specification: a path that is not absolute is to be ignored.
  return join(data?.startsWith("/") === true ? data : join(homedir(), ".local", "share"), "mesh");
}
