// node scripts/build.mjs [--if-stale]: makes dist/ from src/cli: the entry dist/main.cjs, its chunks, the texts of --help.
//
// Chunks carry a digest in their names and are added, then the entry is put in place by one rename, then told.json says of which files
// it and the texts were made, and build.json of which all was. So a command that runs meanwhile finds the old or the new, never a half, and one that was
// killed in between is followed by another build.
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { basename, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { underLock } from "./lock.mjs";
import { prepare, root } from "./prepare.mjs";

// A portal that has run for days may still ask for a chunk of its time.
const keptForMs = 7 * 24 * 60 * 60 * 1000;

/** Bundles `source` (a folder with main.ts and help.ts) into `out`; ends quietly where that is done already and `ifStale` is set. */
export async function build({ source = join(root, "src", "cli"), out = join(root, "dist"), ifStale = false } = {}) {
  mkdirSync(join(out, "chunks"), { recursive: true });
  mkdirSync(join(out, "help"), { recursive: true });
  await underLock(join(out, ".building"), async () => {
    if (!ifStale || !isFresh(out)) await bundle(source, out);
  });
}

async function bundle(source, out) {
  const esbuild = await import("esbuild");
  const started = Date.now();
  const { outputFiles, metafile } = await esbuild.build({
    entryPoints: { main: join(source, "main.ts"), help: join(source, "help.ts") },
    absWorkingDir: root,
    outdir: join(out, "chunks"),
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    // Not made for bundles, and loaded only where a portal keeps its records in PostgreSQL.
    external: ["pg"],
    target: "node26",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "error",
  });
  for (const { path, contents } of outputFiles) addChunk(path, contents);

  const named = (name) => outputFiles.map(({ path }) => path).find((path) => basename(path).startsWith(`${name}-`) && path in entries(metafile));
  const { renderHelp, allCommandPaths, servedCommandPaths } = await import(pathToFileURL(named("help")).href);
  const texts = allCommandPaths().map((words) => [`${words.join(".") || "mesh"}.txt`, renderHelp(words)]);
  for (const [name, text] of texts) replace(join(out, "help", name), text);
  keepOnly(join(out, "help"), new Set(texts.map(([name]) => name)), 0);

  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const define = { VERSION: JSON.stringify(version), CHUNK: JSON.stringify(`./chunks/${basename(named("main"))}`), SERVED: JSON.stringify([[], ...servedCommandPaths()]) };
  const entry = await esbuild.build({
    entryPoints: [join(root, "scripts", "entry.cjs")],
    absWorkingDir: root,
    bundle: true,
    format: "cjs",
    platform: "node",
    external: ["./chunks/*"],
    target: "node26",
    define,
    minify: true,
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "error",
  });
  replace(join(out, "main.cjs"), entry.outputFiles[0].contents);
  keepOnly(join(out, "chunks"), new Set(outputFiles.map(({ path }) => basename(path))), keptForMs);

  const list = (name, paths) => {
    // Packages change with the lockfile only; asking for each of their files would cost every start. What is filled in is no file.
    const made = [...new Set(["package.json", "package-lock.json", "scripts/build.mjs", ...Object.keys(entry.metafile.inputs), ...paths])].filter((path) => !path.startsWith("node_modules/") && !path.startsWith("<"));
    replace(join(out, name), JSON.stringify(made.map((path) => seen(path, started)).map(([path, ...rest]) => [relative(join(out, ".."), join(root, path)), ...rest])));
  };
  list("told.json", loadedBy(relative(root, join(source, "help.ts")), metafile.inputs));
  list("build.json", Object.keys(metafile.inputs));
}

/** A source and all that is loaded as soon as it is: what comes on demand has no part in what it says. */
function loadedBy(path, inputs) {
  const found = new Set([path]);
  for (const one of found) for (const { path: imported, kind } of inputs[one]?.imports ?? []) if (kind !== "dynamic-import" && imported in inputs) found.add(imported);
  return found;
}

function entries(metafile) {
  return Object.fromEntries(Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint !== undefined).map(([path]) => [join(root, path), true]));
}

/** A file as it was when we read it: one that changed since the build began may hold more than was bundled, so it never matches. */
function seen(path, started) {
  const { ctimeMs, size } = statSync(join(root, path));
  return [path, ctimeMs < started - 20 ? ctimeMs : 0, size];
}

function isFresh(out) {
  try {
    // Of one build that was cut off there may be the one without the other.
    return existsSync(join(out, "told.json")) && JSON.parse(readFileSync(join(out, "build.json"), "utf8")).every(([path, changed, size]) => {
      const now = statSync(join(out, "..", path));
      return now.ctimeMs === changed && now.size === size;
    });
  } catch {
    return false;
  }
}

/** A chunk's name holds the digest of what it says, so one that is there is right; its time says when it was last in use. */
function addChunk(path, contents) {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    replace(path, contents);
  }
}

function replace(path, contents) {
  writeFileSync(`${path}.new`, contents);
  renameSync(`${path}.new`, path);
}

function keepOnly(folder, names, keptForMs) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!names.has(name) && Date.now() - statSync(path).mtimeMs >= keptForMs) rmSync(path);
  }
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const node = await prepare();
  if (realpathSync(node) === realpathSync(process.execPath)) {
    await build({ ifStale: process.argv.includes("--if-stale") }).catch((error) => {
      // What esbuild has to say of the sources it has said.
      console.error(error.errors === undefined ? error : "The command line could not be built from src.");
      process.exitCode = 1;
    });
  } else process.exitCode = spawnSync(node, process.argv.slice(1), { stdio: "inherit" }).status ?? 1;
}
