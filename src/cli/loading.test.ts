import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";

import { commands } from "./table.ts";
import { makeTestHome, type TestHome } from "./test-home.ts";

// What a command loads is what its start costs. Every module is told of by a hook, in a process of its own.
const source = join(import.meta.dirname, "..");
const program = `
const { registerHooks } = require("node:module");
const loaded = [];
registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
import(${JSON.stringify(join(import.meta.dirname, "main.ts"))})
  .then(({ main }) => main(process.argv.slice(1)))
  .then((status) => console.log(JSON.stringify({ status, loaded })));
`;

let home: TestHome;
before(async () => {
  home = await makeTestHome();
  await home.run(["password", "add", "bank", "--generate"]);
});
after(() => home.remove());

/** The modules that a command loads: files of ours from `src` on, packages and the platform's by name. */
function loadedBy(...line: readonly string[]): readonly string[] {
  const { stdout, stderr } = spawnSync(process.execPath, ["-e", program, "--", ...line], { encoding: "utf8", env: { ...process.env, MESH_HOME: home.path } });
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  assert(last.startsWith("{"), stderr);
  const { status, loaded } = JSON.parse(last) as { status: number; loaded: readonly string[] };
  assert.equal(status, 0, stderr);
  return loaded.map((url) => (url.startsWith("file:") ? relative(source, new URL(url).pathname) : url)).map((path) => path.replace(/^.*node_modules\//, "npm:"));
}

const light = /^cli\/[^/]+\.ts$|^cli\/tables\/|^refusals\/|^node:(?:fs|tty|util)$/;

test("version and help load the tables, and nothing that does anything", () => {
  for (const line of [["--version"], ["password", "--help"], ["password", "add", "--help"], ["help", "secrets"]]) {
    assert.deepEqual(loadedBy(...line).filter((path) => !light.test(path)), [], line.join(" "));
  }
});

test("what reads at home loads no wire, no sync, no portal and no prompt", () => {
  for (const line of [["password", "get", "bank"], ["password", "list"], ["password", "search", "bank"]]) {
    const heavy = loadedBy(...line).filter((path) => /^(?:http|portal|certificates|protocol)\/|^client\/(?:sync|push|pull-|portal-link|operations\/)|^cli\/(?:terminal|help)\.ts|^npm:(?!valibot\/)|^node:(?:http|https|tls|net|dns|child_process)/.test(path));
    assert.deepEqual(heavy, [], line.join(" "));
  }
});

test("a Tab loads the tables and what reads them, and the home only for a name", () => {
  for (const line of [["completion", "bash", "--", "device", ""], ["completion", "fish"], ["completion", "zsh", "--", "password", "get", "bank", "--"]]) {
    assert.deepEqual(loadedBy(...line).filter((path) => !light.test(path) && path !== "cli/commands/completion.ts"), [], line.join(" "));
  }
});

test("a command loads its own verb and no other command", () => {
  const verbs = new Set(loadedBy("password", "get", "bank").filter((path) => path.startsWith("cli/commands/")));
  assert.deepEqual([...verbs].sort(), ["cli/commands/password/card.ts", "cli/commands/password/get.ts"]);
  assert(commands.length > 1);
});
