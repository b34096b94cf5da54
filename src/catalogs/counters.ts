/** The greatest causal counter there can be. */
export const MAX_COUNTER = Number.MAX_SAFE_INTEGER;

/** So much a counter may grow from one commit to the next: about a hundred times as many writes of one field as fit one. */
const COUNTER_STEP = 2 ** 20;

/**
 * The greatest causal counter that a write in a commit may have, by the commit's index.
 *
 * Without a bound whoever writes the greatest there is ends a field: nobody can go beyond it any more. With it, the next
 * commit always has room.
 */
export function counterLimit(index: number): number {
  return Math.min(index * COUNTER_STEP, MAX_COUNTER);
}
