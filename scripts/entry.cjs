// The entry of the bundle: scripts/build.mjs fills in VERSION, CHUNK and SERVED, bundles what it requires, and writes it to dist/main.cjs.
//
// CommonJS and small, because that starts sooner: `--version` and the help of a command are answered from here and from
// texts rendered when the bundle was made, and what only reads a home by its agent, where one holds it (src/cli/thin.ts); everything
// else is a chunk loaded on demand. In a checkout it first asks whether the sources are still those that what it is about to say or run was made of, so that no one ever runs a stale one.
"use strict";
const fs = require("node:fs");
const checked = Symbol.for("mesh.bundle.checked");
// Of two checkouts with the same sources, one may be edited a moment later.
const BUILD = `${__dirname}/${CHUNK}`;

const argv = process.argv.slice(2);
if (isServed(argv)) runServed(argv);
else start(argv);

/** Answers from here, or runs the command line; what was made of other sources than there are now is made anew first. */
function start(argv) {
  const text = textFor(argv);
  if (!globalThis[checked] && !isFresh(text === undefined ? "build.json" : "told.json")) return rebuild();
  if (text === undefined) return run(argv);
  say(text);
  leave(0);
}

/** Whether the files are still those that `list` names, of which all (`build.json`) or the texts and this entry (`told.json`) were made. */
function isFresh(list = "build.json") {
  const made = madeOf(list);
  if (made === undefined) return !fs.existsSync(`${__dirname}/../scripts/build.mjs`);
  for (const [path, changed, size] of made) {
    const now = fs.statSync(`${__dirname}/../${path}`, { throwIfNoEntry: false });
    if (now === undefined || now.ctimeMs !== changed || now.size !== size) return false;
  }
  return true;
}

/** Of each file its path from the checkout, when it was changed, and its size; undefined where there is no such list, as in a published package. */
function madeOf(list) {
  try {
    return JSON.parse(fs.readFileSync(`${__dirname}/${list}`, "utf8"));
  } catch {
    return undefined;
  }
}

function rebuild() {
  const build = `${__dirname}/../scripts/build.mjs`;
  const { status } = require("node:child_process").spawnSync(process.execPath, [build, "--if-stale"], { stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(1);
  globalThis[checked] = true;
  delete require.cache[__filename];
  require(__filename);
}

/** What `--version` and `--help` say; undefined for a line that is for the command line. */
function textFor(argv) {
  if (argv.length === 1 && argv[0] === "--version") return `mesh ${VERSION}\n`;
  return argv.at(-1) === "--help" ? helpOf(argv.slice(0, -1)) : undefined;
}

/** Loads the command line and runs it in this process. */
function run(argv) {
  setThreads(argv);
  globalThis[Symbol.for("mesh.bundle")] = { build: BUILD, entry: __filename, isFresh, sources };
  import(CHUNK).then(({ main }) => main(argv)).then((status) => process.exit(status));
}

/** The folder of the checkout, and the sources in it; undefined in a published package. */
function sources() {
  const made = madeOf("build.json");
  return made && { root: require("node:path").dirname(__dirname), paths: made.map(([path]) => path) };
}

/** More threads than cores fight the main one, and a portal's main one has a core's work by itself. They are made when the first is needed, and so many. */
function setThreads([noun, verb]) {
  const cores = require("node:os").availableParallelism();
  process.env.UV_THREADPOOL_SIZE ||= String(noun === "portal" && verb === "serve" ? Math.max(cores - 1, 1) : cores);
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
  // A signal that came while nothing was looked at but the agent is heard now.
  if (outcome === undefined) await new Promise(setImmediate);
  process.off("SIGINT", interrupted);
  if (outcome === undefined) return start(argv);
  for (const [to, text] of outcome.written) say(text, to);
  leave(outcome.exit);
}

/** Nothing is open that would have to be closed: the engine's own way out, where it still has one, is shorter. */
function leave(status) {
  (process.reallyExit ?? process.exit)(status);
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
