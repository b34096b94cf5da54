/** The TLS groups both ends offer: hybrid post-quantum first, so that recorded traffic stays closed to a later quantum computer. */
export const tlsGroups = "X25519MLKEM768:X25519";

/** What a server grants a stranger. Octets, milliseconds and counts; every one is a hard bound. */
export type Limits = {
  /** Octets of one body. */
  readonly bodyBytes: number;
  /** Octets of one request line with its headers. */
  readonly headerBytes: number;
  /** Time for a whole request to arrive, and again for its answer to leave. */
  readonly requestMs: number;
  /** Time for the TLS handshake, and for the headers of a request to arrive. */
  readonly headersMs: number;
  /** Time that a connection may be silent between requests. */
  readonly idleMs: number;
  /** Connections at once; more are closed at once, before TLS. */
  readonly connections: number;
  /** Requests at once on one connection (pipelining); one more closes it. */
  readonly pipelined: number;
  /** Octets of all bodies held at once; beyond it, requests are told to come back. */
  readonly heldBytes: number;
};

/** The limits of a portal (decision 8.4): 1 MiB bodies, 16 KiB heads, a request within 30 s; room for 10,000 devices that listen, and for those who ask. */
export const defaultLimits: Limits = {
  bodyBytes: 1 << 20,
  headerBytes: 16 << 10,
  requestMs: 30_000,
  headersMs: 10_000,
  idleMs: 60_000,
  connections: 12_000,
  pipelined: 16,
  heldBytes: 256 << 20,
};
