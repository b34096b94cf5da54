import assert from "node:assert/strict";
import { test } from "node:test";
import { cases, isLong, patience } from "../../support/long.ts";
import { share } from "../../support/workers.ts";
import type { Seen } from "./converging.ts";

const CASES = cases(300, 10_000);

test(`three devices edit offline and sync in any order, ${CASES} times: each ends with the same state, and no value that anybody wrote is out of reach`, { timeout: 7_200_000 }, async (t) => {
  const begun = performance.now();
  const shares = await share<Seen>(import.meta.resolve("./converging.ts"), CASES);
  const sum = (of: keyof Seen): number => shares.reduce((all, one) => all + one[of], 0);
  t.diagnostic(`${(sum("cases") / ((performance.now() - begun) / 1000)).toFixed(1)} cases/s; of ${sum("writes")} writes ${sum("inConflict")} made at once with another of the same field; ${sum("removed")} cases with a removal, ${sum("rolled")} with a new epoch, ${sum("granted")} with a device let in`);
  // That the property says something is asserted, not hoped.
  const played = sum("cases");
  if (played < CASES) t.diagnostic(`only ${played} of ${CASES} cases: this machine has too much else to do`);
  assert.ok(played === CASES || (!isLong && performance.now() - begun > patience && played > CASES / 10), String(played));
  if (played < 200) return; // Too few to be made of everything.
  assert.ok(sum("inConflict") >= 0.3 * sum("writes"));
  for (const what of ["removed", "rolled", "granted"] as const) assert.ok(sum(what) >= played / 20, what);
});
