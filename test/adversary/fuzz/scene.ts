import { makeClient, type Self, type Transport } from "../../../src/client/client.ts";
import { logKeyTexts } from "../../../src/cli/portal/log-keys.ts";
import type { LogKeeper } from "../../../src/notary/keeping/log-keeper.ts";
import { Receipts } from "../../../src/notary/keeping/receipts.ts";
import { shelf } from "../../../src/portal/records.ts";
import { forget } from "../../../src/portal/upkeep/forget.ts";
import { purge } from "../../../src/portal/upkeep/purge.ts";
import type { PortalAnswer, PortalRequest } from "../../../src/portal/portal.ts";
import { parseJson } from "../../../src/bytes/json.ts";
import { standBack } from "../../../src/cli/stand-back.ts";
import { openMemoryKeyring } from "../../../src/keyring/memory.ts";
import type { Store } from "../../../src/store/store.ts";
import { splitOctets } from "../../../src/protocol/octets.ts";
import { startPortal, type TestDevice, type TestPortal } from "../../support/world.ts";
import { authentic } from "../cheating.ts";
import { type Copyable, copyOfKeyring } from "../restarting.ts";
import { beginLog, logOver, signers } from "../log-doubles.ts";
import { acknowledgedIn, isContradiction } from "./judge.ts";
import type { Prepared } from "./prepared.ts";

/** One request as the portal hears it: its octets, and what they say. */
export type Heard = { readonly who: string; readonly command: string; readonly content: unknown; readonly octets: PortalRequest };

/** A state that a portal shows: the true one, an older one, or one that some devices see and others do not. */
export type Face = { readonly portal: TestPortal; readonly store: Copyable };

/** What answers a request: the portal as it is, or as a trick makes it. */
export type Answering = (heard: Heard) => Promise<PortalAnswer>;

/** A trick as it is played now: it answers in the place of what would be answered without it. */
export type Trick = (heard: Heard, honestly: Answering) => Promise<PortalAnswer>;

/**
 * What an omniscient witness says of an operation: `false` if the portal told something that contradicts what it showed before or that
 * nobody made, `service` if it was silent or refused.
 */
export type Mark = "false" | "service";

/**
 * One run: a portal, devices, and everything between them in the hands of whoever runs the portal.
 *
 * He holds its database and its keys, so whatever he answers is authenticated as the portal's. Nothing here reads a key of a device.
 */
export class Scene {
  readonly prepared: Prepared;
  readonly truth: Face;
  readonly devices = new Map<string, TestDevice>();
  /** Which face each device is shown; the true one if none is named. */
  readonly shown = new Map<string, Face>();
  readonly faces: Face[] = [];
  /** The tricks played now, by the devices they are played on. */
  tricks: { readonly against: string; readonly trick: Trick }[] = [];
  /** What was marked since the operation began. */
  readonly marks = new Set<Mark>();
  /** Whether any trick ever did anything. */
  touched = false;
  /** The mesh that all is about; none before somebody makes it. */
  master: string;
  /** The words that each device that asks to join shows, and those that are shown for it once it was accepted. */
  readonly words = new Map<string, { readonly request: string; readonly answer?: string }>();
  /** Every answer that was given, by device and command, for whoever replays. */
  readonly said = new Map<string, PortalAnswer[]>();
  /** Digests of what the portal said it had taken, by the device that was told so. */
  readonly acknowledged = new Map<string, Set<string>>();
  /** What keeps the portal's log, where it has one. */
  readonly #keeper: Pick<LogKeeper, "save"> | undefined;
  /** What is being answered. */
  readonly #underway = new Set<Promise<PortalAnswer>>();
  /** All that the portal heard. */
  readonly heard: Heard[] = [];

  constructor(prepared: Prepared, truth: Face, keeper?: Pick<LogKeeper, "save">) {
    this.prepared = prepared;
    this.#keeper = keeper;
    this.master = prepared.master;
    this.truth = truth;
    this.faces.push(truth);
  }

  /** Begins a run with copies of everything; `logged` has the portal begin a log there, to which it tells what it held before, and which devices follow from then on. */
  static async begin(prepared: Prepared, logged = false): Promise<Scene> {
    const { moment } = prepared;
    const store = await moment.portalStore.copy();
    const clock = { now: moment.now };
    const policy = { beginningsPerMinute: 1e9, writesPerHour: 1e9 };
    if (logged) await beginLog(store);
    const log = logged ? await logOver(store, () => clock.now) : undefined;
    const withLog = log === undefined ? {} : { profile: { logKeys: logKeyTexts(signers), version: 2 }, receipts: new Receipts({ keeper: log.keeper, now: () => clock.now, origin: signers.origin, signer: signers.note }) };
    const portal = await startPortal("example.com", store, { keys: moment.keys, clock, policy, ...withLog });
    if (log !== undefined) portal.pages.get = log.pages;
    const scene = new Scene(prepared, { portal, store }, log?.keeper);
    for (const [name, kept] of Object.entries(moment.kept)) {
      const home = await kept.store.copy();
      const keyring = await copyOfKeyring(kept.keyring);
      const master = kept.options.holdsMaster === true ? await copyOfKeyring(kept.master) : openMemoryKeyring();
      const client = makeClient({ store: home, keyring, now: () => portal.clock.now, connect: () => scene.#transport(name), standBack, masterKeyring: async () => (kept.options.holdsMaster === true ? master : undefined) });
      scene.devices.set(name, { client, keyring, master, store: home, portal, evidence: [] });
    }
    return scene;
  }

  device(name: string): TestDevice {
    const device = this.devices.get(name);
    if (device === undefined) throw new RangeError(name);
    return device;
  }

  /** Notes which mesh a device has made, or is making. */
  async found(who: string): Promise<void> {
    this.master = (await this.selfOf(who))?.master ?? this.master;
  }

  /** Who a device says that it is; nobody before it joins, or after it left. */
  selfOf(who: string): Promise<Self | undefined> {
    return this.device(who).client.rows.read((rows) => rows.get<Self>("self", "self"));
  }

  /** Lets hours go by; portals tidy up meanwhile, whatever they show. */
  async wait(hours: number): Promise<void> {
    const { clock } = this.truth.portal;
    clock.now += hours * 3_600_000;
    for (const { store } of this.faces) {
      await purge(store, clock.now, async () => this.#keeper?.save());
      await forget(store, clock.now);
    }
  }

  faceOf(who: string): Face {
    return this.shown.get(who) ?? this.truth;
  }

  /** A face of its own over a copy of a state. */
  async open(store: Copyable): Promise<Face> {
    const portal = await startPortal("example.com", store, { keys: this.truth.portal.keys, clock: this.truth.portal.clock, policy: { beginningsPerMinute: 1e9, writesPerHour: 1e9 } });
    const face = { portal, store };
    this.faces.push(face);
    return face;
  }

  mark(mark: Mark): void {
    this.marks.add(mark);
    this.touched = true;
  }

  /** An answer with a body of one's choice, authenticated as the portal's. */
  async authentic(heard: Heard, body: Uint8Array): Promise<PortalAnswer> {
    this.touched = true;
    const { portal } = this.faceOf(heard.who);
    // Without a session there is nothing to authenticate an answer by.
    const known = heard.octets.headers["mesh-session"] === undefined || (await hasSession(portal.store, heard));
    return known ? authentic(portal, heard.octets, body) : portal.portal.handle(heard.octets);
  }

  #transport(who: string): Transport {
    return {
      post: async (path, headers, body) => {
        const octets: PortalRequest = { method: "POST", path, query: "", headers, body, remote: "192.0.2.1" };
        const heard: Heard = { who, octets, ...memberOf(body) };
        this.heard.push(heard);
        const answering = this.#answer(heard).finally(() => this.#underway.delete(answering));
        this.#underway.add(answering);
        return { ...(await answering), peerSpki: this.truth.portal.tlsKey };
      },
      get: async (path) => {
        const page = await this.truth.portal.pages.get?.(path);
        return { status: page === undefined ? 404 : 200, headers: {}, body: page ?? new Uint8Array(0), peerSpki: this.truth.portal.tlsKey };
      },
      stream: () => Promise.reject(new Error("a portal without sockets streams nothing")),
      close: () => undefined,
    };
  }

  /** Begins to mark anew, once all is answered that whoever gave up in the middle had asked at once. */
  async quiet(): Promise<void> {
    while (this.#underway.size > 0) await Promise.allSettled(this.#underway);
    this.marks.clear();
  }

  async #answer(heard: Heard): Promise<PortalAnswer> {
    const honestly: Answering = (asked) => this.faceOf(asked.who).portal.portal.handle(asked.octets);
    const all = this.tricks.filter(({ against }) => against === "all" || against === heard.who);
    const answer = await all.reduce<Answering>((inner, { trick }) => (asked) => trick(asked, inner), honestly)(heard);
    await this.#note(heard, answer);
    return answer;
  }

  async #note(heard: Heard, answer: PortalAnswer): Promise<void> {
    // Whoever was once let in is known from then on.
    if (answer.status === 404 && refusalIn(answer) === "session-device-unknown" && (await this.selfOf(heard.who))?.state === "connected") this.mark("false");
    if (answer.status !== 200 || !saysYes(heard, answer)) return;
    const key = `${heard.who} ${heard.command}`;
    this.said.set(key, [...(this.said.get(key) ?? []), answer]);
    for (const digest of acknowledgedIn(heard)) this.acknowledged.set(heard.who, new Set([...(this.acknowledged.get(heard.who) ?? []), digest]));
    if (heard.command !== "Status" || !this.touched) return;
    if (await isContradiction(this, heard.who, answer)) this.mark("false");
  }
}

/** Whether an answer can be read as one that the command has; a refusal is none, nor half an answer. */
export function saysYes({ command }: Heard, { body }: PortalAnswer): boolean {
  try {
    return memberOf(body).command === `${command}Response`;
  } catch {
    return false;
  }
}

function refusalIn({ body }: PortalAnswer): unknown {
  return (memberOf(body).content as { readonly code?: unknown } | undefined)?.code;
}

async function hasSession(store: Store, heard: Heard): Promise<boolean> {
  return (await store.read((r) => r.get(shelf.sessions, heard.octets.headers["mesh-session"] ?? ""))) !== undefined;
}

/** The one member of a body. */
export function memberOf(body: Uint8Array): { readonly command: string; readonly content: unknown } {
  const value = parseJson(splitOctets(body).text, { maxBytes: 8 << 20 });
  const [command = "", content] = Object.entries(value as object)[0] ?? [];
  return { command, content };
}
