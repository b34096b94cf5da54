import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

import { logLevels, type LogLevel, makeLog } from "./log.ts";

const at = Date.parse("2026-06-01T12:00:00Z");

/** Everything that a log is told, and what becomes of it at a level. */
function told(level: LogLevel): readonly string[] {
  const lines: string[] = [];
  const log = makeLog("-", level, (line) => lines.push(line), () => at);
  log.request({ command: "Status", outcome: "ok", ms: 1.23456 });
  log.request({ command: "Publish", outcome: "account-quota", ms: 1 });
  log.request({ command: "Publish", outcome: "store-full", ms: 1 }, new Error("no room"));
  log.wire({ kind: "handshake-failed", because: "203.0.113.9 said something", remoteAddress: "203.0.113.9" });
  log.wire({ kind: "dropped", remoteAddress: "203.0.113.9" });
  log.wire({ kind: "refused", status: 413, because: "too much", remoteAddress: "203.0.113.9" });
  return lines;
}

suite("an operator's log", () => {
  test("each level has the lines of those before it, and its own; none has an address", () => {
    assert.deepEqual(logLevels.map((level) => told(level).length), [1, 3, 4, 6]);
    assert.deepEqual(told("error"), ['{"at":"2026-06-01T12:00:00.000Z","level":"error","command":"Publish","outcome":"store-full","ms":1,"fault":"no room"}\n']);
    assert.equal(told("info")[0], '{"at":"2026-06-01T12:00:00.000Z","level":"info","command":"Status","outcome":"ok","ms":1.23}\n');
    assert.ok(!told("debug").join("").includes("203.0.113.9"));
  });

  test("goes to a file of its owner's alone, that may be moved away at any time; errors go to standard error besides", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "mesh-log-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "log");
    const said: string[] = [];
    const log = makeLog(path, "info", (line) => said.push(line), () => at);
    log.request({ command: "Status", outcome: "ok", ms: 1 });
    assert.equal(statSync(path).mode & 0o777, 0o600);
    renameSync(path, `${path}.1`);
    log.note("error", "upkeep-failed");
    assert.deepEqual([readFileSync(path, "utf8").includes("upkeep-failed"), said.length], [true, 1]);
  });

  test("a file that cannot be written stops nothing, is told of once, and goes on when it can", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "mesh-log-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "logs", "file");
    const said: string[] = [];
    const log = makeLog(path, "info", (line) => said.push(line), () => at);
    for (let count = 0; count < 3; count++) log.note("info", "before");
    assert.deepEqual(said.map((line) => (JSON.parse(line) as { event: string }).event), ["log-failed"]);
    mkdirSync(join(folder, "logs"));
    log.note("info", "after");
    assert.match(readFileSync(path, "utf8"), /"event":"after"/);
    assert.equal(said.length, 1);
  });
});
