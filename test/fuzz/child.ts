// What `test/fuzz/run.ts` starts for each target: fuzzes it in a process of its own, so that one that hangs or ends is seen from outside.
import { openSync, writeSync } from "node:fs";

import { readCorpus, writeCorpus } from "./engine/corpus.ts";
import { distilled, type Effort, fuzz, type Result } from "./engine/fuzz.ts";
import { Trial } from "./engine/trial.ts";
import { targets } from "./targets/all.ts";

/** What a child is asked: with `replay` that one input only, in hexadecimal; with `keep` to write the corpus anew from what was found. */
export type Order = { readonly target: string; readonly effort: Effort; readonly record: string; readonly keep: boolean; readonly replay?: string };

/** What it answers. */
export type Answer = Omit<Result, "corpus" | "failures"> & { readonly corpus: number; readonly failures: readonly { readonly way: string; readonly error: string; readonly hex: string }[] };

const order = JSON.parse(process.argv[2] ?? "") as Order;
const target = targets.find(({ name }) => name === order.target);
if (target === undefined) throw new RangeError(order.target);

// Where whoever started this looks if it never answers: how long the input was, and the input.
const record = openSync(order.record, "w+");
const recorded = Buffer.alloc(8 << 20);
const before = (input: Uint8Array): void => {
  recorded.writeUInt32LE(input.length);
  recorded.set(input, 4);
  writeSync(record, recorded, 0, input.length + 4, 0);
};

if (order.replay !== undefined) {
  const failing = await new Trial(target, before).run(Uint8Array.fromHex(order.replay));
  process.send?.({ target: order.target, inputs: 1, cpuSeconds: 0, reached: { blocks: 0, of: 0 }, slowestMs: 0, grown: 0, corpus: 0, failures: failing === undefined ? [] : [{ ...failing, hex: order.replay }] } satisfies Answer);
} else {
  const { corpus, failures, ...result } = await fuzz(target, readCorpus(target.name), order.effort, before);
  const kept = order.keep ? await distilled(target, corpus, before) : corpus;
  if (order.keep) writeCorpus(target.name, kept);
  process.send?.({ ...result, corpus: kept.length, failures: failures.map(({ input, ...failing }) => ({ ...failing, hex: input.toHex() })) } satisfies Answer);
}
process.disconnect?.();
// What a target left running (a thread of the pool, a timer) is no reason to wait.
process.exitCode = 0;
