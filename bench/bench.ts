/** One number and the bar it is held to (product contract of `npm run bench --json`). */
export type Measurement = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The limit in the same unit; undefined for a number that is only reported. */
  readonly bar: number | undefined;
  readonly holds: boolean;
  /** The peer or limit measured in the same run, in words, with its own number. */
  readonly against: string;
};

/** What a file `bench/NAME.bench.ts` exports as `bench`. */
export type Bench = {
  readonly name: string;
  /** What is measured and how, in one sentence. */
  readonly about: string;
  readonly run: () => Promise<readonly Measurement[]>;
};

/** A number that must not exceed its bar. */
export function atMost(bar: number, one: Omit<Measurement, "bar" | "holds">): Measurement {
  return { ...one, bar, holds: one.value <= bar };
}

/** A number that must reach its bar. */
export function atLeast(bar: number, one: Omit<Measurement, "bar" | "holds">): Measurement {
  return { ...one, bar, holds: one.value >= bar };
}

/** A number that is held to nothing. */
export function reported(one: Omit<Measurement, "bar" | "holds">): Measurement {
  return { ...one, bar: undefined, holds: true };
}

/** Milliseconds of processor time, of all threads: waiting does not count, and what else runs on the machine is another matter. */
export async function processorTime(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { system, user } = process.cpuUsage(before);
  return (system + user) / 1000;
}

/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new Error("no values");
  return (low + high) / 2;
}

/**
 * Runs every contestant once a round, in another order each round, and returns each one's times in milliseconds.
 *
 * Interleaved, because a machine's speed drifts by more than the differences that matter; shuffled, because who comes
 * after whom matters too.
 */
export async function interleave<Name extends string>(rounds: number, contestants: Readonly<Record<Name, () => unknown>>): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(contestants) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(names)) {
      const started = performance.now();
      await contestants[name]();
      times[name].push(performance.now() - started);
    }
  }
  return times;
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items.map((item) => ({ item, at: Math.random() })).sort((a, b) => a.at - b.at).map(({ item }) => item);
}
