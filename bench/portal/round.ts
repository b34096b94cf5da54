/** What one round gave: accepted updates, how long all took, and how long each waited, in milliseconds. */
export type Round = { readonly accepted: number; readonly refused: number; readonly wrong: number; readonly ms: number; readonly waits: readonly number[] };

/** Takes items one after the other, so many at once, and notes how long each took; `does` says whether it ended as it must. */
export async function drive<T extends { readonly good: boolean }>(items: readonly T[], atOnce: number, does: (item: T, line: number) => Promise<boolean>): Promise<Round> {
  const count = { accepted: 0, refused: 0, wrong: 0 };
  const waits: number[] = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async (_, line) => {
      for (let item = items[next++]; item !== undefined; item = items[next++]) {
        const sent = performance.now();
        const right = await does(item, line);
        waits.push(performance.now() - sent);
        count[!right ? "wrong" : item.good ? "accepted" : "refused"]++;
      }
    }),
  );
  return { ...count, ms: performance.now() - started, waits };
}

/** Updates a second. */
export function rate(round: Round): number {
  return (round.accepted / round.ms) * 1000;
}

/** The wait that 99 of 100 do not exceed, in milliseconds. */
export function p99(rounds: readonly Round[]): number {
  const sorted = rounds.flatMap((one) => one.waits).sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN;
}
