import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { fromUtf8 } from "../bytes/text.ts";
import type { Digest } from "../envelope/fields.ts";
import { type ObjectType, readSigned, type Signed, signedBytes } from "../envelope/signed.ts";
import type { Roster } from "../profiles/roster.ts";
import type { MasterId } from "../profiles/types.ts";
import { splitOctets } from "../protocol/octets.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import type { Reading, Writing } from "../store/store.ts";

/** The shelves of a portal's store; what stands on each is in `docs/spec/portal.md`. */
export const shelf = {
  meshes: "meshes",
  accounts: "accounts",
  objects: "objects",
  bodies: "bodies",
  blobs: "blobs",
  puts: "puts",
  masters: "masters",
  personals: "personals",
  suspensions: "suspensions",
  applications: "applications",
  chains: "chains",
  commits: "commits",
  releases: "releases",
  starts: "starts",
  shared: "shared",
  pins: "pins",
  requests: "requests",
  requesters: "requesters",
  sessions: "sessions",
  openings: "openings",
  answers: "answers",
  invitations: "invitations",
} as const;

/** The one row that every change of a mesh rewrites: compare-and-set on `revision` makes its batches follow one another. */
export type MeshRecord = {
  readonly revision: number;
  readonly address: string;
  readonly account: Digest;
  readonly master: number;
  readonly g: number;
  readonly n: number;
  readonly suspensions: number;
  readonly octets: number;
  readonly closes?: number;
  /** Octets that its operator gives this mesh, where they are others than everybody's. */
  readonly quota?: number;
  /** It was given up long ago and is being taken away. */
  readonly purging?: true;
};

/** What an account name stands for: a mesh, or from `closes` on one that gave it up and may take it back (decision 8.3). */
export type AccountRecord = { readonly master: MasterId; readonly closes?: number };

/** What a portal knows of a PIN: its public name is the key, the secret is not here (decision 5.3). */
export type PinRecord = { readonly expires: number; readonly status: "open" | "closed" };

/** An object with the time at which it arrived. */
export type Stamped = { readonly digest: Digest; readonly arrived: number };

/** A version of a Master Profile; its roster, which is derived, spares reading the profile. */
export type MasterRow = Stamped & { readonly countersignature?: Digest; readonly roster?: Roster };

/** The Application Profile that counts; its version, where it is kept, spares reading the profile. */
export type ApplicationRow = Stamped & { readonly version?: number };

/** Reads a row of ours; a row that does not parse is damage, not absence. */
export async function row<T>(reading: Reading, from: string, key: string): Promise<T | undefined> {
  const octets = await reading.get(from, key);
  return octets === undefined ? undefined : parseRow<T>(octets);
}

/** Parses a row read from a listing; octets behind its text are left out. */
export function parseRow<T>(octets: Uint8Array): T {
  try {
    return JSON.parse(fromUtf8(splitOctets(octets).text)) as T;
  } catch {
    throw new MeshError("store-damaged", "A row of the portal's database does not parse.", "Run `mesh portal check`, or restore a backup.");
  }
}

/** Writes a row of ours. */
export async function putRow(writing: Writing, into: string, key: string, value: object): Promise<void> {
  await writing.put(into, key, canonicalBytes(value as Json));
}

/** Keeps a signed object under its digest, octet for octet. */
export async function putObject(writing: Writing, object: Signed<unknown>): Promise<void> {
  await writing.put(shelf.objects, object.digest, signedBytes(object));
}

/** Reads a signed object back; that its digest is the one asked for is checked, its signature again by whoever uses it. */
export async function getObject<P>(reading: Reading, digest: string, type: ObjectType<P>): Promise<Signed<P>> {
  const octets = await reading.get(shelf.objects, digest);
  const signed = octets === undefined ? undefined : readSigned(octets, type);
  return theOne(signed, digest);
}

/** An object that was asked for by its digest; `store-damaged` if it is another, or none. */
export function theOne<P>(signed: Signed<P> | undefined, digest: string): Signed<P> {
  if (signed?.digest !== digest) throw new MeshError("store-damaged", "An object is missing from the portal's database or was changed in it.", "Run `mesh portal check`, or restore a backup.");
  return signed;
}
