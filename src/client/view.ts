import type { Entry } from "../catalogs/merge.ts";
import type { Made } from "./pages.ts";

/** What lists and searches look at of each entry of a catalog. Each view is one object, made once: it is what is remembered under. */
export type View<T> = {
  /** Undefined for an entry that is not shown. */
  readonly make: (entry: Entry) => T | undefined;
  /** No two are equal in it. */
  readonly order: (a: T, b: T) => number;
  /** About how many octets it takes. */
  readonly size: (value: T) => number;
};

/** What is remembered of a view, as of one version of the store. */
export type Remembered<T> = { readonly version: string; readonly catalog: string; readonly pages: ReadonlyMap<number, Made<T>>; readonly values: readonly T[] };

/** What is remembered, by view. */
export type Memory = Map<object, unknown>;

/** The most octets that a view may take and be remembered: beyond that it is made each time. */
export const MOST_REMEMBERED = 64 * 1024 * 1024;

/** Values in order, most of which are in order already: those of `before`. */
export function inOrder<T>(values: readonly T[], before: readonly T[], order: (a: T, b: T) => number): readonly T[] {
  const rest = new Set(values);
  const old = before.filter((value) => rest.delete(value));
  const fresh = [...rest].sort(order);
  if (old.length === 0) return fresh;
  const merged: T[] = [];
  let at = 0;
  for (const value of old) {
    for (let next = fresh[at]; next !== undefined && order(next, value) < 0; next = fresh[at]) {
      merged.push(next);
      at++;
    }
    merged.push(value);
  }
  return [...merged, ...fresh.slice(at)];
}
