import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** The longest that one input may take, and the most that memory may grow while a target is fuzzed. */
export const MAX_MS = 1000;
export const MAX_GROWTH = 256 * 1024 * 1024;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** How far the memory of this process grew beyond what it was; what nobody holds is collected first where that decides. */
export class Growth {
  readonly #before: number;
  #most = 0;

  constructor() {
    collect();
    this.#before = process.memoryUsage.rss();
  }

  /** Octets more than before; collected first if they were too many. */
  now(): number {
    const grown = process.memoryUsage.rss() - this.#before;
    this.#most = Math.max(this.#most, grown);
    if (grown <= MAX_GROWTH) return grown;
    collect();
    return process.memoryUsage.rss() - this.#before;
  }

  /** The most that it ever was, what nobody held included. */
  get most(): number {
    return this.#most;
  }
}
