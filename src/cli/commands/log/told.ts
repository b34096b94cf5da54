import { toBase64url } from "../../../bytes/base64url.ts";
import type { EndedRow, LogRow } from "../../../client/follow-log.ts";
import type { Currency } from "../../../notary/currency.ts";
import type { Evidence } from "../../../notary/evidence.ts";

/** A head as people read it. */
export function headText({ origin, root, size, time }: LogRow): string {
  return `${origin}: ${size} entries, as of ${when(time)}\nroot ${root}`;
}

/** That a portal began another log, as people read it. */
export function endedText({ next, origin, restored, size, time }: EndedRow): string {
  const why = restored === undefined ? "It does not say why." : `It says that it was restored from a backup on ${when(restored)}.`;
  return `Your portal ended its log ${origin} (${size} entries, as of ${when(time)}) and began another, ${next}. ${why} If its operator knows of nothing of the kind, do not rely on it; what it had signed is kept here.`;
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

/** What evidence proves, as the end of a sentence about a log. */
export function evidenceText({ kind }: Evidence): string {
  return {
    "broken-rules": "has an entry that may not follow those before it, or commits to another map than they make",
    "broken-receipt": "has another entry where its receipt promised one",
    fork: "signed two histories of which neither goes on from the other",
    "late-receipt": "was signed without an entry that its receipt had promised longer ago than a portal may take",
    rollback: "was signed with fewer entries after it had had more",
    "wrong-entry": "has something else than the version of a profile that its receipt is for, or nothing",
    "wrong-seal": "has, for what its receipt says that it was sent, an entry about something else",
    "wrong-map": "has an entry, and says that an older one is the newest",
  }[kind];
}

function when(time: number): string {
  return new Date(time).toISOString();
}
