import { concatBytes } from "../../bytes/equal.ts";
import { verifyEd25519 } from "../../crypto/ed25519.ts";
import { randomBytes } from "../../crypto/random.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { ed25519Blob, ed25519Of, ed25519Signature } from "./public-key.ts";
import { SshReader, string, strings, uint32, uint64 } from "./wire.ts";

/** What OpenSSH calls a certificate of an Ed25519 key (its PROTOCOL.certkeys). */
export const ED25519_CERTIFICATE = "ssh-ed25519-cert-v01@openssh.com";

const kinds = { user: 1, host: 2 } as const;
const maxPrincipals = 256;
const maxOptions = 32;

/** What a certificate says of a key. */
export type Contents = {
  /** The key it is about, 32 octets of Ed25519. */
  readonly key: Uint8Array;
  readonly kind: keyof typeof kinds;
  /** What a revocation list names it by; the authority gives each number once. */
  readonly serial: bigint;
  /** What servers write into their logs. */
  readonly id: string;
  /** For whom it stands: of a user the names that servers let in, of a host its own. */
  readonly principals: readonly string[];
  /** Seconds since 1970, from and until. */
  readonly from: number;
  readonly until: number;
  /** Options that servers must understand, with their values: `force-command`, `source-address`. */
  readonly critical?: Readonly<Record<string, string>>;
  /** Options that allow something, as `permit-pty`; none has a value. */
  readonly allows?: readonly string[];
};

/** A certificate that was read. */
export type Certificate = Contents & {
  /** The authority's key, 32 octets of Ed25519. */
  readonly authority: Uint8Array;
  readonly blob: Uint8Array;
};

/** Whoever signs certificates: 32 octets of Ed25519, and what signs by it. */
export type Authority = { readonly publicKey: Uint8Array; readonly sign: (message: Uint8Array) => Uint8Array | Promise<Uint8Array> };

/** What a person at a terminal expects; ours gives all of it, as OpenSSH's own `ssh-keygen -s` does. */
export const everything = ["permit-X11-forwarding", "permit-agent-forwarding", "permit-port-forwarding", "permit-pty", "permit-user-rc"] as const;

/**
 * Makes a certificate of a key (PROTOCOL.certkeys): the blob that a server is shown.
 *
 * Without principals it would stand for everybody, so there must be one.
 */
export async function makeCertificate({ key, kind, serial, id, principals, from, until, critical = {}, allows = kind === "user" ? everything : [] }: Contents, authority: Authority): Promise<Uint8Array> {
  if (principals.length === 0 || principals.length > maxPrincipals || principals.includes("")) throw new TypeError("A certificate stands for somebody, by name.");
  const signed = concatBytes(
    string(ED25519_CERTIFICATE),
    string(randomBytes(32)),
    string(key),
    uint64(serial),
    uint32(kinds[kind]),
    string(id),
    strings(principals),
    uint64(BigInt(from)),
    uint64(BigInt(until)),
    options(Object.entries(critical).map(([name, value]) => [name, string(value)])),
    options(allows.map((name) => [name, new Uint8Array(0)])),
    string(""),
    string(ed25519Blob(authority.publicKey)),
  );
  return concatBytes(signed, string(ed25519Signature(await authority.sign(signed))));
}

/**
 * Reads a certificate and verifies its authority's signature; whether that authority is believed, and whether it holds now, is for others to say.
 * @throws MeshError `ssh-malformed`, also for one of another kind than Ed25519 by Ed25519, and `ssh-wrong-signature`
 */
export function readCertificate(blob: Uint8Array): Certificate {
  const reader = new SshReader(blob, "A certificate");
  if (reader.text() !== ED25519_CERTIFICATE) throw reader.refuse("is not of an Ed25519 key");
  reader.string();
  const key = reader.string();
  const serial = reader.uint64();
  const number = reader.uint32();
  const kind = number === kinds.user ? "user" : number === kinds.host ? "host" : undefined;
  const id = reader.text();
  const principals = reader.texts(maxPrincipals);
  const [from, until] = [seconds(reader.uint64()), seconds(reader.uint64())];
  const critical = readOptions(new SshReader(reader.string(), "A certificate"));
  const allows = readOptions(new SshReader(reader.string(), "A certificate"));
  reader.string();
  const authority = ed25519Of(reader.string());
  const signed = blob.subarray(0, reader.place);
  const signature = new SshReader(reader.string(), "A certificate's signature");
  reader.end();
  if (key.length !== 32 || kind === undefined || authority === undefined || signature.text() !== "ssh-ed25519") throw reader.refuse("is not of an Ed25519 key by another");
  const raw = signature.string();
  signature.end();
  if (!verifyEd25519(authority, signed, raw)) throw new MeshError("ssh-wrong-signature", "A certificate is not signed by the authority that it names.");
  return { key, kind, serial, id, principals, from, until, critical: Object.fromEntries(critical), allows: allows.map(([name]) => name), authority, blob };
}

/** Options, in the order of their names, as servers demand. */
function options(list: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const ordered = list.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return string(concatBytes(...ordered.flatMap(([name, value]) => [string(name), string(value)])));
}

function readOptions(reader: SshReader): readonly (readonly [string, string])[] {
  const read: [string, string][] = [];
  while (!reader.isAtEnd) {
    const name = reader.text();
    const data = reader.string();
    const before = read.at(-1)?.[0];
    if (read.length === maxOptions || (before !== undefined && before >= name)) throw reader.refuse("has options twice, out of order or too many");
    read.push([name, data.length === 0 ? "" : new SshReader(data, "A certificate's option").text()]);
  }
  return read;
}

/** "For ever" is 2^64 - 1 there, more than a number holds exactly: taken for the greatest that is exact. */
function seconds(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}
