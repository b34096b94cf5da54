import type { Reading, Store, Writing } from "./store.ts";

/** A fresh, empty store under test. */
export interface Subject {
  readonly store: Store;
  /** Closes the store and opens what it left; absent where nothing outlives the store. */
  readonly reopen?: () => Promise<Store>;
  /** Makes the next COMMIT of the engine fail with `store-full`. */
  readonly failNextCommit?: () => unknown;
}

/** How tests get a subject; what it opened is closed after each test. */
export type Open = () => Promise<Subject>;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** UTF-8 octets. */
export function text(value: string): Uint8Array {
  return encoder.encode(value);
}

/** A value as text. */
export async function readText(reading: Reading, shelf: string, key: string): Promise<string | undefined> {
  const value = await reading.get(shelf, key);
  return value && decoder.decode(value);
}

/** A value as a number; 0 if there is none. */
export async function readNumber(reading: Reading, shelf: string, key: string): Promise<number> {
  return Number((await readText(reading, shelf, key)) ?? 0);
}

/** Writes a number as text. */
export async function writeNumber(writing: Writing, shelf: string, key: string, value: number): Promise<void> {
  await writing.put(shelf, key, text(String(value)));
}
