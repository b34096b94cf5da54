import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Where a peer is installed, with what it needs, as the lockfile in its folder here says; it is kept in the folder for temporary files. `generation` is raised when what is in it changes. */
export async function installPeer(name: string, generation: number, files: readonly string[], say: (line: string) => void): Promise<string> {
  const folder = join(tmpdir(), `mesh-bench-${name}-${generation}`);
  if (existsSync(folder)) return folder;
  say(`installing ${name} in ${folder}, once`);
  const draft = mkdtempSync(`${folder}-`);
  for (const file of ["package.json", "package-lock.json", ...files]) copyFileSync(join(import.meta.dirname, name, file), join(draft, file));
  await promisify(execFile)("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: draft });
  renameSync(draft, folder);
  return folder;
}
