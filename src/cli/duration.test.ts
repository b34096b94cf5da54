import assert from "node:assert/strict";
import { test } from "node:test";

import { durationOf } from "./duration.ts";

test("a time is a number and a unit, up to seven days", () => {
  assert.deepEqual(["30s", "15m", "12h", "7d"].map((text) => durationOf(text, "lock-after")), [30_000, 900_000, 43_200_000, 604_800_000]);
  for (const text of ["", "0m", "15", "m", "1.5h", "8d", "169h", "-1m", "15m ", "1000s"]) assert.throws(() => durationOf(text, "lock-after"), { code: "usage-option-value", message: /--lock-after/ }, text);
});
