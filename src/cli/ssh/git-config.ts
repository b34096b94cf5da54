import { fromUtf8 } from "../../bytes/text.ts";
import { converse } from "../../machine/converse.ts";
import { demand, MeshError } from "../../refusals/mesh-error.ts";
import type { Environment } from "../world.ts";

/** A file of git's configuration; undefined for the person's own, wherever git has it. */
export type GitFile = { readonly file: string | undefined; readonly environment: Environment };

/** Values of settings, in the order in which they stand; a setting that is not there has none. */
export type GitValues = Readonly<Record<string, readonly string[]>>;

/** The first git that signs by SSH (its release notes). */
const SINCE = [2, 34] as const;

/** @throws MeshError `git-config-untouched` where git is too old to sign by SSH, `program-missing` */
export async function checkGit({ environment }: GitFile): Promise<void> {
  const { said } = await converse("git", ["version"], { environment, within: 10_000, most: 4096 });
  const [, major = "0", minor = "0"] = /^git version (\d+)\.(\d+)/.exec(fromUtf8(said)) ?? [];
  const enough = Number(major) > SINCE[0] || (Number(major) === SINCE[0] && Number(minor) >= SINCE[1]);
  demand(enough, "git-config-untouched", `This computer's git (${major}.${minor}) does not sign by SSH.`, "Bring git up to date (2.34 or later); nothing was changed.");
}

/** The values that settings have in a file. */
export async function readGit(git: GitFile, names: readonly string[]): Promise<GitValues> {
  const values: Record<string, readonly string[]> = {};
  for (const name of names) {
    const { said, status } = await run(git, ["--null", "--get-all", name]);
    // 1 is how git says that there is none, 128 also that the person's own file is not there yet.
    demand(status === 0 || status === 1, "git-config-untouched", "git does not read its own configuration.", `Try: git config --list`);
    values[name] = status === 0 ? fromUtf8(said).split("\0").slice(0, -1) : [];
  }
  return values;
}

/** Gives settings values, or takes them out where there are none; all else in the file stays. */
export async function writeGit(git: GitFile, values: GitValues): Promise<void> {
  for (const [name, [first, ...more]] of Object.entries(values)) {
    const { status } = await run(git, first === undefined ? ["--unset-all", name] : ["--replace-all", name, first]);
    // 5 is how git says that there was nothing to take out.
    if (status !== 0 && !(first === undefined && status === 5)) throw new MeshError("git-config-untouched", `git could not change ${name} in its configuration.`, "See whether its file can be written; what was changed before stays, and the same command goes on.");
    for (const one of more) await run(git, ["--add", name, one]);
  }
}

function run({ environment, file }: GitFile, args: readonly string[]) {
  return converse("git", ["config", ...(file === undefined ? ["--global"] : ["--file", file]), ...args], { environment, within: 10_000, most: 1024 * 1024 });
}
