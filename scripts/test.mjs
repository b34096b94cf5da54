// npm test [-- FILTER...]: installs what is missing, then runs every test in one runner, whose summary comes last.
//
// Types and lint are tests too (test/checks.test.ts), so that one summary and one exit status hold everything.
// A FILTER is a part of a file's path: `npm test -- profiles` or `npm test -- src/store test/docs`.
// With --long (`npm run test:long`) it runs the tests of which `npm test` runs a share, in full: those that use test/support/long.ts.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { installDebianPackages } from "./debian-packages.mjs";
import { prepare, root } from "./prepare.mjs";

// Rooms whose tests start no process and touch nothing shared: one process for the whole room instead of one a file,
// since starting Node costs more than most of these tests.
const together = /^src\/(?:refusals|bytes|crypto|udf|envelope|profiles|catalogs|escrow|notary|protocol|applications|portal|federation|client)\//;

// What takes longest, from half a minute down: begun last, one of these would be all that still runs.
const longest = ["test/scenarios/transcripts", "test/adversary/fuzz/stories-cheated", "test/adversary/storage", "src/portal", "test/scenarios/killed-processes", "test/adversary/fuzz/convergence", "src/notary", "test/scenarios/cosigned", "test/scenarios/killed-client"];

const node = await prepare();
installDebianPackages(root);

const long = process.argv.includes("--long");
const filters = process.argv.slice(2).filter((argument) => argument !== "--long");
const files = [...testFiles("src"), ...testFiles("test")].filter((file) => (filters.length === 0 || filters.some((part) => file.includes(part))) && (!long || isLong(file)));
if (files.length === 0) {
  console.error(filters.length === 0 ? "There are no tests." : `No test file's path contains ${filters.join(" or ")}.`);
  process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), "mesh-test-"));
const cores = availableParallelism();
// One more than there are cores: some tests wait, for a clock or for another process, while the others compute.
const atOnce = cores + 1;
const { status, signal } = spawnSync(
  node,
  // Stripping types costs more than running most files; the compile cache is what pays for it, and it lives in the checkout.
  ["--test", `--test-concurrency=${atOnce}`, `--test-timeout=${long ? 6 * 3_600_000 : 300_000}`, `--test-reporter=${pathToFileURL(join(root, "scripts", "reporter.mjs")).href}`, "--test-reporter-destination=stdout", ...entries()],
  { cwd: root, stdio: "inherit", env: { ...process.env, ...(long ? { MESH_LONG: "1" } : {}), UV_THREADPOOL_SIZE: String(cores), NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "compile") } },
);
rmSync(scratch, { recursive: true, force: true });
process.exitCode = status ?? (signal === "SIGINT" ? 130 : 1);

function testFiles(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1))
    .sort();
}

/** Whether a file's tests have more cases than `npm test` has time for. */
function isLong(file) {
  return /from ".*support\/long\.ts"/.test(readFileSync(join(root, file), "utf8"));
}

/** What the runner is given: the files that want a process of their own, and one made-up file for each room of the others. */
function entries() {
  const rooms = groupBy(files, roomOf);
  const alone = rooms.get("") ?? [];
  rooms.delete("");
  const gathered = [...rooms].map(([room, members]) => {
    const entry = join(scratch, `${room}.test.mjs`);
    writeFileSync(entry, members.map((file) => `import ${JSON.stringify(pathToFileURL(join(root, file)).href)};\n`).join(""));
    return { entry, place: rank(`src/${room}`) };
  });
  // After the longest, what crosses rooms and starts processes.
  return [...alone.reverse().map((entry) => ({ entry, place: rank(entry) })), ...gathered].sort((one, other) => one.place - other.place).map(({ entry }) => entry);
}

/** Where a file or a room comes among the longest; after them all if it is none. */
function rank(path) {
  const place = longest.indexOf(path.replace(/\.test\.ts$/, ""));
  return place < 0 ? longest.length : place;
}

function roomOf(file) {
  return together.test(file) ? file.split("/")[1] : "";
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
