// The entry of the bundle: scripts/build.mjs fills in VERSION, CHUNK and SERVED, bundles what it requires, and writes it to dist/main.cjs.
//
// CommonJS and small, because that starts sooner: `--version` and the help of a command are answered from here and from
// texts rendered when the bundle was made, and what only reads a home by its agent, where one holds it (src/cli/thin.ts); everything
// else is a chunk loaded on demand. In a checkout it first asks whether the sources are still those that the bundle was made of, so that no one ever runs a stale one.
"use strict";
const fs = require("node:fs");
const checked = Symbol.for("mesh.bundle.checked");
// Of two checkouts with the same sources, one may be edited a moment later.
const BUILD = `${__dirname}/${CHUNK}`;

const argv = process.argv.slice(2);
if (isServed(argv)) runServed(argv);
else start(argv);

function start(argv) {
  if (globalThis[checked] || isFresh()) answer(argv);
  else rebuild();
}

function isFresh() {
  let inputs;
  try {
    inputs = JSON.parse(fs.readFileSync(`${__dirname}/build.json`, "utf8"));
  } catch {
    return !fs.existsSync(`${__dirname}/../scripts/build.mjs`);
  }
  for (const [path, changed, size] of inputs) {
    const now = fs.statSync(`${__dirname}/../${path}`, { throwIfNoEntry: false });
    if (now === undefined || now.ctimeMs !== changed || now.size !== size) return false;
  }
  return true;
}

function rebuild() {
  const build = `${__dirname}/../scripts/build.mjs`;
  const { status } = require("node:child_process").spawnSync(process.execPath, [build, "--if-stale"], { stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(1);
  globalThis[checked] = true;
  delete require.cache[__filename];
  require(__filename);
}

function answer(argv) {
  const help = argv.at(-1) === "--help" ? helpOf(argv.slice(0, -1)) : undefined;
  if (argv.length === 1 && argv[0] === "--version") say(`mesh ${VERSION}\n`);
  else if (help !== undefined) say(help);
  else run(argv);
}

/** Loads the command line and runs it in this process. */
function run(argv) {
  globalThis[Symbol.for("mesh.bundle")] = { build: BUILD, entry: __filename, isFresh };
  import(CHUNK).then(({ main }) => main(argv)).then((status) => process.exit(status));
}

/** Whether a line begins with the words of a command that agents run; `mesh` alone is one. */
function isServed(argv) {
  return SERVED.some((words) => words.every((word, at) => argv[at] === word) && (words.length > 0 || argv.length === 0)) && argv.at(-1) !== "--help";
}

/** Asks the agent; whether this build is fresh the agent has seen then, sooner than a process that has just begun. */
async function runServed(argv) {
  const interrupted = () => process.exit(130);
  process.once("SIGINT", interrupted);
  const outcome = await require("../src/cli/thin.ts").runThin(argv, BUILD);
  process.off("SIGINT", interrupted);
  if (outcome === undefined) return start(argv);
  for (const [to, text] of outcome.written) say(text, to);
  // Nothing is open that would have to be closed: the engine's own way out, where it still has one, is shorter.
  (process.reallyExit ?? process.exit)(outcome.exit);
}

/** The text made for exactly these words; undefined where they are no command, which the command line itself explains. */
function helpOf(words) {
  if (!words.every((word) => /^[a-z][a-z-]*$/.test(word))) return undefined;
  try {
    return fs.readFileSync(`${__dirname}/help/${words.join(".") || "mesh"}.txt`);
  } catch {
    return undefined;
  }
}

/** Writes without `process.stdout`, which costs more to open than the text to write. */
function say(text, to = 1) {
  const octets = Buffer.from(text);
  for (let at = 0; at < octets.length; ) {
    try {
      at += fs.writeSync(to, octets, at);
    } catch (error) {
      if (error.code === "EPIPE") return;
      if (error.code !== "EAGAIN") throw error;
    }
  }
}
