/** What an operator may set (decision 8.4). */
export type Policy = {
  /** Who may create an account: anybody, or those with an invitation. */
  readonly creation: "open" | "invited";
  /** Writes an hour, an account. */
  readonly writesPerHour: number;
  /** Octets kept for one account. */
  readonly octetsPerAccount: number;
  /** Requests a minute without a session, an address. */
  readonly anonymousPerMinute: number;
  /** Accounts and connections that strangers at one address begin a minute, each command by itself: what costs signatures. */
  readonly beginningsPerMinute: number;
};

export const defaultPolicy: Policy = { creation: "invited", writesPerHour: 10_000, octetsPerAccount: 1024 ** 3, anonymousPerMinute: 600, beginningsPerMinute: 60 };

/** About so many octets of objects go into one answer; the rest is asked for again. */
export const ANSWER_OCTETS = 768 * 1024;

/** At most so many connection requests wait at one account: by words, and besides them by PIN (decision 5.2). */
export const MAX_PENDING = 8;

/** How long a connection request waits, in milliseconds of portal time (decision 5.2). */
export const REQUEST_MS = 24 * 60 * 60 * 1000;

/** How long an answered request is kept for the device that it admits or rejects: people type the three words when they get to it. */
export const ANSWER_MS = 30 * 24 * 60 * 60 * 1000;

/** How long a freed name stays reserved for the same Master (decision 8.3). */
export const RESERVED_MS = 30 * 24 * 60 * 60 * 1000;

/** Names that nobody gets: those that mail and hosts give a meaning of their own (RFC 2142 and custom). */
export const RESERVED_NAMES: ReadonlySet<string> = new Set(["abuse", "admin", "administrator", "hostmaster", "info", "mailer-daemon", "mesh", "noc", "noreply", "postmaster", "root", "security", "support", "webmaster", "www"]);

/** What limits count as one address: all of an IPv4 address, of IPv6 the 64 bits that a network is given. */
export function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const filled = tail === undefined ? groups : [...groups, ...Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill("0"), ...rest];
  return `${filled.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::`;
}

const KEPT_BUCKETS = 10_000;

/** Token buckets, one a name: each fills evenly and holds one period's worth. */
export class Buckets {
  readonly #size: number;
  readonly #perMs: number;
  readonly #levels = new Map<string, { level: number; at: number }>();

  constructor(size: number, periodMs: number) {
    this.#size = size;
    this.#perMs = size / periodMs;
  }

  /** Takes one token from the bucket of a name; `false` if it is empty. */
  take(name: string, now: number): boolean {
    const known = this.#levels.get(name);
    const level = known === undefined ? this.#size : Math.min(this.#size, known.level + Math.max(0, now - known.at) * this.#perMs);
    this.#levels.delete(name);
    this.#levels.set(name, { level: Math.max(0, level - (level >= 1 ? 1 : 0)), at: now });
    const oldest = this.#levels.keys().next();
    if (this.#levels.size > KEPT_BUCKETS && !oldest.done) this.#levels.delete(oldest.value);
    return level >= 1;
  }
}
