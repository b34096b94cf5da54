import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { seed } from "./long.ts";

/** What one worker is asked to do: so many cases, drawn from a seed of its own. */
export type Share = { readonly cases: number; readonly seed: number };

/**
 * Has a module play a number of cases, a share of them in each of a few threads, and returns what each has to say.
 *
 * A thread of its own is also twice as fast as the test runner's: the runner follows every promise.
 */
export async function share<T>(module: string, cases: number): Promise<readonly T[]> {
  const threads = Math.min(cases, Math.max(2, availableParallelism()));
  const first = seed();
  const shares = Array.from({ length: threads }, (_, index): Share => ({ cases: Math.floor((cases + index) / threads), seed: first + index }));
  // One seed that is given plays the cases of one thread, as they were played there.
  const given = process.env["MESH_SEED"] === undefined ? shares : [{ cases, seed: first }];
  return Promise.all(given.map((one) => play<T>(module, one)));
}

function play<T>(module: string, of: Share): Promise<T> {
  return new Promise((done, fail) => {
    const worker = new Worker(new URL(module), { workerData: of });
    worker.once("message", (said: T) => done(said));
    worker.once("error", fail);
    worker.once("exit", (status) => fail(new Error(`a thread ended (${status}) before its cases`)));
  });
}

/** In a module that `share` was given: does the share of this thread. */
export async function doShare(work: (of: Share) => Promise<unknown>): Promise<void> {
  if (isMainThread) return;
  parentPort?.postMessage(await work(workerData as Share), []);
}
