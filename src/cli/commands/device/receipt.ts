import type { Receipt } from "../../../client/operations/disable.ts";

/** A receipt for people: what is done, then what is still to do. */
export function receiptText({ done, pending }: Receipt): string {
  return [...done.map((line) => `done     ${line}`), ...pending.map((line) => `to do    ${line}`)].join("\n");
}
