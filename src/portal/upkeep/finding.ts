import { equalBytes } from "../../bytes/equal.ts";
import type { Reading, Store } from "../../store/store.ts";
import { type MeshRecord, parseRow, shelf } from "../records.ts";
import { rowsOf } from "./walk.ts";

/** A row as it should be: `put` undefined takes it away. It is changed only while it still is what was `seen`. */
export type Repair = { readonly shelf: string; readonly key: string; readonly seen: Uint8Array | undefined; readonly put: Uint8Array | undefined };

/**
 * Something that is not as it should be. With repairs it follows from the rest and can be made anew; without, it is lost
 * or false, and is left as it is.
 */
export type Finding = { readonly what: Trouble; readonly where: string; readonly why: string; readonly repairs: readonly Repair[] };

/** What can be wrong; `docs/operating.md` has a word on each. */
export const troubles = ["row-malformed", "object-damaged", "object-false", "body-damaged", "rows-missing", "counts-wrong", "copy-wrong", "head-wrong", "name-wrong", "session-stray", "request-stray", "log-wrong"] as const;
export type Trouble = (typeof troubles)[number];

/** The state of everybody when a check began: what is used by nobody may be taken away only while it stays so. */
export async function fingerprintOf(reading: Reading): Promise<string> {
  const parts: string[] = [];
  for await (const { key, value } of rowsOf(reading, shelf.meshes)) parts.push(`${key} ${revisionOf(value)}`);
  for (const from of [shelf.requests, shelf.requesters]) for await (const { key } of rowsOf(reading, from)) parts.push(key);
  return parts.join("\n");
}

function revisionOf(value: Uint8Array): number {
  try {
    return parseRow<MeshRecord>(value).revision;
  } catch {
    return -1;
  }
}

/** Makes repairs in one transaction; returns for each whether its row still was what it was found to be. */
export async function repair(store: Store, repairs: readonly Repair[]): Promise<readonly boolean[]> {
  return store.transact(async (w) => {
    const done: boolean[] = [];
    for (const { shelf: on, key, seen, put } of repairs) {
      const now = await w.get(on, key);
      const same = now === undefined || seen === undefined ? now === seen : equalBytes(now, seen);
      done.push(same);
      if (!same) continue;
      if (put === undefined) await w.remove(on, key);
      else await w.put(on, key, put);
    }
    return done;
  });
}

/** So many rows that nobody uses are taken away in one transaction. */
const AT_ONCE = 256;

/** Takes away what nobody used when `fingerprint` was taken; stops as soon as anything changed since. Returns how many went. */
export async function sweep(store: Store, unused: readonly { readonly shelf: string; readonly key: string }[], fingerprint: string): Promise<number> {
  let gone = 0;
  for (let at = 0; at < unused.length; at += AT_ONCE) {
    const part = unused.slice(at, at + AT_ONCE);
    const same = await store.transact(async (w) => {
      if ((await fingerprintOf(w)) !== fingerprint) return false;
      for (const { shelf: on, key } of part) await w.remove(on, key);
      return true;
    });
    if (!same) return gone;
    gone += part.length;
  }
  return gone;
}
