import { canonicalJson, type Json } from "../bytes/canonical-json.ts";
import type { Digest } from "../envelope/fields.ts";
import { MAX_COUNTER } from "./counters.ts";
import type { Change } from "./entries.ts";
import type { EntryId } from "./entry-id.ts";

/** One value that a field had or has: who wrote it, knowing `counter - 1` writes before it, and in which commit of the chain, once it is in one. */
export type Write = { readonly value: Json; readonly counter: number; readonly author: string; readonly commit?: number };

/**
 * One author's word that writes which it saw are to be gone: in each field, all of an author up to a counter.
 *
 * It names them by causal counters, and takes nothing that comes after it in the chain: whoever edited meanwhile keeps what he
 * wrote. `blobs` are those that go with them.
 */
export type Purge = { readonly author: string; readonly commit?: number; readonly fields: Readonly<Record<string, Readonly<Record<string, number>>>>; readonly blobs: readonly string[] };

/**
 * An entry: for each field all its writes, the one that holds first (decision 6.3: the loser stays in the history), and what was purged.
 *
 * Purged writes stay among `fields` until they are erased, since whoever purged them may yet be cut off; only `writes` knows which still count.
 */
export type Entry = { readonly id: EntryId; readonly fields: Readonly<Record<string, readonly Write[]>>; readonly purges?: readonly Purge[] };

/** The field that marks an entry as removed. */
export const REMOVED = "removed";

/**
 * Adds the writes and the purge of a change to an entry.
 *
 * The result depends only on the set of changes, never on their order or on a clock: greater counter first, then greater
 * author, then greater value; a purge counts for what comes after it, too.
 */
export function merge(entry: Entry | undefined, change: Change, author: string, commit?: number): Entry {
  const fields: Record<string, readonly Write[]> = { ...entry?.fields };
  const place = commit === undefined ? {} : { commit };
  for (const [name, [counter, value]] of Object.entries(change.fields)) fields[name] = insert(ownOf(fields, name), { value, counter, author, ...place });
  const purges = change.purge === undefined ? (entry?.purges ?? []) : withPurge(entry?.purges ?? [], { ...change.purge, author, ...place });
  return { id: change.entry, fields, ...(purges.length === 0 ? {} : { purges }) };
}

/** An entry without the writes and purges that a judgement takes out; `undefined` if none is left, the same entry if none was taken. */
export function without(entry: Entry, takenOut: (one: Write | Purge) => boolean): Entry | undefined {
  const purges = (entry.purges ?? []).filter((one) => !takenOut(one));
  const left = filtered(entry, (_, write) => !takenOut(write), purges);
  if (left === entry && purges.length === (entry.purges ?? []).length) return entry;
  return Object.keys(left.fields).length === 0 && purges.length === 0 ? undefined : left;
}

/** An entry as if nothing of it had been purged: with what was, as far as it is not erased. */
export function unpurged({ fields, id }: Entry): Entry {
  return { id, fields };
}

/** An entry as a function of its changes alone, whatever was erased when: the writes that count, and the purges; `undefined` if there are none. */
export function settled(entry: Entry): Entry | undefined {
  const left = filtered(entry, (name, write) => !(entry.purges ?? []).some((one) => covers(one, name, write)), entry.purges ?? []);
  return Object.keys(left.fields).length === 0 && left.purges === undefined ? undefined : left;
}

/** An entry without the writes that some of its purges cover: they are gone, and can no longer come back whoever is cut off. */
export function erase(entry: Entry, due: (purge: Purge) => boolean): Entry {
  const purges = (entry.purges ?? []).filter(due);
  return filtered(entry, (name, write) => !purges.some((one) => covers(one, name, write)), entry.purges ?? []);
}

function filtered(entry: Entry, keep: (field: string, write: Write) => boolean, purges: readonly Purge[]): Entry {
  const kept = Object.entries(entry.fields).map(([name, all]): [string, readonly Write[]] => [name, all.filter((write) => keep(name, write))]);
  if (kept.every(([name, left]) => left.length === entry.fields[name]?.length) && purges.length === (entry.purges ?? []).length) return entry;
  return { id: entry.id, fields: Object.fromEntries(kept.filter(([, all]) => all.length > 0)), ...(purges.length === 0 ? {} : { purges }) };
}

/** An entry with the writes and purges of another part of it. */
export function joined(entry: Entry | undefined, part: Entry): Entry {
  const fields: Record<string, readonly Write[]> = { ...entry?.fields };
  for (const [name, all] of Object.entries(part.fields)) fields[name] = all.reduce(insert, ownOf(fields, name));
  const purges = (part.purges ?? []).reduce(withPurge, entry?.purges ?? []);
  return { id: part.id, fields, ...(purges.length === 0 ? {} : { purges }) };
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
  const seen = (name: string) => (entry === undefined ? 0 : greatest(entry, name));
  const fields = Object.entries(values).map(([name, value]): [string, [number, Json]] => [name, [Math.min(seen(name) + 1, MAX_COUNTER), value]]);
  return { entry: id, fields: Object.fromEntries(fields) };
}

/** A change that purges the writes of an entry that `which` picks, as its author sees them, less those that cannot be told from one that stays. */
export function purge(entry: Entry, which: (field: string, write: Write) => boolean, blobs: readonly Digest[] = []): Change {
  const fields = Object.keys(entry.fields).flatMap((name): [string, Record<string, number>][] => {
    const all = writes(entry, name);
    const stays = (author: string) => Math.min(MAX_COUNTER, ...all.filter((one) => one.author === author && !which(name, one)).map((one) => one.counter));
    const gone = all.filter((one) => which(name, one) && one.counter < stays(one.author));
    const last = new Map<string, number>();
    for (const { author, counter } of gone) last.set(author, Math.max(last.get(author) ?? 0, counter));
    return gone.length === 0 ? [] : [[name, Object.fromEntries(last)]];
  });
  return { entry: entry.id, fields: {}, purge: { blobs: [...blobs], fields: Object.fromEntries(fields) } };
}

/** All writes of a field that are not purged; own members only, since a field may be named as something every object has. */
export function writes(entry: Entry, field: string): readonly Write[] {
  const all = ownOf(entry.fields, field);
  const { purges } = entry;
  return purges === undefined ? all : all.filter((write) => !purges.some((one) => covers(one, field, write)));
}

function ownOf<T>(record: Readonly<Record<string, readonly T[]>>, name: string): readonly T[] {
  return Object.hasOwn(record, name) ? (record[name] ?? []) : [];
}

/** A purge covers nothing that comes after it in the chain, whatever it names: its author cannot have seen that. One that is not in the chain yet is our own. */
function covers({ commit: when = Infinity, fields }: Purge, field: string, { author, commit, counter }: Write): boolean {
  const last = Object.hasOwn(fields, field) ? fields[field] : undefined;
  return last !== undefined && Object.hasOwn(last, author) && counter <= (last[author] ?? 0) && (when === Infinity || (commit ?? Infinity) <= when);
}

/** The greatest counter that was ever seen in a field, purged writes included: whoever writes next goes beyond it. */
function greatest(entry: Entry, field: string): number {
  const purged = (entry.purges ?? []).flatMap(({ fields }) => (Object.hasOwn(fields, field) ? Object.values(fields[field] ?? {}) : []));
  return Math.max(0, ...purged, ...ownOf(entry.fields, field).map((write) => write.counter));
}

function withPurge(purges: readonly Purge[], purge: Purge): readonly Purge[] {
  const nameOf = ({ commit: _, ...rest }: Purge) => canonicalJson(rest as unknown as Json);
  const name = nameOf(purge);
  const same = purges.find((one) => nameOf(one) === name);
  if (same === undefined) return [...purges, purge].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return (purge.commit ?? Infinity) < (same.commit ?? Infinity) ? purges.map((one) => (one === same ? purge : one)) : purges;
}

function insert(writes: readonly Write[], write: Write): readonly Write[] {
  const [first] = writes;
  // Almost every write is newer than all before it.
  if (first === undefined || order(write, first) < 0) return [write, ...writes];
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
