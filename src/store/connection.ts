import type { Entry } from "./store.ts";
import type { Range } from "./range.ts";

/**
 * What an engine that answers at once must do, so that `groupedStore` can make a Store of it.
 *
 * One transaction at a time, one savepoint at a time. Every failure is thrown as a MeshError with a `store-` code.
 */
export interface Connection {
  /** Begins; for writing it takes the write lock, or throws `store-busy` without waiting: waiting here would stop the event loop. */
  begin(mode: "read" | "write"): void;
  /** Makes the transaction of so many works true, and durable unless `flushed` says that this takes longer. */
  commit(works: number): void;
  /** Settles once every commit so far is durable; `undefined` where commits are so at once. Throws `store-failed` if they may not be. */
  flushed(): Promise<void> | undefined;
  /** Undoes the transaction; without one, nothing. */
  rollback(): void;
  /** Marks the place that `undo` goes back to. */
  mark(): void;
  /** Forgets the mark, keeps the changes. */
  keep(): void;
  /** Undoes the changes since the mark, and forgets it. */
  undo(): void;
  /** False once the engine has given up the transaction by itself, as SQLite does when the disk is full. */
  active(): boolean;
  get(shelf: string, key: string): Uint8Array | undefined;
  list(shelf: string, range: Range, limit: number | undefined, reverse: boolean): readonly Entry[];
  leaves(from: number, limit: number | undefined): readonly Uint8Array[];
  put(shelf: string, key: string, value: Uint8Array): void;
  remove(shelf: string, key: string): void;
  append(leaf: Uint8Array): number;
  /** As `Reading.version`. */
  version?(): string;
  close(): Promise<void>;
}
