/** What stands in a depot: its name, and when it was put there or last let linger, in milliseconds since 1970. */
export interface Kept {
  readonly name: string;
  readonly at: number;
}

/**
 * Where large values are kept outside of a database, each under the SHA-512 of its octets (86 characters of base64url): so the same value is kept once, never
 * changed, and known to be whole.
 *
 * Several processes use one at once, and none waits for another. Errors: `store-full`, `store-read-only`, `store-unreachable` where the place itself is gone, `store-failed`.
 */
export interface Depot {
  /** Keeps octets under their name, durable when it resolves. What is there already, and whole, stays, and counts as put now. */
  put(name: string, octets: Uint8Array): Promise<void>;
  /** The octets that are kept under a name, whole or not; whoever asks compares. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Has what is kept under a name count as put now, since it will soon be named no more: who still sees the name finds it. None is no error. */
  linger(name: string): Promise<void>;
  /** All that is kept, in no order. */
  list(): AsyncIterable<Kept>;
  /** Takes away what is kept under a name, unless it was put at `before` or later, even while this runs; returns whether it did. */
  remove(name: string, before: number): Promise<boolean>;
}

/** Whether this is a name that octets can have in a depot. */
export function isDepotName(name: string): boolean {
  return /^[\w-]{86}$/.test(name);
}

/** The name in a row that has one in the place of its value; undefined if there is none in it. */
export function depotNameIn(row: Uint8Array): string | undefined {
  const name = Buffer.from(row).toString("latin1");
  return isDepotName(name) ? name : undefined;
}

/** So long what nobody names stays in a depot: whoever reads an older snapshot, or copies one, finds it; milliseconds. */
export const LINGER_MS = 86_400_000;
