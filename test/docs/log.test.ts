import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { mapKinds } from "../../src/notary/map.ts";
import { sealedKinds } from "../../src/notary/entry.ts";
import type { Command } from "../../src/protocol/command.ts";
import { commands } from "../../src/protocol/commands.ts";
import { partShape } from "../../src/protocol/parts.ts";
import { read } from "../tree.ts";
import { tableRows } from "./tables.ts";

suite("docs/spec/log.md", () => {
  const page = read("docs/spec/log.md");
  const part = (heading: string): string => page.slice(page.indexOf(heading)).split(/\n## /)[0] ?? "";
  const [ofCommands = "", ofParts = ""] = part("## 9. What a portal logs").split("\n| part |");
  const plain = (cell = "") => cell.replaceAll("`", "");

  test("says of every command that writes, and of no other, what is logged", () => {
    const writing = (commands as readonly Command<unknown, unknown>[]).filter(({ writes }) => writes).map(({ name }) => name);
    assert.deepEqual(tableRows(ofCommands).map(([name]) => plain(name)).sort(), writing.sort());
  });

  test("says of every part of a batch what is logged", () => {
    const kinds = partShape.options.map(({ entries }) => entries.kind.literal);
    assert.deepEqual(tableRows(`\n| part |${ofParts}`).map(([kind]) => plain(kind)).sort(), kinds.sort());
  });

  test("has every kind of entry, and every kind of the map", () => {
    const kinds = tableRows(part("## 4. Entries")).flatMap(([kind]) => plain(kind).split(", "));
    assert.deepEqual(kinds.sort(), [...sealedKinds, "epoch", "load", "master", "personal", "suspension"].sort());
    for (const kind of mapKinds) assert.ok(part("## 5. The map").includes(`\`${kind}\``), kind);
  });
});
