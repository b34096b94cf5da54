import assert from "node:assert/strict";
import { test } from "node:test";

import { cases } from "../../support/long.ts";
import { tell } from "./tell.ts";

const STORIES = cases(60, 5000);

test(`${STORIES} stories, each with an honest portal and with one that cheats: what is false is noticed at once, what was acknowledged is kept, and nobody reads or believes what is not hers`, { timeout: 7_200_000 }, async (t) => {
  const told = await tell("cheated", STORIES, (line) => t.diagnostic(line));
  if (told.cheated < 50) return; // Too few to be made of everything.
  // That the cheats do something is asserted, not hoped.
  assert.ok(told.touched >= told.cheated / 2 && told.contradicted >= told.cheated / 5 && told.alarmed >= told.contradicted / 2, JSON.stringify(told));
});
