import { canonicalJson, type Json } from "../bytes/canonical-json.ts";
import type { Change } from "./entries.ts";
import type { EntryId } from "./entry-id.ts";

/** One value that a field had or has: who wrote it, knowing `counter - 1` writes before it, and in which commit of the chain, once it is in one. */
export type Write = { readonly value: Json; readonly counter: number; readonly author: string; readonly commit?: number };

/** An entry: for each field all its writes, the one that holds first (decision 6.3: the loser stays in the history). */
export type Entry = { readonly id: EntryId; readonly fields: Readonly<Record<string, readonly Write[]>> };

/** The field that marks an entry as removed. */
export const REMOVED = "removed";

/** The greatest causal counter; no writer goes beyond it, so that a field which a bad one drove there can still be written. */
export const MAX_COUNTER = Number.MAX_SAFE_INTEGER;

/**
 * Adds the writes of a change to an entry.
 *
 * The result depends only on the set of writes, never on their order or on a clock: greater counter first, then greater
 * author, then greater value.
 */
export function merge(entry: Entry | undefined, change: Change, author: string, commit?: number): Entry {
  const fields: Record<string, readonly Write[]> = { ...entry?.fields };
  const place = commit === undefined ? {} : { commit };
  for (const [name, [counter, value]] of Object.entries(change.fields)) fields[name] = insert(writes({ id: change.entry, fields }, name), { value, counter, author, ...place });
  return { id: change.entry, fields };
}

/** An entry without the writes that a judgement takes out; `undefined` if none is left, the same entry if none was taken. */
export function without(entry: Entry, takenOut: (write: Write) => boolean): Entry | undefined {
  const kept = Object.entries(entry.fields).map(([name, all]): [string, readonly Write[]] => [name, all.filter((write) => !takenOut(write))]);
  if (kept.every(([name, left]) => left.length === writes(entry, name).length)) return entry;
  const left = kept.filter(([, all]) => all.length > 0);
  return left.length === 0 ? undefined : { id: entry.id, fields: Object.fromEntries(left) };
}

/** The value that a field has now. */
export function current(entry: Entry, field: string): Json | undefined {
  return writes(entry, field)[0]?.value;
}

/** The values that a field had, newest first, the present one not among them. */
export function past(entry: Entry, field: string): readonly Write[] {
  return writes(entry, field).slice(1);
}

/** Whether an entry is removed. */
export function isRemoved(entry: Entry): boolean {
  return current(entry, REMOVED) === true;
}

/** A change that sets fields of an entry, each with the counter that follows what its writer saw. */
export function change(id: EntryId, entry: Entry | undefined, values: Readonly<Record<string, Json>>): Change {
  const seen = (name: string) => (entry === undefined ? 0 : (writes(entry, name)[0]?.counter ?? 0));
  const fields = Object.entries(values).map(([name, value]): [string, [number, Json]] => [name, [Math.min(seen(name) + 1, MAX_COUNTER), value]]);
  return { entry: id, fields: Object.fromEntries(fields) };
}

/** All writes of a field; own members only, since a field may be named as something every object has. */
export function writes(entry: Entry, field: string): readonly Write[] {
  return Object.hasOwn(entry.fields, field) ? (entry.fields[field] ?? []) : [];
}

function insert(writes: readonly Write[], write: Write): readonly Write[] {
  const same = writes.find((one) => order(one, write) === 0);
  if (same === undefined) return [...writes, write].sort(order);
  // One write in two commits counts from the first, whichever is seen first.
  return (write.commit ?? Infinity) < (same.commit ?? Infinity) ? writes.map((one) => (one === same ? write : one)) : writes;
}

function order(a: Write, b: Write): number {
  if (a.counter !== b.counter) return b.counter - a.counter;
  if (a.author !== b.author) return a.author < b.author ? 1 : -1;
  const [x, y] = [canonicalJson(a.value), canonicalJson(b.value)];
  return x === y ? 0 : x < y ? 1 : -1;
}
