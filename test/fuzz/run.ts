// npm run fuzz [-- TARGET...] [--seconds N | --inputs N] [--seed S] [--keep] [--replay FILE]
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import type { Answer } from "./child.ts";
import { keepFailure } from "./engine/corpus.ts";
import { watched } from "./engine/watch.ts";
import { targets } from "./targets/all.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { inputs: { type: "string" }, keep: { type: "boolean", default: false }, replay: { type: "string" }, seconds: { type: "string" }, seed: { type: "string" } },
});
const unknown = positionals.find((name) => !targets.some((target) => target.name === name));
if (unknown !== undefined) {
  console.error(`There is no target ${unknown}. There are: ${targets.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}
const chosen = targets.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const seed = values.seed === undefined ? Math.floor(Math.random() * 0x7fffffff) : Number(values.seed);
const whole = values.inputs === undefined ? undefined : Number(values.inputs);
const replay = values.replay === undefined ? {} : { replay: readFileSync(values.replay).toString("hex") };

const rows: Answer[] = [];
const columns = ["target", "inputs", "/cpu s", "blocks", "corpus", "slowest", "grown"] as const;
console.log(`seed ${seed}`);
print(columns);

/** A whole number of inputs is reached by turns, so that the quick targets, which have most to try, get most of them. */
const seconds = Number(values.seconds ?? (whole === undefined ? 10 : 30));
for (let round = 0; ; round++) {
  for (const { name } of chosen) {
    const left = whole === undefined ? Number.MAX_SAFE_INTEGER : whole - sum(rows);
    if (left <= 0) break;
    const answer = await watched({ target: name, effort: { inputs: left, ms: seconds * 1000, seed: seed + round }, keep: values.keep, ...replay });
    rows.push(answer);
    print([name, String(answer.inputs), (answer.inputs / Math.max(answer.cpuSeconds, 0.001)).toFixed(0), `${answer.reached.blocks}/${answer.reached.of}`, String(answer.corpus), `${answer.slowestMs.toFixed(0)} ms`, `${(answer.grown / 2 ** 20).toFixed(0)} MiB`]);
    answer.failures.forEach((failure) => report(name, failure));
  }
  if (whole === undefined || sum(rows) >= whole || rows.some((row) => row.failures.length > 0)) break;
}
console.log(`${sum(rows)} inputs, ${rows.reduce((count, row) => count + row.failures.length, 0)} failures`);
process.exitCode = rows.some((row) => row.failures.length > 0) ? 1 : 0;

function sum(all: readonly Answer[]): number {
  return all.reduce((count, row) => count + row.inputs, 0);
}

function print(cells: readonly string[]): void {
  console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(18) : cell.padStart(at === 3 ? 11 : 9))).join(" "));
}

/** Says how an input failed and how to see it again. */
function report(target: string, { error, hex }: Answer["failures"][number]): void {
  const input = Uint8Array.fromHex(hex);
  console.log(`\n${target} FAILS: ${error}\n  on ${JSON.stringify(new TextDecoder().decode(input)).slice(0, 600)}\n  again: ${keepFailure(target, input)}\n`);
}
