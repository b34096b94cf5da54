import { test } from "node:test";

import { cases } from "../../support/long.ts";
import { tell } from "./tell.ts";

const STORIES = cases(60, 10_000);

test(`${STORIES} stories with an honest portal: nobody is alarmed, all end in one state, and nothing is lost`, { timeout: 7_200_000 }, async (t) => {
  await tell("honest", STORIES, (line) => t.diagnostic(line));
});

const LOGGED = cases(5, 3000);

test(`${LOGGED} such stories with a portal that begins a log: no device that follows it is alarmed, nor is whoever watches from outside, and it has what is current at every step`, { timeout: 7_200_000 }, async (t) => {
  await tell("logged", LOGGED, (line) => t.diagnostic(line));
});
