import type { IncomingMessage } from "node:http";

/** One request as a handler sees it: complete, within its limits, nothing decoded. */
export type HttpRequest = {
  /** In capitals, as sent. */
  readonly method: string;
  /** Begins with `/`; percent signs are as sent, because request MACs cover these octets. */
  readonly path: string;
  /** What follows the first `?`, without it; empty if there is none. */
  readonly query: string;
  /** Names in lower case; a name that was sent twice has both values, joined by ", ". No prototype. */
  readonly headers: Readonly<Record<string, string>>;
  /** The handler's own copy. */
  readonly body: Uint8Array;
  /** An IP literal; IPv4 never in its IPv6 disguise. */
  readonly remoteAddress: string;
};

/** Why a body was not taken: over its limit, over what the server holds at once, or the sender left. */
export type BodyRefused = "too-large" | "busy" | "gone";

/** The octets of bodies held at this moment, shared by all connections of a server. */
export type Held = { octets: number };

const nothing = new Uint8Array(0);

/**
 * Takes a request's body while counting, and stops reading at the first octet too many.
 *
 * What it holds is added to `held`; the caller subtracts the body's length when done with it. After a refusal
 * the request is paused and nothing is held.
 */
export function receiveBody(request: IncomingMessage, limit: number, held: Held, heldLimit: number): Promise<Uint8Array | BodyRefused> {
  const announced = request.headers["content-length"];
  // The parser has refused anything but digits, and a length next to chunks.
  if (announced !== undefined && Number(announced) > limit) return Promise.resolve("too-large");
  if (announced === undefined && request.headers["transfer-encoding"] === undefined) return Promise.resolve(nothing);
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let total = 0;
    let settled = false;
    const refuse = (why: BodyRefused): void => {
      if (settled) return;
      settled = true;
      held.octets -= total;
      request.pause();
      resolve(why);
    };
    request.on("data", (chunk: Uint8Array) => {
      if (settled) return;
      if (total + chunk.length > limit) return refuse("too-large");
      if (held.octets + chunk.length > heldLimit) return refuse("busy");
      total += chunk.length;
      held.octets += chunk.length;
      chunks.push(chunk);
    });
    request.on("end", () => {
      if (settled) return;
      settled = true;
      // A copy: the chunks are windows on buffers that hold other requests of the connection.
      const body = new Uint8Array(total);
      let at = 0;
      for (const chunk of chunks) {
        body.set(chunk, at);
        at += chunk.length;
      }
      resolve(body);
    });
    request.on("error", () => refuse("gone"));
    request.on("close", () => refuse("gone"));
  });
}

/** Splits a request target into path and query; undefined unless it is in origin form and printable ASCII. */
export function splitTarget(target: string): { path: string; query: string } | undefined {
  if (!/^\/[!-"$-~]*$/.test(target)) return undefined;
  const mark = target.indexOf("?");
  return mark < 0 ? { path: target, query: "" } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/** Header lines of one request; the parser's limit on octets counts neither colons nor line ends. */
export const maxHeaderLines = 100;

/**
 * Gathers headers from name, value, name, value...; undefined if `host` came twice (RFC 9112, 3.2).
 *
 * Node's own table silently keeps the first of some repeated headers and the last of none; here every repetition shows.
 */
export function gatherHeaders(raw: readonly string[]): Record<string, string> | undefined {
  // Without a prototype, because the names are a stranger's: "__proto__" is a name like any other.
  const headers = Object.create(null) as Record<string, string>;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? "").toLowerCase();
    const value = raw[i + 1] ?? "";
    const before = headers[name];
    if (before !== undefined && name === "host") return undefined;
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}

/** An address as people write it: an IPv4 caller on a double-stack socket shows as IPv4. */
export function plainAddress(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}
