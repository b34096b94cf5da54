import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { readCorpus } from "./engine/corpus.ts";
import { share } from "./engine/share.ts";
import { targets } from "./targets/all.ts";

/** `npm run fuzz` goes on where this ends. */
const MUTANTS = 2000;
const MS = 250;

suite("whatever is read is read or refused, within its bounds", () => {
  for (const target of targets) {
    test(target.name, async () => {
      assert.equal(await share(target, readCorpus(target.name), MUTANTS, MS), undefined);
    });
  }

  test("no two targets have one name", () => {
    assert.equal(new Set(targets.map(({ name }) => name)).size, targets.length);
  });
});
