import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import type { Commit } from "../catalogs/commits.ts";
import type { Change } from "../catalogs/entries.ts";
import type { Signed } from "../envelope/signed.ts";
import type { SentCommit } from "../protocol/parts.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";

/**
 * A commit that was signed and may have been sent: recorded before it is sent, so that a device that dies in between
 * sends the same one again and never signs a second for the same place without need.
 */
export type OutboxRow = { readonly sent: SentCommit; readonly digest: string; readonly index: number; readonly previous?: string; readonly journal: readonly number[] };

/** Changes to a catalog that were made together and that no commit holds yet (decision 6.1: the encrypted offline journal). */
export type JournalRow = { readonly sequence: number; readonly changes: readonly Change[] };

/** About so many octets of changes go into one commit, and so into one row of the journal. */
export const PACK_OCTETS = 256 * 1024;

/** Cuts changes made together into packs of which each fits one commit. */
export function packs(changes: readonly Change[]): readonly (readonly Change[])[] {
  const cut: Change[][] = [];
  let room = 0;
  for (const change of changes) {
    const octets = canonicalBytes(change as unknown as Json).length;
    if (octets > room) {
      cut.push([]);
      room = PACK_OCTETS;
    }
    cut.at(-1)?.push(change);
    room -= octets;
  }
  return cut;
}

/** Records commits before they are sent, in place of any recorded before. */
export async function recordOutbox(rows: RowsWriting, catalog: string, commits: readonly OutboxRow[]): Promise<void> {
  await giveUp(rows, catalog, 0);
  for (const one of commits) await rows.put("outbox", catalog, one.index, one);
}

/** The commits that were recorded last and of which nothing became yet, in the order of the chain. */
export async function outboxOf(rows: RowsReading, catalog: string): Promise<readonly OutboxRow[]> {
  return (await rows.list<OutboxRow>("outbox", catalog)).map((one) => one.row);
}

/** When a recorded commit is seen in the chain, the changes it holds leave the journal; when another stands in its place, it is given up with those that were to follow it. */
export async function finishOutbox(rows: RowsWriting, catalog: string, commit: Signed<Commit>): Promise<void> {
  const { index } = commit.payload;
  const row = await rows.get<OutboxRow>("outbox", catalog, index);
  if (row === undefined) return;
  if (row.digest !== commit.digest) return giveUp(rows, catalog, index);
  for (const sequence of row.journal) await rows.remove("journal", catalog, sequence);
  await rows.remove("outbox", catalog, index);
}

async function giveUp(rows: RowsWriting, catalog: string, from: number): Promise<void> {
  for (const { index } of await outboxOf(rows, catalog)) if (index >= from) await rows.remove("outbox", catalog, index);
}
