import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./tree.ts";

// Types and lint as tests: one runner, one summary, one exit status (scripts/test.mjs).
const checks = [
  ["types: tsc has nothing to say", "tsc", ["--pretty", "false", "-p", root]],
  ["lint: oxlint has nothing to say", "oxlint", ["--deny-warnings", "--format=unix", root]],
] as const;

for (const [name, tool, args] of checks) {
  test(name, () => {
    const script = join(root, "node_modules", ".bin", tool);
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: root, encoding: "utf8" });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });
}
