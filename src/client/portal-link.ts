import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { concatBytes } from "../bytes/equal.ts";
import type { Digest } from "../envelope/fields.ts";
import { digestOf, type Jws, readSigned, signObject } from "../envelope/signed.ts";
import { logPrefix, policyOf } from "../notary/log-policy.ts";
import { encapsulationKey } from "../profiles/keys.ts";
import { type PortalProfile, portalProfile } from "../profiles/portal.ts";
import type { Correct } from "../profiles/stages.ts";
import type { DeviceId, MasterId, PortalId } from "../profiles/types.ts";
import { correctPortal } from "../profiles/validity.ts";
import { blobDrop, dropBlobs, getBlob, MAX_DROPPED, putBlob } from "../protocol/blobs.ts";
import type { Command } from "../protocol/command.ts";
import { hello } from "../protocol/hello.ts";
import { eventsIn, MAX_EVENT } from "../protocol/events.ts";
import { openSession } from "../protocol/open-session.ts";
import { answerMac, confirmSession, isMac, proposeSession, requestMac, type Session } from "../protocol/session.ts";
import { STREAM_TYPE, watch } from "../protocol/watch.ts";
import { COUNTER_HEADER, decodeCarrying, decodePage, decodeResponse, encodeRequest, MAC_HEADER, RECEIPT_HEADER, SERVICE_PATH, SESSION_HEADER } from "../protocol/wire.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { udfOfKey } from "../udf/udf.ts";
import { holdingPortalTo } from "./blame.ts";
import { type Client, decapsulatorOf, signerOf, type StreamAnswer, type Transport, type TransportAnswer } from "./client.ts";
import { keepReceipt } from "./receipts.ts";

/** What a home keeps of its portal: where it is, who it is, and the TLS key it showed when it was last asked. */
type PortalRow = { readonly url: string; readonly profile: Jws; readonly tlsKey: string };

/** A session as a home keeps it, so that the next command needs none. */
type SessionRow = { readonly id: string; readonly portal: string; readonly requestKey: string; readonly answerKey: string; readonly counter: number };

/** The device in whose name requests are made. */
export type Requester = { readonly device: DeviceId; readonly master: MasterId; readonly authenticationKey: string };

/** What a portal says that is watched: where the mesh stands, and over how many milliseconds to spread coming back. */
export type Told = { readonly revision?: number | undefined; readonly retry?: number | undefined };

/** A portal whose identity has been checked, and the way to ask it. */
export class PortalLink {
  readonly #client: Client;
  readonly #transport: Transport;
  readonly #url: string;
  #profile: Correct<PortalProfile>;

  constructor(client: Client, url: string, transport: Transport, profile: Correct<PortalProfile>) {
    this.#client = client;
    this.#url = url;
    this.#transport = transport;
    this.#profile = profile;
  }

  /** Who the portal is, as it was last asked. */
  get profile(): Correct<PortalProfile> {
    return this.#profile;
  }

  /** Asks the portal who it is now, and says whether that is news: a newer profile under the same pin is taken, an older one is `portal-older-profile`. */
  async renew(): Promise<boolean> {
    const known = this.#profile;
    const { portal } = await this.ask(hello, {});
    const profile = await holdingPortalTo(() => correctPortal(readSigned(portal, portalProfile), known.payload.id));
    demandNewer(profile, known);
    if (profile.digest === known.digest) return false;
    this.#profile = profile;
    await this.#client.rows.transact(async (rows) => {
      const row = await rows.get<PortalRow>("portal", this.#url);
      if (row !== undefined) await rows.put("portal", this.#url, "", { ...row, profile: profile.jws });
    });
    return true;
  }

  /** Asks without a session; for what is public, or signed in itself. */
  async ask<Q, A>(command: Command<Q, A>, request: Q): Promise<A> {
    const answer = await this.#transport.post(SERVICE_PATH, { "content-type": "application/json" }, encodeRequest(command, request));
    const decoded = await holdingPortalTo(async () => decodeResponse(command, answer.body));
    await this.#keepPromise(answer, request);
    return decoded;
  }

  /**
   * Asks in the session of a device, opening one if there is none or the portal forgot it.
   *
   * A write may be asked again under its first counter after a broken connection: the portal answers it once.
   */
  async call<Q, A>(requester: Requester, command: Command<Q, A>, request: Q): Promise<A> {
    return (await this.#callCarrying(requester, command, request)).answer;
  }

  /** Has the portal keep octets (at most 512 KiB) for the mesh; durable there when this returns, once however often it is asked. */
  async putBlob(requester: Requester, octets: Uint8Array): Promise<Digest> {
    const digest = digestOf(octets);
    await this.#callCarrying(requester, putBlob, { digest }, octets);
    return digest;
  }

  /**
   * The blob of a digest and size.
   * @throws MeshError `portal-false-data` for other octets; `blob-unknown` if the portal does not have it: whoever knows that it
   * should makes of it what it is
   */
  async getBlob(requester: Requester, digest: Digest, size: number): Promise<Uint8Array> {
    const { octets } = await this.#callCarrying(requester, getBlob, { digest });
    demand(octets?.length === size && digestOf(octets) === digest, "portal-false-data", "The portal sent other octets than were kept with it.", "Nothing here was changed. It is broken or it cheats; ask its operator, and do not rely on what it says.");
    return octets;
  }

  /** Asks for octets that are checked by whoever knows what they should be. */
  async read<Q>(requester: Requester, command: Command<Q, object>, request: Q): Promise<Uint8Array> {
    return (await this.#callCarrying(requester, command, request)).octets ?? new Uint8Array(0);
  }

  /** Has the portal let go of blobs; those that it does not have, or that were put after a time, are passed over. */
  async dropBlobs(requester: Requester, blobs: readonly Digest[], unlessAfter?: number): Promise<void> {
    for (let at = 0; at < blobs.length; at += MAX_DROPPED) {
      const payload = { blobs: blobs.slice(at, at + MAX_DROPPED), master: requester.master, v: 1 as const, ...(unlessAfter === undefined ? {} : { unlessAfter }) };
      const { jws } = await signObject(blobDrop, payload, signerOf(this.#client.keyring, requester.device));
      await this.call(requester, dropBlobs, { drop: jws });
    }
  }

  async #callCarrying<Q, A>(requester: Requester, command: Command<Q, A>, request: Q, carried?: Uint8Array): Promise<{ readonly answer: A; readonly octets: Uint8Array | undefined }> {
    const body = encodeRequest(command, request, carried);
    for (let tries = 1; ; tries++) {
      const { session, counter } = await this.#nextCounter(requester);
      try {
        const answer = await this.#post(session, counter, body);
        const decoded = await holdingPortalTo(async () => decodeCarrying(command, answer.body));
        await this.#keepPromise(answer, request);
        return decoded;
      } catch (error) {
        if (!isForgotten(error) || tries > 1) throw error;
        await this.#client.rows.transact((rows) => rows.remove("sessions", requester.device, ""));
      }
    }
  }

  /**
   * What the portal says of the mesh for as long as it goes on saying it: the revision at once, and each other one when it is. It ends where the portal ends it.
   *
   * What comes later than the first is authenticated by TLS alone: it says only that there is something to ask for. Errors as `call`; `retry` may come before one.
   */
  async *watch(requester: Requester, bounds: { readonly firstMs: number; readonly silenceMs: number }): AsyncGenerator<Told> {
    const body = encodeRequest(watch, {});
    for (let tries = 1; ; tries++) {
      const { session, counter } = await this.#nextCounter(requester);
      const answer = await this.#transport.stream(SERVICE_PATH, this.#headersOf(session, counter, body), body, bounds);
      try {
        if (answer.headers["content-type"] === STREAM_TYPE) return yield* this.#hear(session, counter, answer);
        const seconds = answer.headers["retry-after"] ?? "";
        if (/^[0-9]{1,6}$/.test(seconds)) yield { retry: Number(seconds) * 1000 };
        const whole = await gathered(answer.pieces);
        this.#checkAnswer(session, counter, { ...answer, body: whole });
        decodeResponse(watch, whole);
        throw new MeshError("answer-malformed", "The portal answered at once what should go on.");
      } catch (error) {
        if (!isForgotten(error) || tries > 1) throw error;
        await this.#client.rows.transact((rows) => rows.remove("sessions", requester.device, ""));
      } finally {
        answer.close();
      }
    }
  }

  async *#hear(session: Session, counter: number, answer: StreamAnswer): AsyncGenerator<Told> {
    let first = true;
    for await (const { data, retry } of eventsIn(answer.pieces)) {
      if (data !== undefined && first) this.#checkAnswer(session, counter, { ...answer, body: data });
      first &&= data === undefined;
      yield { retry, revision: data === undefined ? undefined : (await holdingPortalTo(async () => decodeResponse(watch, data))).revision };
    }
  }

  /** What a log of the portal's serves to anybody at a path below its prefix, the path of its origin; undefined where there is nothing. */
  async readLog(origin: string, path: string): Promise<Uint8Array | undefined> {
    const answer = await this.#transport.get(`${logPrefix(origin)}${path}`, {});
    return holdingPortalTo(async () => decodePage(answer));
  }

  /** The tag under which the portal serves the newest checkpoint of its log: the same as long as that is; undefined where there is none, or it has no tag. */
  async logTag(known: string | undefined): Promise<string | undefined> {
    const { logKeys } = this.profile.payload;
    if (logKeys.length === 0) return undefined;
    const { origin } = await holdingPortalTo(async () => policyOf(logKeys));
    const { headers, status } = await this.#transport.get(`${logPrefix(origin)}checkpoint`, known === undefined ? {} : { "if-none-match": known });
    return status === 304 ? known : status === 200 ? headers["etag"] : undefined;
  }

  /** Lets go of the connection. */
  close(): void {
    this.#transport.close();
  }

  /** Keeps what the portal promised beside an answer, before anybody goes by the answer. */
  async #keepPromise({ headers }: TransportAnswer, request: unknown): Promise<void> {
    const receipt = headers[RECEIPT_HEADER];
    if (receipt !== undefined) await this.#client.rows.transact((rows) => keepReceipt(rows, receipt, request));
  }

  async #post(session: Session, counter: number, body: Uint8Array): Promise<TransportAnswer> {
    const answer = await this.#postTwice(this.#headersOf(session, counter, body), body);
    this.#checkAnswer(session, counter, answer);
    return answer;
  }

  #headersOf(session: Session, counter: number, body: Uint8Array): Record<string, string> {
    const mac = requestMac(session, { portal: this.profile.payload.id, method: "POST", path: SERVICE_PATH, query: "", counter, body });
    return { "content-type": "application/json", [SESSION_HEADER]: session.id, [COUNTER_HEADER]: String(counter), [MAC_HEADER]: mac };
  }

  #checkAnswer(session: Session, counter: number, { status, headers, body }: Omit<TransportAnswer, "peerSpki">): void {
    if (isMac(headers[MAC_HEADER], answerMac(session, { portal: this.profile.payload.id, counter, status, body }))) return;
    // Only a portal that does not know the session cannot authenticate its answer,
    decodeSessionRefusal(body);
    // and a proxy that says in its stead that it is not there.
    if (status >= 502 && status <= 504 && headers[MAC_HEADER] === undefined) throw new MeshError("service-unreachable", `Whoever stands before the portal says that it is not there now (${status}).`, "Try again in a while.");
    throw new MeshError("portal-answer-forged", "The portal's answer is not authentic.", "Do not rely on what it said; run `mesh status`, and tell your portal's operator.");
  }

  /** Sends once more, under the same counter, what met a connection that the other end had closed meanwhile. */
  async #postTwice(headers: Record<string, string>, body: Uint8Array) {
    try {
      return await this.#transport.post(SERVICE_PATH, headers, body);
    } catch (error) {
      if (!(error instanceof MeshError) || error.code !== "service-unreachable") throw error;
      return this.#transport.post(SERVICE_PATH, headers, body);
    }
  }

  async #nextCounter(requester: Requester): Promise<{ readonly session: Session; readonly counter: number }> {
    const portal = this.profile.payload.id;
    const kept = await this.#client.rows.transact(async (rows) => {
      const row = await rows.get<SessionRow>("sessions", requester.device);
      if (row === undefined || row.portal !== portal) return undefined;
      const next = { ...row, counter: row.counter + 1 };
      await rows.put("sessions", requester.device, "", next);
      return next;
    });
    if (kept !== undefined) return { session: { id: kept.id, requestKey: fromBase64url(kept.requestKey), answerKey: fromBase64url(kept.answerKey) }, counter: kept.counter };
    const session = await this.#open(requester);
    const row: SessionRow = { id: session.id, portal, requestKey: toBase64url(session.requestKey), answerKey: toBase64url(session.answerKey), counter: 1 };
    await this.#client.rows.transact((rows) => rows.put("sessions", requester.device, "", row));
    return { session, counter: 1 };
  }

  async #open({ device, master, authenticationKey }: Requester): Promise<Session> {
    const { request, secret } = await proposeSession(encapsulationKey(this.profile.payload.sessionKey), { device, master });
    const response = await this.ask(openSession, request);
    const key = decapsulatorOf(this.#client.keyring, authenticationKey);
    return holdingPortalTo(() => confirmSession(this.profile.payload.id, { device, master }, key, request, secret, response));
  }
}

/** All of an answer to a Watch that is no stream. */
async function gathered(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let whole: Uint8Array = new Uint8Array(0);
  for await (const piece of pieces) {
    whole = concatBytes(whole, piece);
    demand(whole.length <= MAX_EVENT, "service-answer-too-large", "The answer is longer than an answer to this can be.");
  }
  return whole;
}

/** Whether a portal does not know a session any more, and another is to be opened. */
function isForgotten(error: unknown): boolean {
  return error instanceof MeshError && (error.code === "session-unknown" || error.code === "session-wrong-mac" || error.code === "session-counter-old");
}

/** Throws the refusal if the portal says that it does not know the session; anything else is no excuse for a missing MAC. */
function decodeSessionRefusal(body: Uint8Array): void {
  try {
    decodeResponse(hello, body);
  } catch (error) {
    if (error instanceof MeshError && (error.code.startsWith("session-") || error.code.startsWith("service-"))) throw error;
  }
}

/**
 * Meets a portal: asks Hello, checks its profile against the pin and its TLS key against the profile, and sends nothing
 * else before (decision 3.5). Without a pin the system's WebPKI must vouch for the connection; `webPki` says it may.
 *
 * The link returned is a fresh connection that takes no other TLS key.
 */
export async function meetPortal(client: Client, url: string, pin: string | undefined): Promise<PortalLink> {
  const known = await client.rows.read((rows) => rows.get<PortalRow>("portal", url));
  if (known !== undefined) {
    const profile = await correctPortal(readSigned(known.profile, portalProfile), pin);
    const transport = client.connect(url, { spkis: [fromBase64url(known.tlsKey)] });
    return new PortalLink(client, url, new Remeeting(transport, () => greet(client, url, profile.payload.id, profile)), profile);
  }
  const { profile, tlsKey } = await greet(client, url, pin, undefined);
  return new PortalLink(client, url, client.connect(url, { spkis: [tlsKey] }), profile);
}

/** The profile of a portal as this home last saw it. */
export async function knownPortal(client: Client, url: string, pin: string): Promise<Correct<PortalProfile> | undefined> {
  const known = await client.rows.read((rows) => rows.get<PortalRow>("portal", url));
  return known === undefined ? undefined : correctPortal(readSigned(known.profile, portalProfile), pin);
}

function demandNewer(profile: Correct<PortalProfile>, known: Correct<PortalProfile>): void {
  const newer = profile.payload.version > known.payload.version || profile.digest === known.digest;
  demand(newer, "portal-older-profile", "The portal shows an older profile of itself than it did before.", "It was restored from a backup or it cheats; ask its operator.");
}

async function greet(client: Client, url: string, pin: string | undefined, known: Correct<PortalProfile> | undefined): Promise<{ readonly profile: Correct<PortalProfile>; readonly tlsKey: Uint8Array; readonly transport: Transport }> {
  const first = client.connect(url, pin === undefined ? "web-pki" : "any");
  try {
    const answer = await first.post(SERVICE_PATH, { "content-type": "application/json" }, encodeRequest(hello, {}));
    const profile = await correctPortal(readSigned(decodeResponse(hello, answer.body).portal, portalProfile), pin);
    const shown = udfOfKey(answer.peerSpki);
    demand(profile.payload.tlsKeys.some((key) => key === shown), "portal-wrong-identity", "The TLS key of this connection is not one that the portal vouches for.", "Somebody may sit between you and your portal.");
    if (known !== undefined) demandNewer(profile, known);
    await client.rows.transact((rows) => rows.put("portal", url, "", { profile: profile.jws, tlsKey: toBase64url(answer.peerSpki), url }));
    return { profile, tlsKey: answer.peerSpki, transport: client.connect(url, { spkis: [answer.peerSpki] }) };
  } finally {
    first.close();
  }
}

/** A connection to a portal that may have renewed its TLS key: if the one known is gone, it asks Hello again, under the same pin. */
class Remeeting implements Transport {
  #transport: Transport;
  #again: (() => Promise<{ readonly transport: Transport }>) | undefined;

  constructor(transport: Transport, again: () => Promise<{ readonly transport: Transport }>) {
    this.#transport = transport;
    this.#again = again;
  }

  post(path: string, headers: Record<string, string>, body: Uint8Array): Promise<TransportAnswer> {
    return this.#send((transport) => transport.post(path, headers, body));
  }

  get(path: string, headers: Record<string, string>): Promise<TransportAnswer> {
    return this.#send((transport) => transport.get(path, headers));
  }

  stream(path: string, headers: Record<string, string>, body: Uint8Array, bounds: { readonly firstMs: number; readonly silenceMs: number }): Promise<StreamAnswer> {
    return this.#send((transport) => transport.stream(path, headers, body, bounds));
  }

  async #send<A>(ask: (transport: Transport) => Promise<A>): Promise<A> {
    try {
      return await ask(this.#transport);
    } catch (error) {
      const again = this.#again;
      if (!(error instanceof MeshError) || error.code !== "portal-certificate" || again === undefined) throw error;
      this.#again = undefined;
      this.#transport.close();
      this.#transport = (await again()).transport;
      return ask(this.#transport);
    }
  }

  close(): void {
    this.#transport.close();
  }
}

/** The identity of a portal, as its pin. */
export function pinOf(link: PortalLink): PortalId {
  return link.profile.payload.id;
}
