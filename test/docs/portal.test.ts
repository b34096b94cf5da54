import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { shelf } from "../../src/portal/records.ts";
import type { Command } from "../../src/protocol/command.ts";
import { commands } from "../../src/protocol/commands.ts";
import { partRefusals } from "../../src/protocol/parts.ts";
import { read } from "../tree.ts";
import { tableRows } from "./tables.ts";

/** The members of a shape, as the page lists them. */
function membersOf(shape: unknown): string {
  const names = Object.keys((shape as { entries: object }).entries).sort();
  return names.length === 0 ? "-" : names.join(", ");
}

/** The refusals of a command, those that every batch may have named once. */
function refusalsOf({ refusals }: Command<unknown, unknown>): string {
  const batch: readonly string[] = partRefusals;
  const whole = batch.every((code) => (refusals as readonly string[]).includes(code));
  const own = refusals.filter((code) => !whole || !batch.includes(code)).map((code) => `\`${code}\``);
  const all = whole ? ["those of a batch", ...own] : own;
  return all.length === 0 ? "-" : all.join(", ");
}

suite("docs/spec/portal.md", () => {
  const page = read("docs/spec/portal.md");
  const part = (heading: string): string => page.slice(page.indexOf(heading)).split(/\n## /)[0] ?? "";

  test("has every command, in the order of the list, with asker, writing, members and refusals", () => {
    const rows = tableRows(part("## 2. Commands"));
    const wanted = (commands as readonly Command<unknown, unknown>[]).map((command) => [command.name, command.asker, command.writes ? "yes" : "no", membersOf(command.request), membersOf(command.response), refusalsOf(command)]);
    const plain = (cells: readonly (readonly string[])[]) => cells.map((row) => row.map((cell) => cell.replaceAll("`", "")));
    assert.deepEqual(plain(rows), plain(wanted));
  });

  test("lists the refusals of a batch", () => {
    const said = [...(/3\.3 Refusals of a batch: ([^\n]*)/.exec(page)?.[1] ?? "").matchAll(/`([a-z-]+)`/g)].map((match) => match[1]);
    assert.deepEqual(said.sort(), [...partRefusals].sort());
  });

  test("has every shelf of the store", () => {
    assert.deepEqual(tableRows(part("## 5. What a portal keeps")).map(([name]) => name).sort(), Object.values(shelf).sort());
  });
});
