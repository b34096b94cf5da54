import type { Decapsulator } from "../envelope/sealed.ts";
import type { Signer } from "../envelope/signed.ts";
import type { Keyring } from "../keyring/keyring.ts";
import type { DeviceId, MasterId, PortalId } from "../profiles/types.ts";
import { demand } from "../refusals/mesh-error.ts";
import type { Store } from "../store/store.ts";
import type { Udf } from "../udf/udf.ts";
import { Rows } from "./rows.ts";
import type { Memory } from "./view.ts";

/** What came back. */
export type TransportAnswer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array; readonly peerSpki: Uint8Array };

/** What comes back piece by piece. */
export type StreamAnswer = Omit<TransportAnswer, "body"> & { readonly pieces: AsyncIterable<Uint8Array>; close(): void };

/** One connection to a portal, as the shell makes it; `peerSpki` is the public key that the other end of TLS showed. */
export interface Transport {
  post(path: string, headers: Record<string, string>, body: Uint8Array): Promise<TransportAnswer>;
  get(path: string, headers: Record<string, string>): Promise<TransportAnswer>;
  /** A POST whose answer goes on: `pieces` throws `service-timeout` where nothing comes for too long. */
  stream(path: string, headers: Record<string, string>, body: Uint8Array, bounds: { readonly firstMs: number; readonly silenceMs: number }): Promise<StreamAnswer>;
  close(): void;
}

/** Which TLS keys a connection may meet: any (for Hello alone), one the system trusts, or exactly these. */
export type Trust = "any" | "web-pki" | { readonly spkis: readonly Uint8Array[] };

/** Everything that a client is handed: its home, its keys, the time, and a way to a portal. */
export type ClientParts = {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly now: () => number;
  readonly connect: (url: string, trust: Trust) => Transport;
  /** Pauses for a time of chance before what another device overtook is tried again; `tries` counts those that failed. */
  readonly standBack: (tries: number) => Promise<void>;
  /** The keyring that holds Master and Recovery keys until they are escrowed, if it is in this home. */
  readonly masterKeyring?: () => Promise<Keyring | undefined>;
  /** What is remembered from one command to the next, in a process that runs many on one store. */
  readonly memory?: Memory;
  /** Keeps evidence against a portal, of a kind, where its owner finds it, and says where; undefined where it cannot. */
  readonly keepEvidence?: (evidence: Uint8Array, kind: string) => Promise<string | undefined>;
};

/** A device's client; made anew for each command, all its memory is in its home. */
export type Client = ClientParts & { readonly rows: Rows };

/** Who this device is in its mesh. */
export type Self = {
  readonly address: string;
  readonly master: MasterId;
  readonly device: DeviceId;
  readonly authenticationKey: string;
  readonly encryptionKey: string;
  readonly administrationKey: string;
  readonly administrationEncryptionKey: string;
  readonly name: string;
  readonly portal: { readonly url: string; readonly id: PortalId };
  /** `creating` and `joining` say how far a beginning got; `connected` is a member; `left` is one that went. */
  readonly state: "creating" | "joining" | "connected" | "left";
};

/** Makes a client of what the shell hands in. */
export function makeClient(parts: ClientParts): Client {
  return { ...parts, rows: new Rows(parts.store, parts.keyring) };
}

/** Who this device is; `home-missing` if it is nobody yet. */
export async function selfOf(client: Client): Promise<Self> {
  const self = await client.rows.read((rows) => rows.get<Self>("self", "self"));
  demand(self !== undefined, "home-missing", "This device has no mesh yet.", "Make one with `mesh create`, or join yours with `mesh join`.");
  return self;
}

/** As `selfOf`, for a device that is a member; `device-not-connected` otherwise. */
export async function memberSelf(client: Client): Promise<Self> {
  const self = await selfOf(client);
  demand(self.state === "connected", "device-not-connected", self.state === "left" ? "This device has left its mesh." : "This device is not connected to its mesh yet.", self.state === "joining" ? "Run `mesh join` again to go on." : undefined);
  return self;
}

/** A signer by a key of the keyring. */
export function signerOf(keyring: Keyring, kid: string): Signer {
  return { kid: kid as Udf<"signature-key">, sign: (message) => keyring.sign(kid, message) };
}

/** A decapsulator by a key of the keyring. */
export function decapsulatorOf(keyring: Keyring, kid: string): Decapsulator {
  return { kid: kid as Udf<"encryption-key">, decapsulate: (ciphertext) => keyring.decapsulate(kid, ciphertext) };
}
