import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { ordinal } from "../bytes/ordinal.ts";
import { deviceProfile } from "../profiles/device.ts";
import { encapsulationKey } from "../profiles/keys.ts";
import type { RequestOf, ResponseOf } from "../protocol/command.ts";
import type { openSession } from "../protocol/open-session.ts";
import { agreeSession, isMac, type Member, readProposal, requestMac, type RequestParts, type Session } from "../protocol/session.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Reading, Writing } from "../store/store.ts";
import { forgetAnswers } from "./answers.ts";
import { type Context, deviceOf, type Plan } from "./context.ts";
import { getObject, parseRow, putRow, row, shelf } from "./records.ts";

/**
 * A session as it is kept: its keys let their holder ask as the device, but nothing that it asks for changes anything
 * without a signature, but a blob that is added. `used` once a request came in it: anybody may open one in a device's name, only the device can use it.
 */
export type SessionRecord = Member & { readonly requestKey: string; readonly answerKey: string; readonly opened: number; readonly used: boolean };

/** Sessions end by themselves after 90 days; a device opens another at no cost to its owner. */
export const SESSION_MS = 90 * 24 * 60 * 60 * 1000;

/** So many sessions of one device are kept that it used, and besides them so many that nobody used yet; the newest stay. */
const KEPT_USED = 8;
const KEPT_UNUSED = 32;

/** A session with the device whose it is, and whether a request came in it before. */
export type Held = Member & { readonly session: Session; readonly used: boolean };

/** The session of a request whose MAC is true; refuses with `session-unknown` or `session-wrong-mac`. */
export async function authenticate(reading: Reading, id: string, mac: string | undefined, parts: RequestParts, now: number): Promise<Held> {
  const record = /^[A-Za-z0-9_-]{22}$/.test(id) ? await row<SessionRecord>(reading, shelf.sessions, id) : undefined;
  demand(record !== undefined && now - record.opened < SESSION_MS, "session-unknown", "This session is not known here any more.", "Open another one.");
  const session = { id, requestKey: fromBase64url(record.requestKey), answerKey: fromBase64url(record.answerKey) };
  demand(isMac(mac, requestMac(session, parts)), "session-wrong-mac", "The authentication of this request is false.");
  return { session, device: record.device, master: record.master, used: record.used };
}

/** OpenSession: for a device that this portal knows, as member or by its connection request (decision 8.1). */
export async function decideOpenSession(context: Context, request: RequestOf<typeof openSession>): Promise<Plan<ResponseOf<typeof openSession>>> {
  const { member, secret } = await readProposal(request, context.identity.sessionKey);
  const authentication = await authenticationKey(context, member);
  demand(authentication !== undefined, "session-device-unknown", "This portal does not know that device, or it may not enter any more.");
  const { response, session } = await agreeSession(context.identity.profile.payload.id, member, authentication, request, secret);
  const record: SessionRecord = { ...member, answerKey: toBase64url(session.answerKey), opened: context.now, requestKey: toBase64url(session.requestKey), used: false };
  return { response, write: (w) => keep(w, session.id, record) };
}

async function authenticationKey(context: Context, { device, master }: Member) {
  const view = await context.view(master);
  const listed = view === undefined ? undefined : await deviceOf(context, view, device);
  const asking = listed === undefined ? await context.read(async (r) => {
    const requester = await row<{ device: string }>(r, shelf.requesters, `${master}/${device}`);
    return requester === undefined ? undefined : getObject(r, requester.device, deviceProfile);
  }) : undefined;
  // One that was left out once it was disabled is told that it may not, as if it were listed still: a portal that does not know it looks like one that lost something.
  const former = view === undefined || listed !== undefined || asking !== undefined ? undefined : (await context.whole(view)).devices.get(device);
  const profile = listed ?? asking ?? former;
  return profile === undefined ? undefined : encapsulationKey(profile.payload.authenticationKey);
}

/** One row for each session of a device, oldest first: what is to go is found without reading the sessions of others. */
export type SessionRow = { readonly id: string; readonly opened: number; readonly used: boolean };

/** Where the row of a session stands among those of its device, and what it says. */
export const openingKey = ({ master, device, opened }: SessionRecord, id: string): string => `${master}/${device}/${ordinal(opened)}/${id}`;
export const openingOf = ({ opened, used }: SessionRecord, id: string): SessionRow => ({ id, opened, used });

/** Writes a session, and takes away those of the same device that are too old or too many, with the answers kept for them. */
async function keep(w: Writing, id: string, record: SessionRecord): Promise<void> {
  await putRow(w, shelf.sessions, id, record);
  await putRow(w, shelf.openings, openingKey(record, id), openingOf(record, id));
  const all = (await w.list(shelf.openings, `${record.master}/${record.device}/`, { reverse: true })).map(({ key, value }) => ({ key, opening: parseRow<SessionRow>(value) }));
  const kept = new Set([true, false].flatMap((used) => all.filter((one) => one.opening.used === used && record.opened - one.opening.opened < SESSION_MS).slice(0, used ? KEPT_USED : KEPT_UNUSED)));
  for (const { key, opening } of all.filter((one) => !kept.has(one))) {
    await w.remove(shelf.openings, key);
    await forgetSession(w, opening.id);
  }
}

/** Takes a session away with the answers kept for it; its row among the device's sessions is the caller's to take. */
export async function forgetSession(w: Writing, id: string): Promise<void> {
  await w.remove(shelf.sessions, id);
  await forgetAnswers(w, id);
}

/** Notes that the first request came in a session. */
export async function markUsed(w: Writing, id: string): Promise<void> {
  const record = await row<SessionRecord>(w, shelf.sessions, id);
  if (record !== undefined && !record.used) await keep(w, id, { ...record, used: true });
}

/** How many sessions are kept for a device; for operators and tests. */
export async function sessionsOf(reading: Reading, { device, master }: Member): Promise<number> {
  return (await reading.list(shelf.openings, `${master}/${device}/`)).length;
}
