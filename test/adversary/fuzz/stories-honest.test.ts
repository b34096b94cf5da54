import { test } from "node:test";

import { cases } from "../../support/long.ts";
import { tell } from "./tell.ts";

const STORIES = cases(60, 10_000);

test(`${STORIES} stories with an honest portal: nobody is alarmed, all end in one state, and nothing is lost`, { timeout: 7_200_000 }, async (t) => {
  await tell("honest", STORIES, (line) => t.diagnostic(line));
});
