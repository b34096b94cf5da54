import assert from "node:assert/strict";
import { posix } from "node:path";
import { suite, test } from "node:test";
import { filesBelow, read } from "../tree.ts";
import { importsOf } from "./imports.ts";

/** All that is loaded as soon as a file is: its imports, over any number of steps, less types and what is loaded on demand. */
function loads(entry: string): readonly string[] {
  const found = new Set([entry]);
  for (const path of found) {
    if (!path.startsWith("src/")) continue;
    for (const { specifier, typesOnly, onDemand } of importsOf(read(path))) {
      if (specifier === undefined || typesOnly || onDemand) continue;
      found.add(specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : specifier);
    }
  }
  return [...found];
}

const commands = filesBelow("src/cli/commands", ".ts").filter((path) => !path.includes(".test."));
const roomsOf = (files: readonly string[]): readonly string[] => [...new Set(files.filter((file) => file.startsWith("src/")).map((file) => file.split("/")[1] ?? ""))].sort();
const among = (files: readonly string[], unwanted: RegExp): readonly string[] => files.filter((file) => unwanted.test(file));

// The start of a command is what it loads. These are the bounds; the bench cli-start measures what comes of them.
suite("what each command loads", () => {
  test("the command line itself: its own room, error codes, and three modules of the platform", () => {
    const files = loads("src/cli/main.ts");
    assert.deepEqual(roomsOf(files), ["cli", "refusals"]);
    assert.deepEqual(files.filter((file) => !file.startsWith("src/")).sort(), ["node:fs", "node:tty", "node:util"]);
    assert.deepEqual(among(files, /src\/cli\/commands\//), [], "a command's code is loaded when it runs");
  });

  for (const command of commands) {
    test(command.slice("src/cli/commands/".length), () => {
      const files = loads(command);
      assert.deepEqual(among(files, /^(?:pkijs|asn1js|uqr|pg$|@)|^src\/certificates\//), [], "certificates, points on curves, QR codes and the way to PostgreSQL are for rare moments");
      if (!command.includes("/portal/")) assert.deepEqual(among(files, /^src\/portal\/|^src\/http\/serve|^node:(?:sqlite|https?|tls)$/), [], "the portal, the wire and the database wait until they are needed");
      if (/password\/(?:get|list|search)\.ts$/.test(command)) assert.deepEqual(among(files, /^src\/(?:profiles|protocol|http)\//), [], "reading what is here needs no profile");
    });
  }
});
