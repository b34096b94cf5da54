import { toBase64url } from "../bytes/base64url.ts";
import type { Recorded } from "../notary/keeping/record.ts";
import type { Hash } from "../notary/merkle.ts";
import { sentHash } from "../notary/receipt.ts";
import { forgetKeys } from "../profiles/keys.ts";
import type { MasterId } from "../profiles/types.ts";
import type { Asker as Wanted, Command, RequestOf } from "../protocol/command.ts";
import { sentIn } from "../protocol/sent.ts";
import { answerMac, MAX_COUNTER } from "../protocol/session.ts";
import { STREAM_TYPE, watch } from "../protocol/watch.ts";
import { COUNTER_HEADER, decodeRequest, decodeResponse, encodeRefusal, encodeResponse, MAC_HEADER, MAX_BODY, RECEIPT_HEADER, SERVICE_PATH, SESSION_HEADER, statusOf } from "../protocol/wire.ts";
import type { Code } from "../refusals/codes.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import type { Reading, Store } from "../store/store.ts";
import { type Asker, askerFor, type Context, type Identity, type Plan } from "./context.ts";
import { decisions } from "./dispatch.ts";
import { Buckets, networkOf, type Policy } from "./limits.ts";
import { recordedIn, runOf, writeLogged } from "./logged.ts";
import { answerUnder, firstAnswer, type Given, keepAnswer } from "./answers.ts";
import { authenticate, type Held, markUsed } from "./sessions.ts";
import { Turns } from "./turns.ts";
import { openAt, type View } from "./view.ts";
import { Views } from "./views.ts";
import { type Stream, Watching } from "./watching.ts";
import { type WatchLimits, watchLimits } from "./watchers.ts";

/** A request as the shell hands it in; `remote` is the address it comes from. */
export type PortalRequest = { readonly method: string; readonly path: string; readonly query: string; readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array; readonly remote: string };

/** What goes back: a status, headers, and the octets of the body. */
export type PortalAnswer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array; /** What goes on behind the body, until either side ends it. */ readonly stream?: Stream };

/** What a portal tells its operator of each request: no address, name, identifier or secret (decision 8.4). */
export type PortalEvent = { readonly command: string; readonly outcome: "ok" | "repeated" | Code; readonly ms: number };

/** What a portal is made of; `receipts` signs for what its log was told, if its log has keys. */
export type PortalParts = { readonly store: Store; readonly receipts?: { of(recorded: readonly Recorded[], sent: Hash): Promise<Uint8Array | undefined> } | undefined; readonly identity: Identity; readonly policy: Policy; readonly watchLimits?: WatchLimits; readonly now: () => number; /** Milliseconds with fractions, from any beginning: how long requests take. */ readonly ticks?: () => number; readonly log?: (event: PortalEvent, fault?: unknown) => void };

/** A request that was read, with what it was found to be about, if it came in a session that was shown to be true. */
type Opened = { readonly command: Command<unknown, unknown>; readonly content: unknown; readonly session: InSession | undefined };
type InSession = { readonly held: Held; readonly counter: number; readonly mac: string; readonly found: Found };

/** What a request is judged by: its asker's mesh, and the answer that it got when it came before. */
type Found = { readonly view: View | undefined; readonly given: Given | undefined };

/** An answer, whether it was given before, and where the log tells of what it did. */
type Answered = { readonly status: number; readonly body: Uint8Array; readonly repeated: boolean; readonly recorded: readonly Recorded[] };

const CONFLICT_TRIES = 8;

/** A portal: a mailbox and a notary that need not be trusted (draft §3.4, §6). Requests walk one way: limits, parse, authenticate, decide, one transaction, answer. */
export class Portal {
  readonly #parts: PortalParts;
  readonly #views: Views;
  readonly #anonymous: Buckets;
  readonly #beginnings: Buckets;
  readonly #writes: Buckets;
  readonly #turns = new Turns();
  /** Who is told when a mesh changes. */
  readonly watching: Watching;

  constructor(parts: PortalParts) {
    this.#parts = parts;
    this.#views = new Views(parts.store);
    this.#anonymous = new Buckets(parts.policy.anonymousPerMinute, 60_000);
    this.#beginnings = new Buckets(parts.policy.beginningsPerMinute, 60_000);
    this.#writes = new Buckets(parts.policy.writesPerHour, 3_600_000);
    this.watching = new Watching({ store: parts.store, views: this.#views, limits: parts.watchLimits ?? watchLimits, now: parts.now });
  }

  /** Forgets what it keeps in memory to be quick. */
  forget(): void {
    this.#views.forget();
    forgetKeys();
  }

  /** Answers one request; never throws, whatever the request. */
  async handle(request: PortalRequest): Promise<PortalAnswer> {
    const ticks = this.#parts.ticks ?? this.#parts.now;
    const started = ticks();
    const state: { command: string; held: Held | undefined; counter: number } = { command: "-", held: undefined, counter: 0 };
    const finish = (status: number, body: Uint8Array, outcome: PortalEvent["outcome"], fault?: unknown, receipt?: Uint8Array): PortalAnswer => {
      this.#parts.log?.({ command: state.command, outcome, ms: ticks() - started }, fault);
      const mac = state.held === undefined ? undefined : answerMac(state.held.session, { portal: this.#parts.identity.profile.payload.id, counter: state.counter, status, body });
      return { status, body, headers: { "content-type": "application/json", ...laterAt(status), ...(mac === undefined ? {} : { [MAC_HEADER]: mac }), ...(receipt === undefined ? {} : { [RECEIPT_HEADER]: toBase64url(receipt) }) } };
    };
    try {
      demand(request.method === "POST" && request.path === SERVICE_PATH, "request-malformed", "Requests are POSTs to the service's one path.");
      demand(request.body.length <= MAX_BODY, "json-too-large", "A request has at most 1 MiB.");
      const opened = await this.#open(request, state);
      if (opened.command.name === watch.name) return await this.#watch(opened, request, finish);
      const { status, body, repeated, recorded } = await this.#answer(opened, request);
      const receipt = recorded.length === 0 ? undefined : await this.#parts.receipts?.of(recorded, sentHash(sentIn(opened.content)));
      return finish(status, body, repeated ? "repeated" : "ok", undefined, receipt);
    } catch (error) {
      // What ails a portal's store is its operator's business; whoever asks is told only whether to ask again.
      if (error instanceof MeshError && error.code === "store-busy") return finish(503, encodeRefusal("service-busy", "The portal is busy; ask again."), "service-busy");
      if (error instanceof MeshError && error.code === "store-unreachable") return finish(503, encodeRefusal("service-busy", "The portal's database is away; ask again later."), error.code, error);
      if (error instanceof MeshError && error.code === "store-clock-off") return finish(503, encodeRefusal("service-busy", "The portal's clock is off; ask again later."), error.code, error);
      if (error instanceof MeshError && (error.code === "store-full" || error.code === "store-read-only")) return finish(503, encodeRefusal("service-full", "The portal's disk takes nothing now; its operator's log says why."), error.code, error);
      if (error instanceof MeshError && /^(store|internal)/.test(error.code)) return finish(500, encodeRefusal("service-internal", "Something went wrong in the portal."), error.code, error);
      if (error instanceof MeshError) return finish(statusOf(error.code), encodeRefusal(error.code, error.message), error.code);
      return finish(500, encodeRefusal("service-internal", "Something went wrong in the portal."), "service-internal", error);
    }
  }

  /** A Watch is answered like anything, and then goes on: as a stream behind the answer, or by an answer that waits. */
  async #watch(opened: Opened, request: PortalRequest, finish: (status: number, body: Uint8Array, outcome: PortalEvent["outcome"]) => PortalAnswer): Promise<PortalAnswer> {
    const { status, body } = await this.#answer(opened, request);
    const { session } = opened;
    const { after } = opened.content as RequestOf<typeof watch>;
    const { revision } = decodeResponse(watch, body);
    if (session === undefined) return finish(status, body, "ok");
    const who = { member: session.held, session: session.held.session.id, network: networkOf(request.remote), revision };
    if (after === undefined) {
      const { first, stream } = this.watching.stream(who, body);
      // What is authenticated is the answer, not the event around it.
      const { headers } = finish(status, body, "ok");
      return { status, body: first, headers: { ...headers, "content-type": STREAM_TYPE, "x-accel-buffering": "no" }, stream };
    }
    const told = revision === after ? await this.watching.next(who) : revision;
    return finish(status, encodeResponse(watch, { revision: told }), "ok");
  }

  async #open(request: PortalRequest, state: { command: string; held: Held | undefined; counter: number }): Promise<Opened> {
    const id = request.headers[SESSION_HEADER];
    if (id === undefined) {
      this.#countStranger(request.remote);
      const { command, request: content } = decodeRequest(request.body);
      state.command = command.name;
      return { command, content, session: undefined };
    }
    const counter = Number(request.headers[COUNTER_HEADER]);
    demand(Number.isSafeInteger(counter) && counter > 0 && counter <= MAX_COUNTER, "request-malformed", "A request in a session has a counter.");
    const mac = request.headers[MAC_HEADER] ?? "";
    const parts = { portal: this.#parts.identity.profile.payload.id, method: request.method, path: request.path, query: request.query, counter, body: request.body };
    // All in one snapshot, since asking for one costs as much as what is read in it.
    const opened = await this.#parts.store.read(async (r) => {
      state.held = await authenticate(r, id, mac, parts, this.#parts.now()).catch((error: unknown) => {
        // Whoever shows no true session is a stranger, whatever the header says.
        this.#countStranger(request.remote);
        throw error;
      });
      state.counter = counter;
      const { command, request: content } = decodeRequest(request.body);
      state.command = command.name;
      const session = { held: state.held, counter, mac };
      return { command, content, session: { ...session, found: await this.#find(r, command, session) } };
    });
    if (!opened.session.held.used) {
      await this.#parts.store.transact((w) => markUsed(w, id));
      // An older session of the device may have had to go.
      void this.watching.changed(opened.session.held.master);
    }
    return opened;
  }

  async #find(reading: Reading, command: Command<unknown, unknown>, { held, counter, mac }: Omit<InSession, "found">): Promise<Found> {
    const view = await this.#views.at(reading, held.master as MasterId);
    return { view, given: command.writes ? await firstAnswer(reading, held.session.id, counter, mac) : undefined };
  }

  #countStranger(remote: string): void {
    demand(this.#anonymous.take(networkOf(remote), this.#parts.now()), "service-rate-limited", "Too many requests from this address; wait a minute.");
  }

  async #answer({ command, content, session }: Opened, request: PortalRequest): Promise<Answered> {
    if (command.asker === "anyone" && command.writes && command.name !== "OpenSession") {
      demand(this.#beginnings.take(`${command.name} ${networkOf(request.remote)}`, this.#parts.now()), "service-rate-limited", "Too many requests of this kind from this address; wait a minute.");
    }
    if (session === undefined || !command.writes) return this.#settle(command, content, request, session, session?.found);
    return this.#turns.take(session.held.master, (waited) => this.#settle(command, content, request, session, waited ? undefined : session.found));
  }

  async #settle(command: Command<unknown, unknown>, content: unknown, request: PortalRequest, session: InSession | undefined, found: Found | undefined): Promise<Answered> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once(command, content, request, session, tries === 1 ? found : undefined, tries === 1);
      } catch (error) {
        // Another batch of the same mesh got in first: judge this one again, against the mesh as it is now.
        if (!(error instanceof MeshError) || error.code !== "account-changed" || tries === CONFLICT_TRIES) throw error;
      }
    }
  }

  async #once(command: Command<unknown, unknown>, content: unknown, request: PortalRequest, session: InSession | undefined, before: Found | undefined, first: boolean): Promise<Answered> {
    const { store, identity, policy } = this.#parts;
    const now = this.#parts.now();
    const keptView = (id: MasterId) => this.#views.get(id);
    const view = async (id: MasterId) => openAt(await keptView(id), now);
    const world = { identity, policy, now, local: isLoopback(request.remote), read: store.read.bind(store), view, keptView, whole: (of: View) => this.#views.whole(of) };
    const found = session === undefined ? undefined : (before ?? (await store.read((r) => this.#find(r, command, session))));
    const asker: Asker = session === undefined ? { kind: "anyone" } : await askerFor(session.held, openAt(found?.view, now), world);
    allow(command.asker, asker, session !== undefined);
    if (session !== undefined && command.writes) {
      if (found?.given !== undefined) return this.#again(found.given);
      const owner = asker.kind === "member" ? asker.view.id : session.held.device;
      demand(!first || this.#writes.take(owner, now), "service-rate-limited", "This account has made too many changes this hour.");
    }
    const context: Context = { ...world, asker };
    const decide = decisions[command.name];
    demand(decide !== undefined, "request-unknown-command", "This portal does not know that command.");
    const plan = await decide(context, content as never);
    const body = encodeResponse(command, plan.response, plan.octets);
    return { status: 200, body, repeated: false, recorded: await this.#write(plan, command, session, body) };
  }

  async #again({ status, body, entries }: Given): Promise<Answered> {
    const recorded = entries === undefined ? [] : await this.#parts.store.read((r) => recordedIn(r, entries));
    return { status, body, repeated: true, recorded };
  }

  async #write(plan: Plan<unknown>, command: Command<unknown, unknown>, session: InSession | undefined, body: Uint8Array): Promise<readonly Recorded[]> {
    const keep = command.writes && session !== undefined;
    if (plan.write === undefined && !keep) return [];
    const recorded = await this.#parts.store.transact(async (w) => {
      // What changes a mesh is held to its revision anyway.
      if (keep && plan.changed === undefined) demand((await answerUnder(w, session.held.session.id, session.counter)) === undefined, "account-changed", "This request is being answered already.");
      await plan.write?.(w);
      const said = plan.logged === undefined ? [] : await writeLogged(w, plan.logged);
      if (keep) await keepAnswer(w, session.held.session.id, session.counter, session.mac, { status: 200, body, entries: runOf(said) });
      return said;
    });
    if (plan.changed !== undefined) {
      this.#views.set(plan.changed);
      void this.watching.changed(plan.changed.id);
    }
    return recorded;
  }
}

function allow(wanted: Wanted, asker: Asker, inSession: boolean): void {
  if (wanted === "anyone") return;
  demand(inSession, "session-required", "This command needs a session.");
  const good = wanted === "requester" ? asker.kind !== "anyone" : asker.kind === "member" && (wanted === "member" || asker.role === "admin");
  demand(good, "request-not-allowed", "This device may not do that.");
}

/** When to ask again, of what may be asked again: RFC 9110 §10.2.3. A bucket fills within a minute, and what was busy is so for a while. */
function laterAt(status: number): Readonly<Record<string, string>> {
  return status === 429 ? { "retry-after": "60" } : status === 503 ? { "retry-after": "10" } : {};
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}
