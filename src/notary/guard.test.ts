import assert from "node:assert/strict";
import { test } from "node:test";

import { checkNotBehind } from "./guard.ts";
import { NO_HEAD } from "./log-head.ts";
import { naiveRoot, someLeaves, TestLog } from "./test-log.ts";

test("a log that was set back signs nothing behind what others cosigned (decision 8.7, log 10.4)", async () => {
  const leaves = someLeaves(500);
  const headOf = (size: number, of = leaves) => ({ size, root: naiveRoot(of.slice(0, size)) });
  const log = new TestLog();
  log.append(leaves.slice(0, 300));
  const check = (...cosigned: readonly ReturnType<typeof headOf>[]) => checkNotBehind(300, log.read, cosigned);
  await check();
  await check(NO_HEAD, headOf(1), headOf(256), headOf(299), headOf(300));
  const behind = { code: "log-behind-peers" };
  await assert.rejects(check(headOf(300), headOf(301)), behind);
  await assert.rejects(check(headOf(299, leaves.with(7, leaves[8] as Uint8Array))), behind);
  await assert.rejects(check({ size: 2 ** 53 - 1, root: leaves[0] as Uint8Array }), behind);
});
