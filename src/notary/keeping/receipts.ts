import type { NoteSigner } from "../cosignature.ts";
import type { Hash } from "../merkle.ts";
import { MAX_RECEIPT_LEAVES, signReceipt } from "../receipt.ts";
import type { Recorded } from "./record.ts";

/** What receipts are made with; `time` is that of the last epoch in milliseconds, before which no receipt may be. */
export type ReceiptParts = { readonly origin: string; readonly signer: NoteSigner; readonly now: () => number; readonly keeper: { readonly time: number } };

/** What one transaction appended, as far as it is promised, and the hash of what it was sent. */
type Transaction = { readonly recorded: readonly Recorded[]; readonly sent: Hash };

/**
 * Signs receipts for what was committed: one for all that is asked for at once and stands together, since a signature costs more than the rest.
 *
 * Transactions that share a commit are told of it in one turn of the loop, so that nothing has to wait for company.
 */
export class Receipts {
  readonly #parts: ReceiptParts;
  #waiting: Transaction[] = [];
  #signed: Promise<ReadonlyMap<number, Uint8Array>> | undefined;

  constructor(parts: ReceiptParts) {
    this.#parts = parts;
  }

  /** The receipt for entries of one transaction, which stand one after another, and for what it was sent; of very many for the last, which follow on the others. */
  async of(recorded: readonly Recorded[], sent: Hash): Promise<Uint8Array | undefined> {
    const promised = recorded.slice(-MAX_RECEIPT_LEAVES);
    const [first] = promised;
    if (first === undefined) return undefined;
    this.#waiting.push({ recorded: promised, sent });
    this.#signed ??= Promise.resolve().then(() => this.#signAll());
    return (await this.#signed).get(first.index);
  }

  async #signAll(): Promise<ReadonlyMap<number, Uint8Array>> {
    const waiting = this.#waiting.sort((a, b) => startOf(a) - startOf(b));
    this.#waiting = [];
    this.#signed = undefined;
    const time = Math.max(this.#parts.now(), this.#parts.keeper.time);
    const receipts = new Map<number, Uint8Array>();
    for (const together of standingTogether(waiting)) {
      const runs = together.map(({ recorded, sent }) => ({ leaves: recorded.map(({ leaf }) => leaf), sent }));
      const receipt = await signReceipt({ origin: this.#parts.origin, from: startOf(together[0]), time, runs }, this.#parts.signer);
      for (const one of together) receipts.set(startOf(one), receipt);
    }
    return receipts;
  }
}

function startOf(transaction: Transaction | undefined): number {
  return transaction?.recorded[0]?.index ?? 0;
}

/** What stands one after another, as far as a receipt is shared; what one transaction did is never cut. */
function standingTogether(transactions: readonly Transaction[]): readonly (readonly Transaction[])[] {
  const all: Transaction[][] = [];
  let [end, count] = [-1, 0];
  for (const one of transactions) {
    const goesOn = end === startOf(one) && count + one.recorded.length <= MAX_RECEIPT_LEAVES;
    if (goesOn) all.at(-1)?.push(one);
    else all.push([one]);
    [end, count] = [startOf(one) + one.recorded.length, (goesOn ? count : 0) + one.recorded.length];
  }
  return all;
}
