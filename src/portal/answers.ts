import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { ordinal } from "../bytes/ordinal.ts";
import { COUNTER_WINDOW } from "../protocol/session.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Reading, Writing } from "../store/store.ts";
import type { Run } from "./logged.ts";
import { putRow, row, shelf } from "./records.ts";

/** A write's first answer, given again if the write is sent again (decision 8.1). */
type AnswerRecord = { readonly mac: string; readonly status: number; readonly body: string; /** Where the log tells of it. */ readonly entries?: Run };

/** An answer that was given. */
export type Given = { readonly status: number; readonly body: Uint8Array; readonly entries: Run | undefined };

/** So many answers that left the window are taken away with each that is kept: more than one, so none is left for ever. */
const FORGOTTEN_AT_ONCE = 16;

/** The answer that a write got when it came first; refuses with `session-counter-reused` another request under its counter, and with `session-counter-old` one below the window. */
export async function firstAnswer(reading: Reading, session: string, counter: number, mac: string): Promise<Given | undefined> {
  const highest = (await reading.list(shelf.answers, `${session}/`, { reverse: true, limit: 1 }))[0];
  const top = highest === undefined ? 0 : Number(highest.key.slice(session.length + 1));
  demand(counter > top - COUNTER_WINDOW, "session-counter-old", "This request is older than the portal remembers.");
  const known = counter > top ? undefined : await answerUnder(reading, session, counter);
  if (known === undefined) return undefined;
  demand(known.mac === mac, "session-counter-reused", "Another request was already made under this counter.");
  return { status: known.status, body: fromBase64url(known.body), entries: known.entries };
}

/** What was answered under a counter, whatever was asked. */
export function answerUnder(reading: Reading, session: string, counter: number): Promise<AnswerRecord | undefined> {
  return row<AnswerRecord>(reading, shelf.answers, `${session}/${ordinal(counter)}`);
}

/** Keeps a write's answer in the write's own transaction, and forgets some that left the window. */
export async function keepAnswer(writing: Writing, session: string, counter: number, mac: string, { status, body, entries }: Given): Promise<void> {
  const record: AnswerRecord = { body: toBase64url(body), ...(entries === undefined ? {} : { entries }), mac, status };
  await putRow(writing, shelf.answers, `${session}/${ordinal(counter)}`, record);
  if (counter <= COUNTER_WINDOW) return;
  for (const { key } of await writing.list(shelf.answers, `${session}/`, { limit: FORGOTTEN_AT_ONCE })) {
    if (Number(key.slice(session.length + 1)) <= counter - COUNTER_WINDOW) await writing.remove(shelf.answers, key);
  }
}

/** Forgets all answers of a session that ended. */
export async function forgetAnswers(writing: Writing, session: string): Promise<void> {
  for (const { key } of await writing.list(shelf.answers, `${session}/`)) await writing.remove(shelf.answers, key);
}
