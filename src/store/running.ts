import { AsyncLocalStorage } from "node:async_hooks";
import { MeshError } from "../refusals/mesh-error.ts";

// Holds the work that the current call comes from, so that nesting is an error instead of a deadlock.
const within = new AsyncLocalStorage<{ over: boolean }>();

/** What a work is given, as far as running it needs to know: the failure that dooms it, and its end. */
export type Ending = { readonly failure: unknown; end(): void };

/** Refuses a call that comes from inside a work. */
export function refuseNesting(): void {
  if (within.getStore()?.over === false) throw new MeshError("store-misused", "A work of the store tried to start another inside itself.");
}

/** Runs a work on its handle; a failing verb dooms it, whatever it makes of that. */
export async function runWork<H extends Ending, T>(handle: H, work: (handle: H) => Promise<T>): Promise<T> {
  const frame = { over: false };
  try {
    const value = await within.run(frame, () => work(handle));
    if (handle.failure !== undefined) throw handle.failure;
    return value;
  } catch (error) {
    throw handle.failure ?? error;
  } finally {
    handle.end();
    frame.over = true;
  }
}
