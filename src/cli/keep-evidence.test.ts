import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { utf8 } from "../bytes/text.ts";
import { keepEvidence } from "./keep-evidence.ts";

test("evidence is kept for its owner alone, once, under a name that follows from it; eight of a kind; where nothing can be written it is said by undefined", (t) => {
  const home = mkdtempSync(join(tmpdir(), "mesh-home-"));
  t.after(() => rmSync(home, { recursive: true }));
  const path = keepEvidence(home, utf8("one"), "fork") ?? assert.fail();
  assert.equal(readFileSync(path, "utf8"), "one");
  assert.deepEqual([statSync(path).mode & 0o777, statSync(join(home, "evidence")).mode & 0o777], [0o600, 0o700]);
  assert.equal(keepEvidence(home, utf8("one"), "fork"), path);
  for (let other = 2; other <= 20; other++) assert.ok(keepEvidence(home, utf8(String(other)), "fork") !== undefined);
  assert.equal(keepEvidence(home, utf8("one"), "fork"), path);
  keepEvidence(home, utf8("one"), "rollback");
  assert.equal(readdirSync(join(home, "evidence")).length, 9);
  writeFileSync(join(home, "file"), "");
  chmodSync(join(home, "file"), 0o600);
  assert.equal(keepEvidence(join(home, "file"), utf8("one"), "fork"), undefined);
});
