import { generateDecapsulationKey, generateSigningKey, type SigningKey } from "../../src/crypto/key-pair.ts";
import { sign } from "../../src/crypto/sign.ts";
import { type Client, makeClient, type Transport } from "../../src/client/client.ts";
import { randomBytes } from "../../src/crypto/random.ts";
import { signObject, type Signer } from "../../src/envelope/signed.ts";
import { openMemoryKeyring } from "../../src/keyring/memory.ts";
import type { Keyring } from "../../src/keyring/keyring.ts";
import { defaultPolicy } from "../../src/portal/limits.ts";
import { Portal, type PortalAnswer, type PortalEvent, type PortalRequest } from "../../src/portal/portal.ts";
import { encapsulationJwk, signatureJwk } from "../../src/profiles/keys.ts";
import { portalProfile } from "../../src/profiles/portal.ts";
import { correctPortal } from "../../src/profiles/validity.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { type Udf, udfOf, udfOfKey } from "../../src/udf/udf.ts";

/** A signer by a key that is at hand. */
export function signerWith(key: SigningKey): Signer {
  return { kid: udfOfKey(key.publicKey.spki), sign: (message) => sign(key, message) };
}

/** Everything a portal sees and answers may be changed on its way, to play a portal that cheats. */
export type Meddler = { request?: (request: PortalRequest) => PortalRequest | Promise<PortalRequest>; answer?: (request: PortalRequest, answer: PortalAnswer) => PortalAnswer | Promise<PortalAnswer> };

/** A real portal without sockets, on a clock that a test moves. */
export type TestPortal = { readonly portal: Portal; readonly store: Store; readonly url: string; readonly pin: string; readonly tlsKey: Uint8Array; readonly clock: { now: number }; readonly meddler: Meddler; readonly events: PortalEvent[]; readonly counters: { up: number; down: number; requests: number } };

/** Starts a portal for a domain, over a store that outlives it if one is given. */
export async function startPortal(domain = "example.com", store: Store = openMemoryStore()): Promise<TestPortal> {
  const identityKey = generateSigningKey();
  const sessionKey = generateDecapsulationKey();
  const tlsKey = randomBytes(91);
  const pin = udfOfKey<"portal">(identityKey.publicKey.spki);
  const payload = { domains: [domain], id: pin, identityKey: signatureJwk(identityKey.publicKey), logKeys: [], sessionKey: encapsulationJwk(sessionKey.publicKey), tlsKeys: [udfOf("application/pkix-keyinfo", tlsKey) as Udf<"tls-key">], v: 1 as const, version: 1 };
  const profile = await correctPortal(await signObject(portalProfile, payload, signerWith(identityKey)), pin);
  const clock = { now: Date.parse("2026-06-01T12:00:00Z") };
  const events: PortalEvent[] = [];
  const portal = new Portal({ store, identity: { profile, jws: profile.jws, sessionKey }, policy: { ...defaultPolicy, creation: "open" }, now: () => clock.now, log: (event, fault) => { events.push(event); if (fault !== undefined && process.env["MESH_DEBUG"] !== undefined) console.error(fault); } });
  return { portal, store, url: `https://${domain}`, pin, tlsKey, clock, meddler: {}, events, counters: { up: 0, down: 0, requests: 0 } };
}

/** A way to a portal that is in this process. */
export function transportTo(to: TestPortal, remote = "192.0.2.1"): Transport {
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
    close() {},
  };
}

/** A device of a test: its client, its keyrings, its store. */
export type TestDevice = { readonly client: Client; readonly keyring: Keyring; readonly master: Keyring; readonly store: Store };

/** A device with nothing on it yet; `portal` is where all its requests go. */
export function newDevice(portal: TestPortal, options: { readonly holdsMaster?: boolean } = {}): TestDevice {
  const keyring = openMemoryKeyring();
  const master = openMemoryKeyring();
  const store = openMemoryStore();
  const client = makeClient({ store, keyring, now: () => portal.clock.now, connect: () => transportTo(portal), masterKeyring: async () => (options.holdsMaster === true ? master : undefined) });
  return { client, keyring, master, store };
}
