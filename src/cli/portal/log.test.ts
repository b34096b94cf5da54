import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { makeLog } from "./log.ts";

test("a log that cannot be written stops nothing, is said once, and goes on when it can", () => {
  const folder = mkdtempSync(join(tmpdir(), "mesh-log-"));
  const said: string[] = [];
  const log = makeLog(join(folder, "logs", "file"), "info", (line) => said.push(line), () => 0);
  for (let count = 0; count < 3; count++) log.note("info", "before");
  assert.deepEqual(said.map((line) => (JSON.parse(line) as { event: string }).event), ["log-failed"]);
  mkdirSync(join(folder, "logs"));
  log.note("info", "after");
  assert.match(readFileSync(join(folder, "logs", "file"), "utf8"), /"event":"after"/);
  assert.equal(said.length, 1);
  rmSync(folder, { recursive: true });
});
