import { DEFAULT_MOST, type Target } from "../target.ts";
import { Growth, MAX_GROWTH } from "./bounds.ts";
import { Chance, numberOf } from "./chance.ts";
import { keepFailure } from "./corpus.ts";
import { Mutator } from "./mutate.ts";
import { Trial } from "./trial.ts";

/** The share of `npm test`: everything in the corpus, then so many mutants of it, always the same ones; how the first failed that did. */
export async function share(target: Target, kept: readonly Uint8Array[], mutants: number, ms: number): Promise<string | undefined> {
  const corpus = [...kept, ...(await target.seeds())];
  const chance = new Chance(numberOf(target.name));
  const mutator = new Mutator(chance, target.words ?? [], target.most ?? DEFAULT_MOST);
  const trial = new Trial(target, () => {});
  const tried = async (input: Uint8Array): Promise<string | undefined> => {
    const failing = await trial.run(input);
    return failing === undefined ? undefined : `${failing.error}\nagain: ${keepFailure(target.name, input)}`;
  };
  for (const input of corpus) {
    const failed = await tried(input);
    if (failed !== undefined) return failed;
  }
  const growth = new Growth();
  const until = performance.now() + ms;
  for (let count = 0; count < mutants && performance.now() < until; count++) {
    const failed = await tried(mutator.of(chance.pick(corpus), chance.pick(corpus)));
    if (failed !== undefined) return failed;
  }
  return growth.now() > MAX_GROWTH ? `memory grew by ${growth.now() >> 20} MiB` : undefined;
}
