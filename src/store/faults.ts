import { MeshError } from "../refusals/mesh-error.ts";
import type { Depot } from "./depot.ts";
import type { Reading, Store, Writing } from "./store.ts";

/** One failure of the storage. */
export interface Fault {
  /** Which storage call fails, counted from 1 since `arm`; every verb is a call, and so is every commit of `transact`, and every verb of a depot. */
  readonly call: number;
  /** "before": nothing was done. "after": it was done, and yet says no. */
  readonly when: "before" | "after";
  /** Whether every later call fails as well, as if the process had died there. */
  readonly fatal: boolean;
}

/** A store that can be made to fail. */
export interface Faults {
  readonly store: Store;
  /** The same depot, whose calls are among those that are counted and may fail. */
  depot(depot: Depot): Depot;
  /** Sets the failure, or none, and counts from zero again. */
  arm(fault: Fault | undefined): void;
  /** The storage calls since `arm`. */
  calls(): number;
  /** Whether the failure has happened. */
  fired(): boolean;
}

/**
 * Wraps a store so that one storage call fails with `store-failed`, before or after it took effect: for tests of a crash at every step.
 *
 * Run the scenario once unarmed to learn how many calls it makes; then, for each call and both times, on a fresh store: arm, run, look at the
 * wrapped store itself, and run again. Verbs inside a work that fails are undone by the store; only a commit can be "written but said no".
 */
export function withFaults(store: Store): Faults {
  let fault: Fault | undefined;
  let count = 0;
  let fired = false;

  async function call<T>(act: () => Promise<T>): Promise<T> {
    if (fired && fault?.fatal === true) throw injected();
    count++;
    const now = fault !== undefined && count === fault.call;
    if (now) fired = true;
    if (now && fault?.when === "before") throw injected();
    const value = await act();
    if (now) throw injected();
    return value;
  }

  const faulty: Store = {
    read: (work) => store.read((reading) => doomed(reading, call, work)),
    transact: async (work) => {
      let failAfter = false;
      const value = await store.transact(async (writing) => {
        const answer = await doomed(writing, call, work);
        // The commit's own call: to fail before is to throw while the store can still undo, to fail after is to throw once it is durable.
        try {
          await call(async () => undefined);
        } catch (error) {
          if (fault?.when !== "after" || count !== fault.call) throw error;
          failAfter = true;
        }
        return answer;
      });
      if (failAfter) throw injected();
      return value;
    },
    close: () => store.close(),
  };

  return {
    store: faulty,
    depot: (depot) => ({
      put: (name, octets) => call(() => depot.put(name, octets)),
      get: (name) => call(() => depot.get(name)),
      linger: (name) => call(() => depot.linger(name)),
      list: () => depot.list(),
      remove: (name, before) => call(() => depot.remove(name, before)),
    }),
    arm: (next) => {
      fault = next;
      count = 0;
      fired = false;
    },
    calls: () => count,
    fired: () => fired,
  };
}

type Call = <T>(act: () => Promise<T>) => Promise<T>;

/** Runs a work whose verbs go through `call`; as in a real store, a work that catches a storage error fails all the same. */
async function doomed<H extends Reading, T>(handle: H, call: Call, work: (handle: H) => Promise<T>): Promise<T> {
  let failure: unknown;
  const through = async <V>(act: () => Promise<V>): Promise<V> => {
    if (failure !== undefined) throw failure;
    try {
      return await call(act);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  const writing = handle as Reading as Writing; // A reading work does not see the writing verbs: its type hides them.
  const faulty: Writing = {
    get: (shelf, key) => through(() => handle.get(shelf, key)),
    list: (shelf, prefix, options) => through(() => handle.list(shelf, prefix, options)),
    leaves: (from, limit) => through(() => handle.leaves(from, limit)),
    put: (shelf, key, value) => through(() => writing.put(shelf, key, value)),
    remove: (shelf, key) => through(() => writing.remove(shelf, key)),
    append: (leaf) => through(() => writing.append(leaf)),
  };
  const value = await work(faulty as Reading as H);
  if (failure !== undefined) throw failure;
  return value;
}

function injected(): MeshError {
  return new MeshError("store-failed", "The storage failed (injected by a test).");
}
