import { collectGarbage, giveMemoryBack } from "../../machine/memory.ts";

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
    void forget().then(giveMemoryBack);
  }, QUIET_MS / 4).unref();
  return {
    request: () => {
      requests += 1;
      last = performance.now();
    },
    started: collectGarbage,
    stop: () => clearInterval(timer),
  };
}
