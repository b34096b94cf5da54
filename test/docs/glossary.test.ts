import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { read, root } from "../tree.ts";
import { tableRows } from "./tables.ts";

suite("docs/glossary.md", () => {
  const rows = tableRows(read("docs/glossary.md"));

  test("has terms, each once", () => {
    const terms = rows.map(([term]) => term);
    assert.ok(terms.length > 20);
    assert.deepEqual(terms.filter((term, at) => terms.indexOf(term) !== at), []);
  });

  for (const [term = "", , , name = "", file = ""] of rows) {
    test(`${term} is ${name} in ${file}`, () => {
      assert.ok(existsSync(join(root, file)), `${file} is not there`);
      assert.match(read(file), new RegExp(`^export (?:declare )?(?:async )?(?:type|interface|const|function|class) ${name}\\b`, "m"), `${file} does not export ${name}`);
    });
  }
});
