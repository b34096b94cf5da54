import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { beginSettling } from "./settle.ts";

void test("memory is given back once, when a burst is over, and not while it lasts or where there was none", async () => {
  const forgotten: string[] = [];
  const [busy, idle] = [beginSettling(async () => void forgotten.push("busy")), beginSettling(async () => void forgotten.push("idle"))];
  idle.request();
  const held = Array.from({ length: 20_000 }, () => new Uint8Array(1000));
  for (let request = 0; request < 500; request++) busy.request();
  await sleep(2_500);
  busy.request();
  await sleep(2_500);
  assert.deepEqual(forgotten, [], "half a second of quiet is none");
  held.length = 0;
  const before = process.memoryUsage.rss();
  await sleep(7_000);
  busy.stop();
  idle.stop();
  assert.deepEqual(forgotten, ["busy"]);
  assert.ok(process.memoryUsage.rss() < before - 10_000_000, `${before} before, ${process.memoryUsage.rss()} after`);
});
