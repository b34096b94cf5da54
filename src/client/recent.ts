import type { SentCommit } from "../protocol/parts.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";

/** So many commits of a catalog are kept as they were sent: what a portal that lost its last days can be given again. */
const KEPT = 256;

/** Keeps a commit of a chain, and lets the oldest go. */
export async function keepRecent(rows: RowsWriting, catalog: string, index: number, sent: SentCommit): Promise<void> {
  await rows.put("recent", catalog, index, sent);
  if (index > KEPT) await rows.remove("recent", catalog, index - KEPT);
}

/** The commits of a chain after an index, oldest first, up to the first that is not kept any more. */
export async function recentAfter(rows: RowsReading, catalog: string, index: number, last: number): Promise<readonly SentCommit[]> {
  const sent: SentCommit[] = [];
  for (let next = index + 1; next <= last; next++) {
    const one = await rows.get<SentCommit>("recent", catalog, next);
    if (one === undefined) break;
    sent.push(one);
  }
  return sent;
}

/** Lets all of them go: the chain goes on far behind them. */
export async function forgetRecent(rows: RowsWriting, catalog: string): Promise<void> {
  for (const { remove } of await rows.list("recent", catalog)) await remove(rows);
}
