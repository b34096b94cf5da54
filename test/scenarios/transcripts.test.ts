import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { play, ruleOf } from "./transcript.ts";

// Each file *.txt is a transcript: what is typed on real devices, and what is to be seen (transcript.ts says how to write one).
describe("transcripts", { concurrency: 2 }, () => {
  for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith(".txt"))) {
    const text = readFileSync(join(import.meta.dirname, file), "utf8");
    test(ruleOf(text), { timeout: 120_000 }, () => play(text));
  }
});
