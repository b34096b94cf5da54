import { compareKeys, type Range } from "./range.ts";
import type { Entry } from "./store.ts";

/** What a commit will change: entries with their new value or none, and what the log grows by. */
export interface Changes {
  readonly puts: readonly { readonly shelf: string; readonly key: string; readonly value: Uint8Array }[];
  readonly removals: readonly { readonly shelf: string; readonly key: string }[];
  readonly leaves: readonly Uint8Array[];
}

/** Changes that are in memory only, laid over a snapshot; they can be undone back to a mark. */
export class Overlay {
  readonly #shelves = new Map<string, Map<string, Uint8Array | undefined>>();
  readonly #leaves: Uint8Array[] = [];
  readonly #undoings: (() => void)[] = [];

  /** What `undo` goes back to. */
  mark(): number {
    return this.#undoings.length;
  }

  /** Undoes what was done since the mark. */
  undo(mark: number): void {
    while (this.#undoings.length > mark) this.#undoings.pop()?.();
  }

  put(shelf: string, key: string, value: Uint8Array): void {
    this.#set(shelf, key, new Uint8Array(value));
  }

  remove(shelf: string, key: string): void {
    this.#set(shelf, key, undefined);
  }

  /** Adds a leaf, and returns how many there are here. */
  append(leaf: Uint8Array): number {
    this.#undoings.push(() => this.#leaves.pop());
    return this.#leaves.push(new Uint8Array(leaf));
  }

  /** Whether the entry was changed here, and into what. */
  get(shelf: string, key: string): { readonly value: Uint8Array | undefined } | undefined {
    const held = this.#shelves.get(shelf);
    if (held?.has(key) !== true) return undefined;
    const value = held.get(key);
    return { value: value && new Uint8Array(value) };
  }

  /** How many entries in the range were changed or taken away here: a listing has to ask for so many more. */
  touched(shelf: string, range: Range): number {
    let count = 0;
    for (const key of this.#shelves.get(shelf)?.keys() ?? []) if (isWithin(key, range)) count++;
    return count;
  }

  /** A listing with what was changed here: `found` are the snapshot's entries, as many as asked for and `touched` more. */
  over(found: readonly Entry[], shelf: string, range: Range, limit: number | undefined, reverse: boolean): readonly Entry[] {
    const held = this.#shelves.get(shelf);
    if (held === undefined) return found;
    const entries = found.filter(({ key }) => !held.has(key));
    for (const [key, value] of held) if (value !== undefined && isWithin(key, range)) entries.push({ key, value: new Uint8Array(value) });
    entries.sort((a, b) => (reverse ? compareKeys(b.key, a.key) : compareKeys(a.key, b.key)));
    return limit === undefined ? entries : entries.slice(0, limit);
  }

  /** The leaves that were added here, from the one with this place among them on. */
  leaves(from: number, limit: number): readonly Uint8Array[] {
    return this.#leaves.slice(from, from + limit).map((leaf) => new Uint8Array(leaf));
  }

  /** All of it; `undefined` where nothing was changed. */
  changes(): Changes | undefined {
    if (this.#undoings.length === 0) return undefined;
    const [puts, removals]: [{ shelf: string; key: string; value: Uint8Array }[], { shelf: string; key: string }[]] = [[], []];
    for (const [shelf, held] of this.#shelves) {
      for (const [key, value] of held) {
        if (value === undefined) removals.push({ shelf, key });
        else puts.push({ shelf, key, value });
      }
    }
    return { puts, removals, leaves: this.#leaves };
  }

  #set(shelf: string, key: string, value: Uint8Array | undefined): void {
    let held = this.#shelves.get(shelf);
    if (held === undefined) this.#shelves.set(shelf, (held = new Map()));
    const [there, before] = [held.has(key), held.get(key)];
    held.set(key, value);
    const entries = held;
    this.#undoings.push(() => {
      if (there) entries.set(key, before);
      else entries.delete(key);
    });
  }
}

function isWithin(key: string, { low, high }: Range): boolean {
  return compareKeys(key, low) >= 0 && (high === undefined || compareKeys(key, high) < 0);
}
