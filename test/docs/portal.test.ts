import assert from "node:assert/strict";
import { test } from "node:test";

import { commands } from "../../src/protocol/commands.ts";
import { decisions } from "../../src/portal/dispatch.ts";
import { read } from "../tree.ts";

test("docs/spec/portal.md has every command with who may ask and whether it writes, in the order of the list", () => {
  const rows = [...read("docs/spec/portal.md").matchAll(/^\| `([A-Z][A-Za-z]+)` \| (\w+) \| (yes|no) \|/gm)].map((match) => [match[1], match[2], match[3] === "yes"]);
  assert.deepEqual(rows, commands.map((command) => [command.name, command.asker, command.writes]));
});

test("the portal decides every command of the protocol, and nothing else", () => {
  assert.deepEqual(Object.keys(decisions).sort(), commands.map((command) => command.name as string).sort());
});
