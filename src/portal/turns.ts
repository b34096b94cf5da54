/**
 * Lets the changes of one mesh follow one another within this process.
 *
 * The store's compare-and-set is what makes them safe, among processes too; this spares judging a batch again and again
 * while others of the same mesh get in before it.
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Does work after all that was begun under the same name before, whatever became of that; `waited` tells whether there was any. */
  async take<T>(name: string, work: (waited: boolean) => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const mine = before === undefined ? work(false) : before.then(() => work(true));
    const settled = mine.catch(() => undefined);
    this.#last.set(name, settled);
    try {
      return await mine;
    } finally {
      if (this.#last.get(name) === settled) this.#last.delete(name);
    }
  }
}
