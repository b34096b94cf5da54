/** So long without a request, in milliseconds, and a burst is over. */
const QUIET_MS = 4_000;
/** After fewer requests there is nothing worth giving back. */
const BURST = 200;

/** Gives back the memory that a burst of requests took, once it is over. */
export type Settling = { /** A request came. */ readonly request: () => void; /** Starting was a burst, too. */ readonly started: () => Promise<void>; readonly stop: () => void };

/**
 * Watches for the end of bursts.
 *
 * Under load the engine is let have room, since collecting garbage sooner costs a fifth of a portal's time. It would keep
 * that room for ever, and the allocator the pages between what is still used: both are asked to let go, which takes some
 * 100 ms while nobody waits.
 */
export function beginSettling(forget: () => Promise<void>): Settling {
  let [requests, last] = [0, 0];
  const timer = setInterval(() => {
    if (requests < BURST || performance.now() - last < QUIET_MS) return;
    requests = 0;
    void forget().then(letGo);
  }, QUIET_MS / 4).unref();
  return {
    request: () => {
      requests += 1;
      last = performance.now();
    },
    started: collect,
    stop: () => clearInterval(timer),
  };
}

async function letGo(): Promise<void> {
  await collect();
  await trimAllocator();
}

async function collect(): Promise<void> {
  try {
    const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([import("node:v8"), import("node:vm")]);
    // Asked for at the start, by an option, the engine would refuse its own snapshot, and start slowly.
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as NonNullable<typeof gc>)({ type: "major", execution: "sync", flavor: "last-resort" });
  } catch {
    // An engine that has no such door: what it holds it holds.
  }
}

/** malloc_trim(3): the C library alone gives nothing back from the middle of its heap. Where there is none, nothing happens. */
async function trimAllocator(): Promise<void> {
  try {
    const { dlopen, types } = await import("node:ffi");
    const { lib, functions } = dlopen("libc.so.6", { malloc_trim: { arguments: [types.UINT_64], return: types.INT_32 } });
    functions.malloc_trim(0n);
    lib.close();
  } catch {
    // Another C library, or an engine that was told to do without.
  }
}
