import type { IncomingMessage, ServerResponse } from "node:http";
import { isIPv6, type Socket } from "node:net";
import type { Code } from "../refusals/codes.ts";
import { errorResponse, type HttpResponse, refuseSocket, send, sendStream } from "./answer.ts";
import { pack } from "./compression.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import { Lines, listen, makeServer, renewTls, type TlsMaterial } from "./listener.ts";
import { gatherHeaders, type Held, type HttpRequest, maxHeaderLines, plainAddress, receiveBody, splitTarget } from "./receive.ts";

export type { HttpResponse } from "./answer.ts";
export type { HttpRequest } from "./receive.ts";

/** What a server reports as it goes. `fault` is ours to mend, the rest is weather. */
export type ServeEvent =
  | { readonly kind: "answered"; readonly method: string; readonly path: string; readonly status: number; readonly ms: number; readonly remoteAddress: string }
  | { readonly kind: "refused"; readonly status: number; readonly because: string; readonly remoteAddress: string }
  | { readonly kind: "handshake-failed"; readonly because: string; readonly remoteAddress: string }
  | { readonly kind: "dropped"; readonly remoteAddress: string }
  | { readonly kind: "fault"; readonly method: string; readonly path: string; readonly error: unknown };

export type ServeOptions = {
  /** A name or IP literal to listen on; `127.0.0.1`, `::`. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls: TlsMaterial;
  /** Answers one complete request. What it throws becomes status 500 and a `fault` event, never text for the caller. */
  readonly handle: (request: HttpRequest) => Promise<HttpResponse>;
  readonly limits?: Partial<Limits>;
  readonly log?: (event: ServeEvent) => void;
};

export type Served = {
  readonly port: number;
  /** `https://HOST:PORT`; a wildcard host is shown as `localhost`. */
  readonly url: string;
  /** How many TLS connections are open. */
  readonly connections: () => number;
  /** Shows another certificate to whoever connects from now on. */
  renew(tls: TlsMaterial): void;
  /** Stops taking connections, lets requests in flight finish, closes the idle, and cuts what is left after `graceMs` (10 s). */
  close(graceMs?: number): Promise<void>;
};

/**
 * Serves HTTP/1.1 over TLS 1.3 and nothing else, within hard limits on size, time and number.
 *
 * A request reaches `handle` only when it is complete and within its limits; the rest is refused here, with the same
 * error body as everywhere. Requests that one client pipelines run side by side and are answered in order.
 * @throws MeshError `service-port-taken`, `service-listen-failed`
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const log = options.log ?? (() => {});
  const server = makeServer(options.tls, limits);
  const lines = new Lines(server);
  const take = taker(options.handle, limits, lines, log);
  server.on("request", (request: IncomingMessage, response: ServerResponse) => take(request, response, () => {}));
  // Without this, Node invites the body before its announced length has been looked at.
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => take(request, response, () => response.writeContinue()));
  server.on("clientError", (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket;
    const line = lines.of(socket);
    const [status, code, message] = explain(error);
    log({ kind: "refused", status, because: message, remoteAddress: plainAddress(socket.remoteAddress) });
    // With answers owed to earlier requests, a refusal would be read as one of them.
    const owed = (line?.unanswered ?? 0) - (line?.newest?.complete === false ? 1 : 0);
    if (owed > 0 || error.code === "ECONNRESET") socket.destroy();
    else refuseSocket(socket, status, code, message);
  });
  server.on("drop", (data) => log({ kind: "dropped", remoteAddress: plainAddress(data?.remoteAddress) }));
  server.on("tlsClientError", (error, socket) => {
    log({ kind: "handshake-failed", because: error.message, remoteAddress: plainAddress(socket.remoteAddress) });
    socket.destroy();
  });
  const port = await listen(server, options.host, options.port);
  server.on("error", (error) => log({ kind: "fault", method: "", path: "", error }));
  return { port, url: `https://${shownHost(options.host)}:${port}`, connections: () => lines.count, renew: (tls) => renewTls(server, tls), close: (graceMs = 10_000) => lines.close(graceMs) };
}

type Take = (request: IncomingMessage, response: ServerResponse, goOn: () => void) => void;

/** What is done with a request whose headers have arrived; `goOn` invites a body that waits for an invitation. */
function taker(handle: ServeOptions["handle"], limits: Limits, lines: Lines, log: (event: ServeEvent) => void): Take {
  const held: Held = { octets: 0 };

  /** The request as a handler sees it; undefined when it was refused or its sender left. */
  async function receive(request: IncomingMessage, goOn: () => void): Promise<HttpRequest | undefined> {
    const socket = request.socket;
    const remoteAddress = plainAddress(socket.remoteAddress);
    const refuse = (status: number, code: Code, because: string): undefined => {
      log({ kind: "refused", status, because, remoteAddress });
      if ((lines.of(socket)?.unanswered ?? 0) > 1) socket.destroy();
      else refuseSocket(socket, status, code, because);
    };
    if (request.rawHeaders.length > 2 * maxHeaderLines) return refuse(431, "service-request-too-large", `A request has at most ${maxHeaderLines} headers.`);
    const target = splitTarget(request.url ?? "");
    const headers = gatherHeaders(request.rawHeaders);
    if (target === undefined || headers === undefined) return refuse(400, "service-request-malformed", "The request's target or host is malformed.");
    if (Number(request.headers["content-length"] ?? 0) <= limits.bodyBytes) goOn();
    const body = await receiveBody(request, limits.bodyBytes, held, limits.heldBytes);
    if (body === "gone") return undefined;
    if (body === "too-large") return refuse(413, "service-request-too-large", `A body has at most ${limits.bodyBytes} octets.`);
    if (body === "busy") return refuse(503, "service-busy", "The service holds all it can; try again soon.");
    return { method: request.method ?? "", ...target, headers, body, remoteAddress };
  }

  async function answer(request: HttpRequest, response: ServerResponse): Promise<void> {
    const { method, path, remoteAddress } = request;
    const started = performance.now();
    try {
      const answered = await handle(request);
      if (answered.stream !== undefined) {
        // What it came with is not held as long as it lasts.
        held.octets -= request.body.length;
        return await sendStream(response, answered, answered.stream, limits.requestMs).finally(() => (held.octets += request.body.length));
      }
      send(response, await pack(request.headers["accept-encoding"], answered), lines.closing);
    } catch (error) {
      log({ kind: "fault", method, path, error });
      if (response.headersSent) return void response.req.socket.destroy();
      send(response, errorResponse(500, "service-internal", "The service failed; its operator's log says why."), true);
    } finally {
      held.octets -= request.body.length;
    }
    log({ kind: "answered", method, path, status: response.statusCode, ms: performance.now() - started, remoteAddress });
  }

  async function run(request: IncomingMessage, response: ServerResponse, goOn: () => void): Promise<void> {
    const socket = request.socket;
    const line = lines.of(socket);
    if (line === undefined || line.unanswered >= limits.pipelined) return void socket.destroy();
    line.unanswered++;
    line.newest = request;
    response.once("close", () => lines.answered(socket));
    request.on("error", () => {});
    const received = await receive(request, goOn);
    if (received === undefined) return;
    await answer(received, response);
    if (response.writableFinished || socket.destroyed) return;
    // A reader that never reads would hold the answer for ever.
    const cut = setTimeout(() => socket.destroy(), limits.requestMs).unref();
    response.once("close", () => clearTimeout(cut));
  }

  return (request, response, goOn) => {
    run(request, response, goOn).catch((error: unknown) => {
      log({ kind: "fault", method: request.method ?? "", path: "", error });
      request.socket.destroy();
    });
  };
}

function explain(error: NodeJS.ErrnoException): [number, Code, string] {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return [408, "service-request-slow", "The request did not arrive in time."];
  if (error.code === "HPE_HEADER_OVERFLOW") return [431, "service-request-too-large", "The headers are too long."];
  if (error.code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return [413, "service-request-too-large", "The chunk extensions are too long."];
  return [400, "service-request-malformed", "This is not an HTTP/1.1 request."];
}

function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::" || host === "") return "localhost";
  return isIPv6(host) ? `[${host}]` : host;
}
