import { standBack } from "../../src/cli/stand-back.ts";
import { type DecapsulationKey, generateDecapsulationKey, generateSigningKey, type SigningKey } from "../../src/crypto/key-pair.ts";
import { sign } from "../../src/crypto/sign.ts";
import { type Client, makeClient, type Transport } from "../../src/client/client.ts";
import { randomBytes } from "../../src/crypto/random.ts";
import { digestOf, signObject, type Signer } from "../../src/envelope/signed.ts";
import { openMemoryKeyring } from "../../src/keyring/memory.ts";
import type { OpenKeyring } from "../../src/keyring/keyring.ts";
import { defaultPolicy, type Policy } from "../../src/portal/limits.ts";
import { Portal, type PortalAnswer, type PortalEvent, type PortalParts, type PortalRequest } from "../../src/portal/portal.ts";
import { encapsulationJwk, signatureJwk } from "../../src/profiles/keys.ts";
import { type PortalProfile, portalProfile } from "../../src/profiles/portal.ts";
import { correctPortal } from "../../src/profiles/validity.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { type Udf, udfOf, udfOfKey } from "../../src/udf/udf.ts";
import { stretchOnce } from "./stretched-once.ts";

stretchOnce();

/** A signer by a key that is at hand. */
export function signerWith(key: SigningKey): Signer {
  return { kid: udfOfKey(key.publicKey.spki), sign: (message) => sign(key, message) };
}

/** Everything a portal sees and answers may be changed on its way, to play a portal that cheats. */
export type Meddler = { request?: (request: PortalRequest) => PortalRequest | Promise<PortalRequest>; answer?: (request: PortalRequest, answer: PortalAnswer) => PortalAnswer | Promise<PortalAnswer> };

/** The keys that make a portal who it is. */
export type PortalKeys = { readonly identity: SigningKey; readonly session: DecapsulationKey; readonly tls: Uint8Array };

/** A real portal without sockets, on a clock that a test moves. */
export type TestPortal = {
  readonly portal: Portal;
  readonly keys: PortalKeys;
  readonly store: Store;
  readonly url: string;
  readonly pin: string;
  readonly tlsKey: Uint8Array;
  readonly clock: { now: number };
  readonly meddler: Meddler;
  /** What its log serves, where a test gives it one. */
  readonly pages: { get?: (path: string) => Promise<Uint8Array | undefined> };
  readonly events: PortalEvent[];
  readonly faults: unknown[];
  readonly counters: { up: number; down: number; requests: number };
};

/** What a test may want otherwise of a portal. */
export type PortalOptions = { readonly policy?: Partial<Policy>; readonly keys?: PortalKeys; readonly clock?: { now: number }; readonly profile?: Partial<PortalProfile>; readonly receipts?: PortalParts["receipts"]; readonly watchLimits?: PortalParts["watchLimits"] };

/** Starts a portal for a domain, over a store that outlives it if one is given. */
export async function startPortal(domain = "example.com", store: Store = openMemoryStore(), options: PortalOptions = {}): Promise<TestPortal> {
  const keys = options.keys ?? { identity: generateSigningKey(), session: generateDecapsulationKey(), tls: randomBytes(91) };
  const pin = udfOfKey<"portal">(keys.identity.publicKey.spki);
  const payload = { domains: [domain], id: pin, identityKey: signatureJwk(keys.identity.publicKey), logKeys: [], sessionKey: encapsulationJwk(keys.session.publicKey), tlsKeys: [udfOf("application/pkix-keyinfo", keys.tls) as Udf<"tls-key">], v: 1 as const, version: 1, ...options.profile };
  const profile = await correctPortal(await signObject(portalProfile, payload, signerWith(keys.identity)), pin);
  const clock = options.clock ?? { now: Date.parse("2026-06-01T12:00:00Z") };
  const events: PortalEvent[] = [];
  const faults: unknown[] = [];
  const log = (event: PortalEvent, fault?: unknown): void => {
    events.push(event);
    if (fault !== undefined) faults.push(fault);
    if (fault !== undefined && process.env["MESH_DEBUG"] !== undefined) console.error(fault);
  };
  const policy = { ...defaultPolicy, creation: "open" as const, anonymousPerMinute: 100_000, beginningsPerMinute: 100_000, ...options.policy };
  const portal = new Portal({ store, identity: { profile, jws: profile.jws, sessionKey: keys.session }, policy, receipts: options.receipts, ...(options.watchLimits === undefined ? {} : { watchLimits: options.watchLimits }), now: () => clock.now, log });
  return { portal, keys, store, url: `https://${domain}`, pin, tlsKey: keys.tls, clock, meddler: {}, pages: {}, events, faults, counters: { up: 0, down: 0, requests: 0 } };
}

/** A way to a portal that is in this process. */
export function transportTo(to: TestPortal, remote = "192.0.2.1"): Transport {
  const streams: { close(): void }[] = [];
  return {
    async post(path, headers, body) {
      const sent: PortalRequest = { method: "POST", path, query: "", headers, body, remote };
      to.counters.up += body.length + 300;
      to.counters.requests += 1;
      const request = (await to.meddler.request?.(sent)) ?? sent;
      const given = await to.portal.handle(request);
      const answer = (await to.meddler.answer?.(request, given)) ?? given;
      to.counters.down += answer.body.length + 300;
      return { ...answer, peerSpki: to.tlsKey };
    },
    async get(path, headers) {
      to.counters.requests += 1;
      const page = await to.pages.get?.(path);
      if (page === undefined) return { status: 404, headers: {}, body: new Uint8Array(0), peerSpki: to.tlsKey };
      const etag = digestOf(page);
      return { status: headers["if-none-match"] === etag ? 304 : 200, headers: { etag }, body: headers["if-none-match"] === etag ? new Uint8Array(0) : page, peerSpki: to.tlsKey };
    },
    async stream(path, headers, body, { firstMs, silenceMs }) {
      const sent: PortalRequest = { method: "POST", path, query: "", headers, body, remote };
      const request = (await to.meddler.request?.(sent)) ?? sent;
      const given = await to.portal.handle(request);
      const answer = (await to.meddler.answer?.(request, given)) ?? given;
      const goesOn = piecesOf(answer, firstMs, silenceMs);
      streams.push(goesOn);
      return { status: answer.status, headers: answer.headers, peerSpki: to.tlsKey, ...goesOn };
    },
    close() {
      for (const stream of streams.splice(0)) stream.close();
    },
  };
}

/** What an answer goes on with, as whoever reads it hears it. */
function piecesOf({ body, stream }: PortalAnswer, firstMs: number, silenceMs: number): { readonly pieces: AsyncIterable<Uint8Array>; close(): void } {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(undefined, { highWaterMark: 1_000 }, { highWaterMark: 1_000 });
  const writer = writable.getWriter();
  const end = (): void => void writer.close().catch(() => {});
  void writer.write(body).catch(() => {});
  const begun = stream?.({ send: (octets) => void writer.write(octets).catch(() => {}), end });
  if (begun === undefined) end();
  const close = (): void => {
    begun?.gone();
    void writer.abort(new MeshError("service-unreachable", "The connection was closed on this side.")).catch(() => {});
  };
  async function* pieces(): AsyncGenerator<Uint8Array> {
    const reader = readable.getReader();
    for (let ms = firstMs; ; ms = silenceMs) {
      const timer = setTimeout(() => void writer.abort(new MeshError("service-timeout", "Nothing came in time.")), ms);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  }
  return { pieces: pieces(), close };
}

/** A device of a test: its client, its keyrings, its store, and the portal to which its requests go, which a test may exchange. */
export type TestDevice = { readonly client: Client; readonly keyring: OpenKeyring; readonly master: OpenKeyring; readonly store: Store; portal: TestPortal; /** What it kept against its portal. */ readonly evidence: Uint8Array[] };

/** What a test may want otherwise of a device. */
export type DeviceOptions = { readonly holdsMaster?: boolean; readonly store?: Store; readonly keyring?: OpenKeyring; readonly master?: OpenKeyring; readonly now?: () => number; readonly remote?: string };

/** A device with nothing on it yet; `portal` is where all its requests go. */
export function newDevice(portal: TestPortal, options: DeviceOptions = {}): TestDevice {
  const keyring = options.keyring ?? openMemoryKeyring();
  const master = options.master ?? openMemoryKeyring();
  const store = options.store ?? openMemoryStore();
  const connect = (): Transport => transportTo(device.portal, options.remote);
  const evidence: Uint8Array[] = [];
  const keepEvidence = async (octets: Uint8Array): Promise<string> => `number ${evidence.push(octets)}`;
  const client = makeClient({ store, keyring, keepEvidence, now: options.now ?? (() => device.portal.clock.now), connect, standBack, masterKeyring: async () => (options.holdsMaster === true ? master : undefined) });
  const device: TestDevice = { client, keyring, master, store, portal, evidence };
  return device;
}
