import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { isLong, patience, seed } from "./long.ts";

/** What one worker is asked to do: so many cases, drawn from a seed of its own; `of` says which, where a module has several kinds. */
export type Share = { readonly cases: number; readonly seed: number; readonly of: string };

/**
 * Has a module play a number of cases, and returns what each thread has to say: one thread in `npm test`, whose files fill all cores, else one for each core.
 *
 * A thread of its own is also twice as fast as the test runner's: the runner follows every promise.
 */
export async function share<T>(module: string, cases: number, of = ""): Promise<readonly T[]> {
  const threads = isLong ? Math.min(cases, availableParallelism()) : 1;
  const first = seed();
  const shares = Array.from({ length: threads }, (_, index): Share => ({ cases: Math.floor((cases + index) / threads), seed: first + index, of }));
  // One seed that is given plays the cases of one thread, as they were played there.
  const given = process.env["MESH_SEED"] === undefined ? shares : [{ cases, seed: first, of }];
  return Promise.all(given.map((one) => play<T>(module, one)));
}

function play<T>(module: string, given: Share): Promise<T> {
  return new Promise((done, fail) => {
    const worker = new Worker(new URL(module), { workerData: given });
    worker.once("message", (said: T) => done(said));
    worker.once("error", fail);
    worker.once("exit", (status) => fail(new Error(`a thread ended (${status}) before its cases`)));
  });
}

/** How a share is drawn: its number and seed, and when to stop all the same. */
export function drawn({ cases, seed }: Share): { readonly numRuns: number; readonly seed: number; readonly interruptAfterTimeLimit?: number } {
  return { numRuns: cases, seed, ...(isLong ? {} : { interruptAfterTimeLimit: patience }) };
}

/** In a module that `share` was given: does the share of this thread. */
export async function doShare(work: (of: Share) => Promise<unknown>): Promise<void> {
  if (isMainThread) return;
  parentPort?.postMessage(await work(workerData as Share), []);
}
