import { existsSync } from "node:fs";

/** The path itself if nothing is there, else with the first free number behind it. */
export function unusedPath(path: string): string {
  if (!existsSync(path)) return path;
  for (let number = 2; ; number++) if (!existsSync(`${path}-${number}`)) return `${path}-${number}`;
}
