import type { NoteSigner } from "../cosignature.ts";
import { MAX_RECEIPT_LEAVES, signReceipt } from "../receipt.ts";
import type { Recorded } from "./record.ts";

/** What receipts are made with; `time` is that of the last epoch in milliseconds, before which no receipt may be. */
export type ReceiptParts = { readonly origin: string; readonly signer: NoteSigner; readonly now: () => number; readonly keeper: { readonly time: number } };

/**
 * Signs receipts for what was committed: one for all that is asked for at once and stands together, since a signature costs more than the rest.
 *
 * Transactions that share a commit are told of it in one turn of the loop, so that nothing has to wait for company.
 */
export class Receipts {
  readonly #parts: ReceiptParts;
  #waiting: (readonly Recorded[])[] = [];
  #signed: Promise<ReadonlyMap<number, Uint8Array>> | undefined;

  constructor(parts: ReceiptParts) {
    this.#parts = parts;
  }

  /** The receipt for entries of one transaction, which stand one after another; of very many for the last, which follow on the others. */
  async of(recorded: readonly Recorded[]): Promise<Uint8Array | undefined> {
    const promised = recorded.slice(-MAX_RECEIPT_LEAVES);
    const [first] = promised;
    if (first === undefined) return undefined;
    this.#waiting.push(promised);
    this.#signed ??= Promise.resolve().then(() => this.#signAll());
    return (await this.#signed).get(first.index);
  }

  async #signAll(): Promise<ReadonlyMap<number, Uint8Array>> {
    const waiting = this.#waiting.sort(([a], [b]) => (a?.index ?? 0) - (b?.index ?? 0));
    this.#waiting = [];
    this.#signed = undefined;
    const time = Math.max(this.#parts.now(), this.#parts.keeper.time);
    const receipts = new Map<number, Uint8Array>();
    for (const run of runsOf(waiting)) {
      const receipt = await signReceipt({ origin: this.#parts.origin, from: run[0]?.index ?? 0, time, leaves: run.map(({ leaf }) => leaf) }, this.#parts.signer);
      for (const { index } of run) receipts.set(index, receipt);
    }
    return receipts;
  }
}

/** What stands one after another, as far as a receipt is shared; what one transaction did is never cut. */
function runsOf(transactions: readonly (readonly Recorded[])[]): readonly (readonly Recorded[])[] {
  const runs: Recorded[][] = [];
  for (const recorded of transactions) {
    const run = runs.at(-1);
    const goesOn = run?.at(-1)?.index === (recorded[0]?.index ?? 0) - 1 && (run?.length ?? 0) + recorded.length <= MAX_RECEIPT_LEAVES;
    if (run !== undefined && goesOn) run.push(...recorded);
    else runs.push([...recorded]);
  }
  return runs;
}
