import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** The folder of the checkout. */
export const root = dirname(import.meta.dirname);

/** Every file below a folder of the checkout, as sorted paths from its root; `suffix` narrows by the end of the name. */
export function filesBelow(folder: string, suffix = ""): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** The text of a file of the checkout. */
export function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The files that git tracks, as paths from the root. */
export function trackedFiles(): readonly string[] {
  const { status, stdout, stderr } = spawnSync("git", ["-c", "safe.directory=*", "ls-files", "-z"], { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ls-files failed: ${stderr}`);
  return stdout.split("\0").filter((path) => path !== "");
}
