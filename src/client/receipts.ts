import { fromBase64url } from "../bytes/base64url.ts";
import { fromUtf8 } from "../bytes/text.ts";
import { sentIn, type SentObject } from "../protocol/sent.ts";
import type { RowsReading, RowsWriting } from "./rows.ts";

/** What a portal promised beside an answer: its receipt as it was signed, and the objects that were sent. `number` tells receipts apart. */
export type ReceiptRow = { readonly number: number; readonly receipt: string; readonly sent: readonly SentObject[] };

/** A home keeps so many receipts; each sync checks them all, and lets go of what was kept. Those that were given first are the first to be due. */
const MAX_RECEIPTS = 64;

/** The most octets of a receipt in its header. */
const MAX_RECEIPT = 4096;

/** Keeps a receipt as it came in a header, until the log has what it promises; judged when it is checked, since a log's keys may be news. */
export async function keepReceipt(rows: RowsWriting, header: string, request: unknown): Promise<void> {
  if (header.length > MAX_RECEIPT) return;
  const kept = await receiptsOf(rows);
  if (kept.length >= MAX_RECEIPTS) return;
  const number = (kept.at(-1)?.number ?? 0) + 1;
  await rows.put("receipts", "receipts", number, { number, receipt: textOf(header), sent: sentIn(request) } satisfies ReceiptRow);
}

/** The receipts that are still to be checked, as they came. */
export async function receiptsOf(rows: RowsReading): Promise<readonly ReceiptRow[]> {
  return (await rows.list<ReceiptRow>("receipts", "receipts")).map(({ row }) => row);
}

/** Lets go of receipts. */
export async function forgetReceipts(rows: RowsWriting, receipts: readonly ReceiptRow[]): Promise<void> {
  for (const { number } of receipts) await rows.remove("receipts", "receipts", number);
}

/** What cannot be read is kept as nothing, which is no receipt either. */
function textOf(header: string): string {
  try {
    return fromUtf8(fromBase64url(header));
  } catch {
    return "";
  }
}
