/**
 * One room of the house: a folder of `src`, and what its files may look into.
 *
 * Every room may look into itself and into `refusals`. Test files are not judged by the arrows: nothing ships them.
 */
export type Room = {
  /** What the room is for, in one line; printed into docs/map.md. */
  readonly is: string;
  /** No clock, no input or output, no chance (except in `crypto`). */
  readonly pure: boolean;
  /** Rooms it may import from; a path that ends in `.ts` opens that one file only. */
  readonly sees: readonly string[];
  /** Files of which it may take types only: a contract without any of its engines. */
  readonly types?: readonly string[];
  /** npm packages. */
  readonly packages?: readonly string[];
  /** Modules of the platform without `node:`; `*` is all but crypto and ffi. */
  readonly node?: readonly string[];
  /** Rooms and files that none of its imports may lead to, over however many steps. */
  readonly neverReaches?: readonly string[];
};

const formats = ["bytes", "crypto", "udf", "envelope"] as const;
const trust = [...formats, "profiles"] as const;
/** The portal's side of a catalog: who may write what in which order. What the entries say is the other side. */
const publicCatalogs = ["catalogs/commits.ts", "catalogs/chain.ts", "catalogs/freshness.ts"] as const;

/** The one table of rooms and arrows, bottom up (design: docs/map.md draws it). `applications/*` stands for each application. */
export const rooms: Readonly<Record<string, Room>> = {
  refusals: { is: "the closed list of error codes, errors and refusals", pure: true, sees: [] },
  bytes: { is: "base32, base64url, strict and canonical JSON, DER, equality", pure: true, sees: [] },
  crypto: { is: "the one table of algorithms, and the only door to chance and to the platform's cryptography", pure: true, sees: ["bytes"], packages: ["libsodium-wrappers-sumo"], node: ["crypto"] },
  udf: { is: "the only identifier of keys, and words", pure: true, sees: ["bytes", "crypto"] },
  envelope: { is: "signed and sealed objects", pure: true, sees: ["bytes", "crypto", "udf"], packages: ["valibot"] },
  profiles: { is: "Master, Personal, Device, Application and Portal Profile; the stages of validity", pure: true, sees: formats, packages: ["valibot"] },
  catalogs: { is: "chains of encrypted commits, epochs and grants; entries and how they merge", pure: true, sees: trust, packages: ["valibot"] },
  notary: { is: "the log that a portal cannot rewrite: Merkle tree, tiles, checkpoints, the map of what is current, and proofs", pure: true, sees: formats, types: ["store/store.ts"], packages: ["valibot"] },
  protocol: { is: "the portal's commands: request, response, refusals, authority; sessions", pure: true, sees: [...trust, ...publicCatalogs], packages: ["valibot"] },
  applications: { is: "the shape of an application, and the list of all", pure: true, sees: [...trust, "catalogs", "applications/*"], packages: ["valibot"] },
  "applications/*": { is: "one application: what its entries hold, and the steps it takes on a machine", pure: true, sees: [...trust, "catalogs", "applications/application.ts"], packages: ["valibot"] },
  portal: {
    is: "the portal's decisions: a blob is a blob",
    pure: true,
    sees: [...trust, "notary", "protocol", ...publicCatalogs],
    types: ["store/store.ts"],
    packages: ["valibot"],
    // The untrusted cloud of draft §3.4 as an import rule: what a portal cannot read, its code does not know.
    neverReaches: ["catalogs/entries.ts", "catalogs/epoch-keys.ts", "catalogs/merge.ts", "applications", "client", "keyring"],
  },
  client: {
    is: "pushes what arrived, pulls what to send; every operation of a device, without a socket",
    pure: true,
    sees: [...trust, "catalogs", "notary", "protocol", "applications/index.ts", "applications/application.ts"],
    types: ["store/store.ts", "keyring/keyring.ts"],
    packages: ["valibot"],
  },
  machine: { is: "performs any application's steps on this computer; files, locks and the C library", pure: false, sees: ["bytes", "applications/application.ts"], node: ["child_process", "ffi", "fs", "fs/promises", "os", "path", "sqlite", "v8", "vm"] },
  store: { is: "eight verbs over an engine: memory, SQLite or PostgreSQL; a depot for what is large", pure: false, sees: ["bytes", "crypto/digest.ts", "crypto/random.ts"], packages: ["pg"], node: ["async_hooks", "fs", "fs/promises", "path", "sqlite", "timers/promises", "worker_threads"] },
  keyring: { is: "private keys at rest", pure: false, sees: [...formats, "machine/file-lock.ts", "machine/replace-file.ts"], packages: ["valibot"], node: ["fs", "fs/promises", "path"] },
  certificates: { is: "X.509, on a library loaded on demand", pure: false, sees: formats, packages: ["asn1js", "pkijs"], node: ["net"] },
  http: {
    is: "the wire: serve, call, stream",
    pure: false,
    sees: ["bytes", "crypto", "udf", "protocol", "certificates"],
    node: ["events", "http", "https", "net", "stream", "timers/promises", "tls", "util", "zlib"],
  },
  agent: { is: "the resident process of a home: unlocked keys behind local sockets, and how to ask it", pure: false, sees: ["applications/ssh/agent-session.ts", "bytes", "crypto", "keyring/keyring.ts", "machine"], packages: ["valibot"], node: ["child_process", "fs", "net", "path", "timers/promises"] },
  "archive-2017": { is: "the lenient reader of stored objects of 2017; its findings are never Verified", pure: true, sees: ["bytes", "crypto"] },
  cli: { is: "puts everything together: the command `mesh`", pure: false, sees: ["*"], packages: ["uqr", "valibot"], node: ["*"] },
};

/** The room that a file of `src` belongs to, as a key of `rooms`; undefined for one that stands in no room. */
export function roomOf(path: string): string | undefined {
  const [, first, second, third] = path.split("/");
  if (first === "applications" && third !== undefined) return `applications/${second}`;
  return second === undefined ? undefined : first;
}

/** The row of a room; each application has the row `applications/*`. */
export function rowOf(room: string, table: Readonly<Record<string, Room>> = rooms): Room | undefined {
  return room.startsWith("applications/") ? table["applications/*"] : table[room];
}
