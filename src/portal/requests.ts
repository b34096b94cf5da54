import type { MasterId } from "../profiles/types.ts";
import type { Reading, Writing } from "../store/store.ts";
import { ANSWER_MS, REQUEST_MS } from "./limits.ts";
import { parseRow, shelf } from "./records.ts";

/** A connection request as it waits, and its answer once there is one. */
export type RequestRecord = { readonly digest: string; readonly arrived: number; readonly device: string; readonly kind: "words" | "pin"; readonly answer?: string };

/** A request with the key under which it is kept. */
export type KeptRequest = { readonly key: string; readonly record: RequestRecord };

/** Whether a request is still kept: one that waits for a day; one that was answered until its device had every chance to ask. */
export function isLive(record: RequestRecord, now: number): boolean {
  return record.arrived + (record.answer === undefined ? REQUEST_MS : ANSWER_MS) > now;
}

/** The requests of a mesh that have not expired, answered or not. */
export async function liveRequestsOf(reading: Reading, master: MasterId, now: number): Promise<readonly KeptRequest[]> {
  const entries = await reading.list(shelf.requests, `${master}/`);
  return entries.map(({ key, value }) => ({ key, record: parseRow<RequestRecord>(value) })).filter((one) => isLive(one.record, now));
}

/** The requests of a mesh that wait for an answer. */
export async function unansweredOf(reading: Reading, master: MasterId, now: number): Promise<readonly KeptRequest[]> {
  return (await liveRequestsOf(reading, master, now)).filter((one) => one.record.answer === undefined);
}

/** Takes away the requests of a mesh that have expired, with what was kept for them alone. */
export async function forgetExpired(writing: Writing, master: MasterId, now: number): Promise<void> {
  const all = (await writing.list(shelf.requests, `${master}/`)).map(({ key, value }) => ({ key, record: parseRow<RequestRecord>(value) }));
  const asking = new Set(all.filter((one) => isLive(one.record, now)).map((one) => one.record.device));
  for (const { key, record } of all.filter((one) => !isLive(one.record, now))) {
    await writing.remove(shelf.requests, key);
    await writing.remove(shelf.objects, record.digest);
    if (record.answer !== undefined) await writing.remove(shelf.objects, record.answer);
    if (!asking.has(record.device)) await writing.remove(shelf.requesters, `${master}/${record.device}`);
  }
}
