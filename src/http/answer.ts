import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Code } from "../refusals/codes.ts";

/** What a handler answers. `content-length` and `connection` are the server's own affair. */
export type HttpResponse = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** What goes on behind the body, until either side ends it; it is sent as it comes. */
  readonly stream?: Stream;
};

/** What a stream is sent through. */
export type Feed = { send(octets: Uint8Array): void; end(): void };

/** Begins with a feed, and says what to do when the other side is gone. */
export type Stream = (feed: Feed) => { gone(): void };

/** Nothing here is for caches or for guessing browsers unless a handler says otherwise. */
const standing: Readonly<Record<string, string>> = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  413: "Content Too Large",
  431: "Request Header Fields Too Large",
  503: "Service Unavailable",
};

/** An error as every door of a service words it: `{"error":{"code","message"}}`. */
function errorBody(code: Code, message: string): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ error: { code, message } }));
}

/** The answer that tells an error. */
export function errorResponse(status: number, code: Code, message: string): HttpResponse {
  return { status, headers: { "content-type": "application/json" }, body: errorBody(code, message) };
}

/** Sends one answer; `last` closes the connection behind it. Throws what Node throws on a malformed header or status. */
export function send(response: ServerResponse, answer: HttpResponse, last: boolean): void {
  const headers: Record<string, string | number> = { ...standing };
  for (const [name, value] of Object.entries(answer.headers ?? {})) headers[name.toLowerCase()] = value;
  if (answer.status !== 204 && answer.status !== 304) headers["content-length"] = answer.body.length;
  if (last) headers["connection"] = "close";
  response.writeHead(answer.status, headers);
  response.end(answer.body);
}

/** Octets that may wait for the reader of a stream; one that reads so little is cut. */
const UNREAD = 16 << 10;

/** Sends a stream: its head and its body, then whatever comes; settles when it is over. A reader that does not read what it is owed within `lastMs` of its end is cut. */
export function sendStream(response: ServerResponse, { status, headers = {}, body }: HttpResponse, stream: Stream, lastMs: number): Promise<void> {
  return new Promise((resolve) => {
    response.writeHead(status, { ...standing, ...headers });
    response.write(body);
    const { gone } = stream({
      send: (octets) => {
        if (response.writableLength > UNREAD) response.destroy();
        else if (!response.writableEnded) response.write(octets);
      },
      end: () => {
        response.end();
        const cut = setTimeout(() => response.destroy(), lastMs);
        response.once("close", () => clearTimeout(cut));
      },
    });
    response.once("close", () => {
      gone();
      resolve();
    });
  });
}

/** How long a refused sender may take to read its refusal before the connection is cut. */
const lingerMs = 300;

/**
 * Refuses on the bare socket and closes it without reading on.
 *
 * The half-close comes first and the cut later: closing with unread octets makes the kernel send a reset, which
 * can overtake the refusal.
 */
export function refuseSocket(socket: Socket, status: number, code: Code, message: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = errorBody(code, message);
  const lines = [`HTTP/1.1 ${status} ${reasons[status] ?? "Refused"}`, "connection: close", "content-type: application/json"];
  for (const [name, value] of Object.entries(standing)) lines.push(`${name}: ${value}`);
  lines.push(`content-length: ${body.length}`, "", "");
  socket.pause();
  socket.end(Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), body]));
  setTimeout(() => socket.destroy(), lingerMs).unref();
}
