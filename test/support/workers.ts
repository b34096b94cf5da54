import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import * as fc from "fast-check";
import { isLong, patience, seed } from "./long.ts";

/** So many cases are drawn from one seed, the next as many from the next: a run goes on where another stopped, on any number of cores, by its first seed. */
const BATCH = 20;

/** What one worker is asked to do: batches of cases, each drawn from a seed of its own; `of` says which, where a module has several kinds. */
export type Share = { readonly batches: readonly Batch[]; readonly of: string };
type Batch = { readonly seed: number; readonly cases: number };

/**
 * Has a module play a number of cases, and returns what each thread has to say: one thread in `npm test`, whose files fill all cores, else one for each core.
 *
 * A thread of its own is also twice as fast as the test runner's: the runner follows every promise.
 */
export async function share<T>(module: string, cases: number, of = ""): Promise<readonly T[]> {
  const first = seed();
  const batches = Array.from({ length: Math.ceil(cases / BATCH) }, (_, index): Batch => ({ cases: Math.min(BATCH, cases - index * BATCH), seed: first + index }));
  const threads = isLong ? Math.min(batches.length, Number(process.env["MESH_THREADS"] ?? availableParallelism())) : 1;
  return Promise.all(Array.from({ length: threads }, (_, thread) => play<T>(module, { batches: batches.filter((_, index) => index % threads === thread), of })));
}

function play<T>(module: string, given: Share): Promise<T> {
  return new Promise((done, fail) => {
    const worker = new Worker(new URL(module), { workerData: given });
    worker.once("message", (said: T) => done(said));
    worker.once("error", fail);
    worker.once("exit", (status) => fail(new Error(`a thread ended (${status}) before its cases`)));
  });
}

/** Checks a property on the cases of a share; in a long run one that fails does not keep the others from being played. */
export async function check<T>({ batches, of }: Share, property: fc.IAsyncProperty<T>): Promise<void> {
  const begun = performance.now();
  const failed: unknown[] = [];
  for (const { cases: numRuns, seed } of batches) {
    const left = patience - (performance.now() - begun);
    if (left <= 0) break;
    try {
      await fc.assert(property, { numRuns, seed, ...(isLong ? {} : { interruptAfterTimeLimit: Math.max(left, 20_000) }) });
      if (isLong) console.error(`${of} seed ${seed}: ${numRuns} well`);
    } catch (error) {
      if (!isLong) throw error;
      console.error(`${of} seed ${seed}: FAILED`, error);
      failed.push(error);
    }
  }
  if (failed.length > 0) throw new AggregateError(failed, `${failed.length} of ${batches.length} seeds failed; the first: ${String(failed[0])}`);
}

/** In a module that `share` was given: does the share of this thread. */
export async function doShare(work: (of: Share) => Promise<unknown>): Promise<void> {
  if (isMainThread) return;
  parentPort?.postMessage(await work(workerData as Share), []);
}
