import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { encapsulationKey } from "../profiles/keys.ts";
import { deviceProfile } from "../profiles/device.ts";
import type { DeviceId } from "../profiles/types.ts";
import type { RequestOf, ResponseOf } from "../protocol/command.ts";
import type { openSession } from "../protocol/open-session.ts";
import { agreeSession, COUNTER_WINDOW, isMac, readProposal, requestMac, type RequestParts, type Session } from "../protocol/session.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Reading, Store, Writing } from "../store/store.ts";
import type { Context, Plan } from "./context.ts";
import { getObject, ordinal, putRow, row, shelf } from "./records.ts";

/** A session as it is kept: its keys let their holder ask as the device, but nothing that it asks for changes anything without a signature. */
type SessionRecord = { readonly device: DeviceId; readonly requestKey: string; readonly answerKey: string; readonly opened: number };

/** A write's first answer, given again if the write is sent again (decision 8.1). */
type AnswerRecord = { readonly mac: string; readonly status: number; readonly body: string };

/** Sessions end by themselves after 90 days; a device opens another at no cost to its owner. */
const SESSION_MS = 90 * 24 * 60 * 60 * 1000;

/** A session with the device whose it is. */
export type Held = { readonly session: Session; readonly device: DeviceId };

const KEPT_SESSIONS = 10_000;

/** The sessions of a portal: in the store, with a memory of those used last. */
export class Sessions {
  readonly #store: Store;
  readonly #held = new Map<string, Held & { readonly opened: number }>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The session of a request whose MAC is true; refuses with `session-unknown` or `session-wrong-mac`. */
  async authenticate(id: string, mac: string | undefined, parts: RequestParts, now: number): Promise<Held> {
    const held = this.#held.get(id) ?? (await this.#load(id));
    demand(held !== undefined && now - held.opened < SESSION_MS, "session-unknown", "This session is not known here any more.", "Open another one.");
    demand(isMac(mac, requestMac(held.session, parts)), "session-wrong-mac", "The authentication of this request is false.");
    return held;
  }

  async #load(id: string): Promise<(Held & { readonly opened: number }) | undefined> {
    if (!/^[A-Za-z0-9_-]{22}$/.test(id)) return undefined;
    const record = await this.#store.read((r) => row<SessionRecord>(r, shelf.sessions, id));
    if (record === undefined) return undefined;
    const held = { device: record.device, opened: record.opened, session: { id, requestKey: fromBase64url(record.requestKey), answerKey: fromBase64url(record.answerKey) } };
    this.#held.set(id, held);
    const oldest = this.#held.keys().next();
    if (this.#held.size > KEPT_SESSIONS && !oldest.done) this.#held.delete(oldest.value);
    return held;
  }
}

/** OpenSession: for a device that this portal knows, as member or by its connection request (decision 8.1). */
export async function decideOpenSession(context: Context, request: RequestOf<typeof openSession>): Promise<Plan<ResponseOf<typeof openSession>>> {
  const { device, secret } = await readProposal(request, context.identity.sessionKey);
  const authentication = await authenticationKey(context, device);
  demand(authentication !== undefined, "session-device-unknown", "This portal does not know that device, or it may not enter any more.");
  const { response, session } = await agreeSession(context.identity.profile.payload.id, device, authentication, request, secret);
  const record: SessionRecord = { answerKey: toBase64url(session.answerKey), device, opened: context.now, requestKey: toBase64url(session.requestKey) };
  return { response, write: (w) => putRow(w, shelf.sessions, session.id, record) };
}

async function authenticationKey(context: Context, device: DeviceId) {
  const known = await context.read(async (r) => {
    const member = await row<{ master: string }>(r, shelf.members, device);
    const asking = await row<{ device: string }>(r, shelf.requesters, device);
    const requester = asking === undefined ? undefined : await getObject(r, asking.device, deviceProfile);
    return { member, requester };
  });
  const view = known.member === undefined ? undefined : await context.view(known.member.master as never);
  const profile = view?.devices.get(device) ?? known.requester;
  return profile === undefined ? undefined : encapsulationKey(profile.payload.authenticationKey);
}

/** The answer that a write got when it came first; refuses with `session-counter-reused` another request under its counter, and with `session-counter-old` one below the window. */
export async function firstAnswer(reading: Reading, session: string, counter: number, mac: string): Promise<{ readonly status: number; readonly body: Uint8Array } | undefined> {
  const known = await row<AnswerRecord>(reading, shelf.answers, `${session}/${ordinal(counter)}`);
  if (known !== undefined) {
    demand(known.mac === mac, "session-counter-reused", "Another request was already made under this counter.");
    return { status: known.status, body: fromBase64url(known.body) };
  }
  const highest = (await reading.list(shelf.answers, `${session}/`, { reverse: true, limit: 1 }))[0];
  const top = highest === undefined ? 0 : Number(highest.key.slice(session.length + 1));
  demand(counter > top - COUNTER_WINDOW, "session-counter-old", "This request is older than the portal remembers.");
  return undefined;
}

/** Keeps a write's answer in the write's own transaction, and forgets one that left the window. */
export async function keepAnswer(writing: Writing, session: string, counter: number, mac: string, status: number, body: Uint8Array): Promise<void> {
  const record: AnswerRecord = { body: toBase64url(body), mac, status };
  await putRow(writing, shelf.answers, `${session}/${ordinal(counter)}`, record);
  if (counter > COUNTER_WINDOW) await writing.remove(shelf.answers, `${session}/${ordinal(counter - COUNTER_WINDOW)}`);
}
