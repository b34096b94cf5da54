import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { commands } from "../../src/protocol/commands.ts";
import { refusalHints } from "../../src/protocol/refusal-hints.ts";
import { codes } from "../../src/refusals/codes.ts";
import { read } from "../tree.ts";
import { tableRows } from "./tables.ts";

suite("docs/errors.md", () => {
  const rows = tableRows(read("docs/errors.md"));

  test("has every code once, in its tables and in the source", () => {
    const said = rows.map(([code = ""]) => code);
    const missing = Object.keys(codes).filter((code) => !said.includes(code));
    const surplus = said.filter((code, at) => !(code in codes) || said.indexOf(code) !== at);
    assert.deepEqual({ missing, surplus }, { missing: [], surplus: [] });
  });
  test("gives each code its exit status, a meaning and something to do", () => {
    for (const [code = "", exit, meaning, advice] of rows) {
      assert.equal(Number(exit), (codes as Readonly<Record<string, number>>)[code], code);
      assert.ok((meaning ?? "") !== "" && (advice ?? "") !== "", code);
    }
  });
  test("a refusal that a portal tells comes with something to do, unless there is nothing", () => {
    const told = new Set<string>(commands.flatMap((command) => command.refusals));
    for (const [code = "", , , advice] of rows) if (told.has(code)) assert.equal(Object.hasOwn(refusalHints, code), advice !== "refused; nothing to do", code);
  });
  test("codes are <noun>-<condition>, and what begins with portal- exits with 6", () => {
    for (const [code, exit] of Object.entries(codes)) {
      assert.match(code, /^(?:[a-z0-9]+(?:-[a-z0-9]+)+|internal|interrupted)$/);
      if (code.startsWith("portal-")) assert.equal(exit, 6, code);
    }
  });
});
