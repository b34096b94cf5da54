import { canonicalBytes, type Json } from "../../bytes/canonical-json.ts";
import { equalBytes } from "../../bytes/equal.ts";
import type { Reading } from "../../store/store.ts";
import { parseRow, shelf } from "../records.ts";
import { openingKey, openingOf, type SessionRecord } from "../sessions.ts";
import type { Finding } from "./finding.ts";
import { rowsOf } from "./walk.ts";

/** Each session is listed among those of its device, and each answer kept belongs to a session; what does not fit is taken away: a device opens another at no cost. */
export async function checkSessions(reading: Reading, masters: ReadonlySet<string>, tell: (finding: Finding) => void): Promise<number> {
  const openings = new Map<string, Uint8Array>();
  const sessions = new Set<string>();
  const gone = (shelfOf: string, key: string, seen: Uint8Array, why: string): void => tell({ what: "session-stray", where: `${shelfOf} ${key}`, why, repairs: [{ shelf: shelfOf, key, seen, put: undefined }] });
  for await (const { key, value } of rowsOf(reading, shelf.sessions)) {
    const record = sessionIn(value);
    if (record === undefined || !masters.has(record.master)) gone(shelf.sessions, key, value, "This session is of no account here.");
    else {
      sessions.add(key);
      openings.set(openingKey(record, key), canonicalBytes(openingOf(record, key) as Json));
    }
  }
  for await (const { key, value } of rowsOf(reading, shelf.openings)) {
    const right = openings.get(key);
    openings.delete(key);
    if (right === undefined) gone(shelf.openings, key, value, "It lists a session that is not there.");
    else if (!equalBytes(right, value)) tell({ what: "session-stray", where: `${shelf.openings} ${key}`, why: "It does not say what its session says.", repairs: [{ shelf: shelf.openings, key, seen: value, put: right }] });
  }
  for (const [key, right] of openings) tell({ what: "session-stray", where: `${shelf.openings} ${key}`, why: "A session is not listed among those of its device.", repairs: [{ shelf: shelf.openings, key, seen: undefined, put: right }] });
  for await (const { key, value } of rowsOf(reading, shelf.answers)) if (!sessions.has(key.split("/")[0] ?? "")) gone(shelf.answers, key, value, "An answer is kept for a session that is not there.");
  return sessions.size;
}

function sessionIn(value: Uint8Array): SessionRecord | undefined {
  try {
    const record = parseRow<Partial<SessionRecord>>(value);
    return typeof record.master === "string" && typeof record.device === "string" && typeof record.opened === "number" ? (record as SessionRecord) : undefined;
  } catch {
    return undefined;
  }
}
