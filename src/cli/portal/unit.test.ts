import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

import { unitText, type UnitParts } from "./unit.ts";

const parts: UnitParts = { command: [process.execPath, "/bin/true", "portal", "serve", "--data", "/var/lib/mesh-portal", "--log", "a b%c$d"], state: "mesh-portal", lowPort: true, user: undefined, hideHomes: true };
const analyzer = spawnSync("systemd-analyze", ["--version"]).status === 0;

suite("the systemd unit", () => {
  test("runs the portal as nobody in particular, with one directory to write to, and may bind a low port only where it needs to", () => {
    const text = unitText(parts);
    for (const line of ["Type=notify", "DynamicUser=yes", "ProtectSystem=strict", "StateDirectory=mesh-portal", "StateDirectoryMode=0700", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE", "NoNewPrivileges=yes"]) assert.ok(text.includes(`\n${line}\n`), line);
    const high = unitText({ ...parts, lowPort: false, user: "mesh", hideHomes: false });
    for (const line of ["User=mesh", "CapabilityBoundingSet=", "ProtectHome=read-only"]) assert.ok(high.includes(`\n${line}\n`), line);
    assert.ok(!high.includes("DynamicUser") && !text.includes("ReadWritePaths"));
    assert.ok(unitText({ ...parts, also: "/srv/a depot" }).includes('\nReadWritePaths="/srv/a depot"\nProtectHome=yes\n'));
  });

  test("says its command so that systemd reads the same", () => {
    assert.ok(unitText(parts).includes(` portal serve --data /var/lib/mesh-portal --log "a b%%c$$d"\n`));
  });

  test("systemd's own verifier finds nothing to say, and little that is exposed", { skip: analyzer ? false : "there is no systemd-analyze" }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), "mesh-unit-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "mesh-portal.service");
    writeFileSync(path, unitText(parts));
    const verified = spawnSync("systemd-analyze", ["verify", "--man=no", path], { encoding: "utf8" });
    assert.deepEqual([verified.status, verified.stderr.split("\n").filter((line) => line.includes("mesh-portal"))], [0, []], verified.stderr);
    const { stdout } = spawnSync("systemd-analyze", ["security", "--offline=yes", "--no-pager", path], { encoding: "utf8" });
    const exposure = Number(/exposure level[^:]*: ([\d.]+)/.exec(stdout)?.[1]);
    if (!Number.isNaN(exposure)) assert.ok(exposure < 2, stdout);
  });
});
