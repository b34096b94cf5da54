import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { widthOf } from "./columns.ts";
import { environmentName, globalOptions } from "./globals.ts";
import { allCommandPaths, renderHelp } from "./help.ts";
import { parse } from "./parse.ts";
import { commands, nouns } from "./table.ts";
import { topics } from "./topics.ts";
import { version } from "./version.ts";

test("every page begins with two examples and fits 80 columns", () => {
  for (const path of allCommandPaths()) {
    const page = renderHelp(path);
    assert(page !== undefined && page.endsWith("\n") && !page.endsWith("\n\n"), path.join(" "));
    const long = page.split("\n").filter((line) => widthOf(line) > 80);
    assert.deepEqual(long, [], path.join(" "));
    if (topics.every((topic) => topic.name !== path[0])) assert.equal(page.split("\n\n")[0]?.match(/^ {2}mesh /gm)?.length, 2, path.join(" "));
  }
  assert.equal(renderHelp(["frob"]), undefined);
});

test("every example is a line that its command accepts", () => {
  for (const { line } of commands.flatMap((command) => command.examples)) {
    const [own = ""] = line.split(/ [|>] /);
    const words = (own.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ""));
    assert.equal(words[0], "mesh", line);
    const parsed = parse(words.slice(1), {}, commands);
    assert(parsed.kind === "run", line);
  }
});

test("each command's own code is there, each belongs to a noun or stands alone, none hides a global option", async () => {
  const globals = new Set([...globalOptions.map((option) => option.name), "help", "version"]);
  for (const command of commands) {
    const name = command.path.join(" ");
    assert.equal(typeof (await command.load()).run, "function", name);
    assert(command.path.length === 1 || nouns.some((noun) => noun.name === command.path[0]), name);
    assert.match(command.summary, /^[A-Z].*\.$/, name);
    const names = command.options.map((option) => option.name);
    assert.equal(new Set(names).size, names.length, name);
    assert(names.every((one) => !globals.has(one) && environmentName(one) !== "MESH_DEBUG"), name);
  }
});

test("the version is that of the package", () => {
  const { version: packaged } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8")) as { version: string };
  assert.equal(version, packaged);
});
