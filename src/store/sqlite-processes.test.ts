import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readNumber } from "./conformance-values.ts";
import { openSqliteStore } from "./sqlite.ts";

const directory = mkdtempSync(join(tmpdir(), "mesh-store-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const program = fileURLToPath(new URL("test-writer.ts", import.meta.url));

function start(...args: string[]): ChildProcess & { said: () => string[] } {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("latin1")));
  // The last piece is either empty or a line that the kill cut off.
  return Object.assign(child, { said: () => output.split("\n").slice(0, -1) });
}

describe("sqlite: several processes", () => {
  test("two processes, together from the first moment on, lose no update", async () => {
    const path = join(directory, "two.db");
    const children = [start(path, "count", "300"), start(path, "count", "300")];
    for (const [code] of await Promise.all(children.map((child) => once(child, "close")))) assert.equal(code, 0);
    const store = await openSqliteStore(path);
    assert.equal(await store.read((r) => readNumber(r, "s", "count")), 600);
    assert.equal((await store.read((r) => r.leaves(0))).length, 600);
    await store.close();
  });

  test("kill -9 in the middle of a stream, 20 times: every acknowledged write is there, none by half", async () => {
    const path = join(directory, "killed.db");
    const acknowledged = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const child = start(path, "stream", `r${round}`);
      const closed = once(child, "close");
      while (child.said().length < 1 + round) await once(child.stdout ?? child, "data");
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
      child.kill("SIGKILL");
      await closed;
      for (const key of child.said()) acknowledged.add(key);

      const store = await openSqliteStore(path);
      const [entries, leaves] = await store.read(async (r) => [await r.list("s", ""), await r.leaves(0)] as const);
      assert.equal(entries.length, leaves.length);
      const found = new Set(entries.map((entry) => entry.key));
      for (const { key, value } of entries) assert.equal(Buffer.from(leaves[Number(Buffer.from(value))] ?? []).toString(), key);
      for (const key of acknowledged) assert.ok(found.has(key), key);
      await store.close();
    }
    assert.ok(acknowledged.size > 100, `${acknowledged.size}`);
  });
});
