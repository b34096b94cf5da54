import assert from "node:assert/strict";
import { test } from "node:test";

import { MeshError } from "../refusals/mesh-error.ts";
import type { Command } from "./command.ts";
import { type Parsed, parse, wantsJson } from "./parse.ts";

const load = () => Promise.reject(new Error("nothing runs here"));
const examples = [{ line: "mesh x", about: "x" }, { line: "mesh x", about: "x" }] as const;
const commands: readonly Command[] = [
  {
    path: ["thing", "add"],
    summary: "",
    positionals: [{ name: "NAME" }, { name: "MORE", optional: true, many: true }],
    options: [
      { name: "site", value: "S", many: true, about: "" },
      { name: "user", value: "U", about: "" },
      { name: "length", value: "N", about: "" },
      { name: "make", about: "" },
    ],
    examples,
    load,
  },
  { path: ["thing", "list"], summary: "", positionals: [], options: [], examples, load },
  { path: ["sync"], summary: "", positionals: [], options: [], examples, load },
];

function read(line: string | readonly string[], environment: Readonly<Record<string, string>> = {}): Parsed {
  return parse(typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line, environment, commands);
}

function argsOf(line: string | readonly string[], environment?: Readonly<Record<string, string>>) {
  const parsed = read(line, environment);
  assert(parsed.kind === "run");
  return parsed.args;
}

function refusal(line: string | readonly string[], environment?: Readonly<Record<string, string>>): string {
  try {
    read(line, environment);
  } catch (error) {
    assert(error instanceof MeshError);
    assert.equal(error.exit, 2);
    return `${error.code}: ${error.message} ${error.hint ?? ""}`;
  }
  return "done";
}

test("options and arguments come in any order, global options before the command too", () => {
  for (const line of ["thing add bank --site a --make --site=b --json", "--json thing add --make --site a bank --site b", "--json thing --home /x add bank --site a --site b --make"]) {
    const args = argsOf(line);
    assert.deepEqual([args.text("NAME"), args.texts("site"), args.flag("make"), args.flag("json"), args.text("user")], ["bank", ["a", "b"], true, true, undefined], line);
  }
  assert.equal(argsOf("--home thing sync").text("home"), "thing");
});

test("after -- everything is an argument", () => {
  const args = argsOf("thing add -- --site --json");
  assert.deepEqual([args.text("NAME"), args.texts("MORE"), args.flag("json")], ["--site", ["--json"], false]);
  assert.equal(wantsJson(["thing", "add", "--", "--json"], {}), false);
});

test("an option's value may be empty, a lone dash, or after = begin with one", () => {
  assert.equal(argsOf("thing add x --user=").text("user"), "");
  assert.equal(argsOf("thing add x --user -").text("user"), "-");
  assert.equal(argsOf("thing add x --user=-x").text("user"), "-x");
  assert.match(refusal("thing add x --user --make"), /^usage-option-value: --user needs a value/);
  assert.match(refusal("thing add x --user"), /^usage-option-value/);
});

test("the environment stands in for options, and the command line counts first", () => {
  const environment = { MESH_SITE: "a\nb", MESH_USER: "u", MESH_MAKE: "1", MESH_JSON: "0", MESH_HELP: "1", MESH_VERSION: "9" };
  const args = argsOf("thing add x --user v", environment);
  assert.deepEqual([args.texts("site"), args.text("user"), args.flag("make"), args.flag("json")], [["a", "b"], "v", true, false]);
  assert.deepEqual([args.source("site"), args.source("user"), args.source("length")], ["environment", "line", undefined]);
  assert.match(refusal("thing add x", { MESH_MAKE: "perhaps" }), /^usage-option-value: MESH_MAKE must be 1 or 0/);
  assert.equal(argsOf("thing add x", { MESH_USER: "" }).source("user"), undefined);
});

test("numbers are whole and within bounds", () => {
  assert.equal(argsOf("thing add x --length 8").number("length", 8, 256), 8);
  for (const value of ["7", "257", "8.0", "1e1", "x", "", " 8", "99999999999999999999"]) assert.throws(() => argsOf(["thing", "add", "x", `--length=${value}`]).number("length", 8, 256), MeshError, value);
});

test("help is for a path, wherever it is asked for; a noun alone asks for its own", () => {
  for (const [line, path] of [["", []], ["--help", []], ["help", []], ["help thing add", ["thing", "add"]], ["thing", ["thing"]], ["thing --help", ["thing"]], ["thing add -h", ["thing", "add"]], ["thing add x --help --site a", ["thing", "add"]], ["--help thing add", ["thing", "add"]]] as const) {
    assert.deepEqual(read(line), { kind: "help", path: [...path] }, line);
  }
  assert.deepEqual(read("--version"), { kind: "version" });
});

test("mesh alone, with options or without, is mesh status where there is one", () => {
  const status: Command = { path: ["status"], summary: "", positionals: [], options: [], examples, load };
  for (const argv of [[], ["--json"], ["--home", "/x"]]) {
    const parsed = parse(argv, {}, [status]);
    assert(parsed.kind === "run" && parsed.command === status);
  }
  assert.equal(parse(["--help"], {}, [status]).kind, "help");
  assert.equal(parse(["--version"], {}, [status]).kind, "version");
});

test("what is wrong is named, and what was probably meant", () => {
  for (const [line, said] of [
    ["thnig add", /^usage-unknown-command: There is no command `mesh thnig`\. Did you mean: mesh thing$/],
    ["thing ls --frob", /^usage-unknown-command: .*Did you mean: mesh thing list$/],
    ["zzz", /^usage-unknown-command: .*See: mesh --help$/],
    ["thing zzz", /See: mesh thing --help$/],
    ["thing add x --sit a", /^usage-unknown-option: `mesh thing add` has no option --sit\. Did you mean --site\?$/],
    ["thing add x -q", /^usage-unknown-option/],
    ["--frob thing add x", /^usage-unknown-option/],
    ["thing add", /^usage-missing-argument: mesh thing add needs NAME/],
    ["sync x", /^usage-unexpected-argument/],
    ["thing add x --make=1", /^usage-option-value: --make is a switch/],
    ["thing add x --user a --user b", /^usage-option-value: --user is given twice/],
  ] as const) assert.match(refusal(line), said, line);
});

test("asking for what the table does not declare is a mistake of the command's", () => {
  assert.throws(() => argsOf("thing add x").text("frob"), TypeError);
  assert.throws(() => argsOf("thing add x").needText("user"), MeshError);
});
