import { toBase64url } from "../../../bytes/base64url.ts";
import type { LogRow } from "../../../client/follow-log.ts";
import type { Currency } from "../../../notary/currency.ts";

/** A head as people read it. */
export function headText({ origin, root, size, time }: LogRow): string {
  return `${origin}: ${size} entries, as of ${when(time)}\nroot ${root}`;
}

/** What a proof shows, as programs read it. */
export function currencyDocument({ checkpoint, epoch, label, value }: Currency) {
  const version = value === undefined ? null : { digest: toBase64url(value.digest), g: value.g, index: value.index, n: value.n };
  return { current: version, id: label.id, kind: label.kind, origin: checkpoint.origin, size: checkpoint.size, time: epoch.t, vouchedBy: checkpoint.cosigned };
}

/** What a proof shows, as people read it. */
export function currencyText({ checkpoint, epoch, label, value }: Currency): string {
  const what = value === undefined ? "nothing" : `version ${value.g}.${value.n}, object ${toBase64url(value.digest).slice(0, 20)}...`;
  const word = checkpoint.cosigned === 0 ? "by the log's own word alone" : `vouched for by ${checkpoint.cosigned} others`;
  return `${label.kind} of ${label.id}: ${what}, as of ${when(epoch.t)}, ${word}.`;
}

function when(time: number): string {
  return new Date(time).toISOString();
}
