import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

import { agentUnitText } from "./agent-unit.ts";

const text = agentUnitText([process.execPath, "/bin/true", "agent", "--home", "/home/alice/my mesh"]);
const analyzer = spawnSync("systemd-analyze", ["--version"]).status === 0;

suite("the agent's systemd unit", () => {
  test("keeps the agent out of swap and core files, and its command is read as it was said", () => {
    for (const line of ["Type=notify", "MemorySwapMax=0", "LimitCORE=0", "Restart=always", "WantedBy=default.target"]) assert.ok(text.includes(`\n${line}\n`), line);
    assert.ok(text.includes(' agent --home "/home/alice/my mesh"\n'));
  });

  test("systemd's own verifier finds nothing to say", { skip: analyzer ? false : "there is no systemd-analyze" }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), "mesh-unit-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "mesh-agent.service");
    writeFileSync(path, text);
    const verified = spawnSync("systemd-analyze", ["verify", "--man=no", path], { encoding: "utf8" });
    assert.deepEqual([verified.status, verified.stderr.split("\n").filter((line) => line.includes("mesh-agent"))], [0, []], verified.stderr);
  });
});
