import { DEFAULT_MOST, type Target } from "../target.ts";
import { Growth, MAX_GROWTH } from "./bounds.ts";
import { Chance, numberOf } from "./chance.ts";
import { Coverage, type Reached } from "./coverage.ts";
import { minimise } from "./minimise.ts";
import { Mutator } from "./mutate.ts";
import { type Failing, Trial } from "./trial.ts";

/** How much to do: until so many inputs ran or so many milliseconds passed, whichever comes first. */
export type Effort = { readonly inputs: number; readonly ms: number; readonly seed: number };

/** An input that failed, as short as it was made. */
export type Failure = Failing & { readonly input: Uint8Array };

/** What fuzzing one target came to. */
export type Result = { readonly target: string; readonly inputs: number; readonly cpuSeconds: number; readonly reached: Reached; readonly corpus: readonly Uint8Array[]; readonly slowestMs: number; readonly grown: number; readonly failures: readonly Failure[] };

/** A question of what ran costs a millisecond or two: it is asked ever less often while nothing new runs. */
const BATCH = { least: 64, most: 4096, ms: 250 } as const;
const MOST_FAILURES = 5;

/**
 * Fuzzes one target: mutants of a corpus, of which those that make code run that never ran before are kept and mutated in turn.
 *
 * What ran is asked after a batch of inputs, since asking costs a millisecond; a batch in which something new ran is
 * halved until it is known which input made it.
 */
export async function fuzz(target: Target, kept: readonly Uint8Array[], effort: Effort, before: (input: Uint8Array) => void): Promise<Result> {
  // Most inputs are refused, and to tell where is most of what a refusal costs.
  Error.stackTraceLimit = 0;
  const coverage = new Coverage();
  const trial = new Trial(target, before);
  const failures = new Map<string, Failure>();
  const corpus: Uint8Array[] = [];
  const chance = new Chance(effort.seed ^ numberOf(target.name));
  const most = target.most ?? DEFAULT_MOST;
  const mutator = new Mutator(chance, target.words ?? [], most);

  const fail = async (input: Uint8Array, failing: Failing): Promise<void> => {
    if (failures.has(failing.way) || failures.size >= MOST_FAILURES) return;
    failures.set(failing.way, { ...failing, input });
    const least = await minimise(input, async (shorter) => (await trial.run(shorter))?.way === failing.way, failing.way === "slow" ? 12 : 800);
    Error.stackTraceLimit = 20;
    failures.set(failing.way, { ...((await trial.run(least)) ?? failing), input: least });
    Error.stackTraceLimit = 0;
  };
  const runAll = async (inputs: readonly Uint8Array[]): Promise<void> => {
    for (const input of inputs) {
      const failing = await trial.run(input);
      if (failing !== undefined) await fail(input, failing);
    }
  };
  const keepNew = async (inputs: readonly Uint8Array[]): Promise<void> => {
    coverage.skip();
    await runAll(inputs);
    if (inputs.length > 1) {
      if (!coverage.grew(false)) return;
      const half = inputs.length >> 1;
      await keepNew(inputs.slice(0, half));
      await keepNew(inputs.slice(half));
    } else if (coverage.grew(true)) corpus.push(...inputs);
  };

  const seeds = [...kept, ...(await target.seeds())];
  for (const seed of seeds) await keepNew([seed]);
  // Those of the kept that run nothing new are the first to mutate all the same.
  if (corpus.length === 0) corpus.push(...seeds, new Uint8Array(0));
  const growth = new Growth();
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  let [done, size]: [number, number] = [0, BATCH.least];
  while (done < effort.inputs && performance.now() - started < effort.ms && failures.size < MOST_FAILURES) {
    const batch: Uint8Array[] = [];
    const until = performance.now() + Math.min(BATCH.ms, effort.ms);
    coverage.skip();
    while (batch.length < Math.min(size, effort.inputs - done) && performance.now() < until) {
      const input = mutator.of(chosen(corpus, chance), chance.pick(corpus));
      batch.push(input);
      const failing = await trial.run(input);
      if (failing !== undefined) await fail(input, failing);
    }
    done += batch.length;
    const grew = coverage.grew(false);
    if (grew) await keepNew(batch);
    size = grew ? BATCH.least : Math.min(BATCH.most, size * 2);
    if (growth.now() > MAX_GROWTH) {
      failures.set("growth", { way: "growth", error: `memory grew by ${growth.now() >> 20} MiB, more than ${MAX_GROWTH >> 20}`, input: batch.at(-1) as Uint8Array });
      break;
    }
  }
  const { system, user } = process.cpuUsage(cpu);
  const reached = coverage.reached(target.files);
  coverage.close();
  return { target: target.name, inputs: done, cpuSeconds: (system + user) / 1e6, reached, corpus, slowestMs: trial.slowest, grown: growth.most, failures: [...failures.values()] };
}

/** One of the newest half the time: what they made run, nobody tried much yet. */
function chosen(corpus: readonly Uint8Array[], chance: Chance): Uint8Array {
  const from = chance.one(2) ? Math.floor(corpus.length * 0.75) : 0;
  return corpus[from + chance.below(corpus.length - from)] as Uint8Array;
}

/** Of a corpus as few and as short inputs as still make all of it run. */
export async function distilled(target: Target, corpus: readonly Uint8Array[], before: (input: Uint8Array) => void): Promise<readonly Uint8Array[]> {
  const coverage = new Coverage();
  const trial = new Trial(target, before);
  const kept: Uint8Array[] = [];
  const runsNew = async (input: Uint8Array, keep: boolean): Promise<boolean> => {
    coverage.skip();
    return (await trial.run(input)) === undefined && coverage.grew(keep);
  };
  for (const input of corpus.toSorted((a, b) => a.length - b.length)) {
    // A shorter one may run only some of what is new: the rest is looked for again.
    for (let least = input; await runsNew(input, false); ) {
      least = await minimise(input, (shorter) => runsNew(shorter, false), 100);
      if (await runsNew(least, true)) kept.push(least);
      else break;
    }
  }
  coverage.close();
  return kept;
}
