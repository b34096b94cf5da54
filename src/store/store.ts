/** A key and its value, as `list` returns them. */
export interface Entry {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Which part of a listing is wanted; by default all of it, in rising order. */
export interface ListOptions {
  /** Only what comes after this key in the order asked for (with `reverse`: below it). It need not exist, nor have the prefix. */
  readonly after?: string;
  /** At most so many entries; 0 gives none. */
  readonly limit?: number;
  /** Falling order. */
  readonly reverse?: boolean;
}

/**
 * One consistent snapshot: what other works commit meanwhile is not seen.
 *
 * Shelves and keys are any well-formed Unicode text (empty and NUL included), of at most 2,600 octets together. Order is that of their UTF-8 octets, which is
 * not JavaScript's own order above U+FFFF. Octets returned belong to the caller.
 */
export interface Reading {
  /** The value, or `undefined` if there is none; an empty value is a value. */
  get(shelf: string, key: string): Promise<Uint8Array | undefined>;
  /** The entries whose keys begin with `prefix`, in octet order. No character of the prefix is special. */
  list(shelf: string, prefix: string, options?: ListOptions): Promise<readonly Entry[]>;
  /** The leaves of the append-only log with index `from` (from 0) on, at most `limit`; past its end, none. */
  leaves(from: number, limit?: number): Promise<readonly Uint8Array[]>;
  /** A text that stays the same as long as nobody commits anything, for whoever asks one opened store; an engine that cannot tell has no such verb, or gives `undefined`. */
  version?(): string | undefined;
}

/** A snapshot that can be changed; its own writes are visible to it at once, to others when `transact` resolves. */
export interface Writing extends Reading {
  /** Sets the value; the octets are copied. */
  put(shelf: string, key: string, value: Uint8Array): Promise<void>;
  /** Takes the entry away; none is no error. */
  remove(shelf: string, key: string): Promise<void>;
  /** Adds a leaf to the log and returns its index; indices have no gaps. */
  append(leaf: Uint8Array): Promise<number>;
}

/**
 * Everything that a home or a portal keeps, behind eight verbs, so that engines can be exchanged.
 *
 * - Serializable: the outcome is that of the works run one after another in some order that respects who waited for whom.
 * - `transact` settles only after its work is durable, or surely undone. A work that throws changes nothing, and its error is what
 *   `transact` rejects with. A failing verb dooms its work: catching the error does not save it.
 * - Transactions that are issued together share one commit. If that commit fails, every one of them rejects and nothing is kept.
 * - After a rejection with `store-failed` the write may, after a crash, turn out to have been made: callers must be able to ask again
 *   (compare-and-set on a head does).
 * - An engine may run a work again on a conflict: works have no effects but through their handle, await nothing slow, and do not keep the
 *   handle. Calling `read` or `transact` inside a work is refused (`store-misused`), not a deadlock.
 *
 * Errors: `store-busy`, `store-full`, `store-read-only`, `store-damaged`, `store-newer`, `store-failed`, `store-closed`, `store-misused`;
 * where the engine is a server also `store-unreachable`, `store-moved`, `store-rolled-back`, `store-clock-off`.
 */
export interface Store {
  /** Runs `work` on a snapshot that is at least as new as every transaction that resolved before. */
  read<T>(work: (reading: Reading) => Promise<T>): Promise<T>;
  /** Runs `work` and makes all of its writes durable, or none. */
  transact<T>(work: (writing: Writing) => Promise<T>): Promise<T>;
  /** Waits for what was begun, refuses what comes later, lets go of the files. Closing twice is no error. */
  close(): Promise<void>;
}
