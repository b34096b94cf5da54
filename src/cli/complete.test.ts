import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { formats as passwordFormats } from "../applications/passwords/formats/formats.ts";
import { complete as completeIn, type Completion } from "./complete.ts";
import { completionScripts, type Shell } from "./completion-scripts.ts";
import { globalOptions } from "./globals.ts";
import { allCommandPaths } from "./help.ts";
import { main } from "./main.ts";
import { logLevels } from "./portal/log.ts";
import { wordsFrom } from "./shell-words.ts";
import { commands, nouns } from "./table.ts";

const complete = (line: readonly string[]): Completion => completeIn(line, { commands, nouns });
const words = (completion: Completion): readonly string[] => (completion.kind === "words" ? completion.words.map(({ word }) => word) : [completion.kind]);
const after = (...line: readonly string[]) => words(complete(line));

suite("what can follow is read off the tables", () => {
  test("every word of every command, and every page of help", () => {
    for (const { path } of commands) for (const at of path.keys()) assert.ok(after(...path.slice(0, at), path[at]?.slice(0, 2) ?? "").includes(path[at] ?? ""), path.join(" "));
    for (const path of allCommandPaths()) for (const at of path.keys()) assert.ok(after("help", ...path.slice(0, at), "").includes(path[at] ?? ""), path.join(" "));
  });

  test("every option of every command, once unless it may be repeated", () => {
    for (const { path, options } of commands) {
      const offered = after(...path, "--");
      assert.deepEqual([...offered].sort(), [...options, ...globalOptions].map(({ name }) => `--${name}`).concat("--help").sort(), path.join(" "));
      for (const option of options) {
        const again = after(...path, `--${option.name}`, ...(option.value === undefined ? [] : ["x"]), "--");
        assert.equal(again.includes(`--${option.name}`), option.many === true, `${path.join(" ")} --${option.name}`);
      }
    }
    assert.ok(after("--").includes("--json") && !after("--").includes("--portal"));
  });

  test("closed lists, with and without an equals sign", () => {
    assert.deepEqual(after("device", "accept", "--role", ""), ["admin", "member"]);
    assert.deepEqual(after("device", "accept", "--role=m"), ["--role=member"]);
    assert.deepEqual(after("portal", "init", "--accounts", "o"), ["open"]);
    assert.deepEqual(after("completion", ""), ["bash", "zsh", "fish"]);
    assert.deepEqual(after("portal", "serve", "--log-level", ""), [...logLevels]);
    assert.deepEqual(after("password", "import", "--format", ""), passwordFormats.map(({ name }) => name));
    assert.deepEqual(after("password", "export", "--format", ""), passwordFormats.filter(({ writes }) => writes).map(({ name }) => name));
  });

  test("files and folders are the shell's", () => {
    for (const { path, options } of commands) {
      for (const { name, value } of options) {
        if (value !== "F") continue;
        assert.match(name, /-file$/, `${path.join(" ")} --${name}: F stands for a file`);
        assert.deepEqual(after(...path, `--${name}`, ""), ["files"]);
      }
    }
    assert.deepEqual(after("profile", "show", "x"), ["files"]);
    assert.deepEqual(after("profile", "show", "--with="), ["files"]);
    assert.deepEqual(after("--home", ""), ["folders"]);
    assert.deepEqual(after("portal", "serve", "--data", "./"), ["folders"]);
  });

  test("names are looked up where a name that exists is wanted, in the home that the line is about", () => {
    const of = (...line: readonly string[]) => complete(line);
    assert.deepEqual(of("device", "disable", "l"), { kind: "names", of: "devices", home: undefined });
    assert.deepEqual(of("--home", "/x", "password", "get", "l"), { kind: "names", of: "passwords", home: "/x" });
    assert.deepEqual(of("password", "restore", "--home=/y", ""), { kind: "names", of: "removed", home: "/y" });
    assert.deepEqual(of("password", "restore", "--field", "notes", ""), { kind: "names", of: "passwords", home: undefined });
    for (const line of [["password", "add", "x"], ["device", "rename", "laptop", "x"], ["create", "x"], ["password", "get", "bank", "x"], ["frob", "x"], ["frob", ""], ["device", "accept", "--role", "admin", "x"]]) assert.deepEqual(words(complete(line)), [], line.join(" "));
  });

  test("where nothing can be said of an argument, options are offered; after -- nothing but arguments", () => {
    assert.ok(after("create", "").includes("--portal"));
    assert.ok(after("password", "get", "bank", "").includes("--reveal"));
    assert.deepEqual(after("create", "--", "--"), []);
    assert.deepEqual(complete(["ssh", "host", "sync", "s"]), { kind: "names", of: "servers", home: undefined });
    assert.deepEqual(complete(["device", "disable", "--", "-"]), { kind: "names", of: "devices", home: undefined });
  });

  test("nothing breaks on a line that makes no sense", () => {
    for (const line of [[], [""], ["--"], ["-"], ["--=", ""], ["--role"], ["--frob=x"], ["--json=", ""], ["help", "help", ""], ["", "", ""], ["__proto__", ""], ["--home"]]) assert.ok(complete(line));
  });
});

suite("words as shells hand them over", () => {
  const cases: readonly (readonly [Shell, readonly string[], readonly string[], number])[] = [
    ["bash", ["get", "My\\ B"], ["get", "My B"], 0],
    ["bash", ["get", '"My B'], ["get", "My B"], 0],
    ["bash", ["get", "'a\\b"], ["get", "a\\b"], 0],
    ["bash", ["accept", "--role", "=", "ad"], ["accept", "--role=ad"], 7],
    ["bash", ["accept", "--role", "="], ["accept", "--role="], 7],
    ["bash", ["get", "a", ":", "b"], ["get", "a:b"], 2],
    ["bash", ["join", "alice", "@", "example.com", ""], ["join", "alice@example.com", ""], 0],
    ["zsh", ["accept", "--role=ad"], ["accept", "--role=ad"], 0],
    ["zsh", ["get", "'My"], ["get", "My"], 0],
    ["fish", ["it's", "'My"], ["it's", "My"], 0],
  ];
  for (const [shell, given, meant, skipped] of cases) test(`${shell}: ${given.join(" ")}`, () => assert.deepEqual(wordsFrom(shell, given), { words: meant, skipped }));
});

suite("mesh completion", () => {
  const run = async (...line: readonly string[]) => {
    const said = { 1: "", 2: "" };
    const status = await main(["completion", ...line], { environment: { MESH_HOME: "/nonexistent", MESH_JSON: "1" }, now: Date.now, columns: () => undefined, isTerminal: () => false, write: (to, text) => void (said[to] += text) });
    return { status, out: said[1], err: said[2] };
  };

  test("prints the script of a shell, and refuses others", async () => {
    assert.deepEqual(JSON.parse((await run("zsh")).out), { shell: "zsh", script: completionScripts.zsh });
    assert.equal((await run("tcsh")).status, 2);
    assert.equal((await run("constructor")).status, 2);
  });

  test("prints lines for a shell whatever the environment says, and JSON when asked on the line", async () => {
    assert.equal((await run("bash", "--", "device", "accept", "--role", "=", "m")).out, "words\nmember\t\n");
    assert.equal((await run("fish", "--", "password", "get", "")).out, "words\n");
    assert.deepEqual(JSON.parse((await run("fish", "--json", "--", "sta")).out), { kind: "words", words: [{ word: "status", about: "Show what this device is, what it knows and what is wrong." }] });
  });
});
