import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { isIPv6, type Socket } from "node:net";
import { MeshError } from "../refusals/mesh-error.ts";
import { errorBody, type HttpResponse, refuseSocket, send } from "./answer.ts";
import { defaultLimits, type Limits, tlsGroups } from "./limits.ts";
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
  readonly tls: { readonly certificatePem: string; readonly keyPkcs8Pem: string };
  /** Answers one complete request. What it throws becomes status 500 and a `fault` event, never text for the caller. */
  readonly handle: (request: HttpRequest) => Promise<HttpResponse>;
  readonly limits?: Partial<Limits>;
  readonly log?: (event: ServeEvent) => void;
};

export type Served = {
  readonly port: number;
  /** `https://HOST:PORT`; a wildcard host is shown as `localhost`. */
  readonly url: string;
  /** Stops taking connections, lets requests in flight finish, closes the idle, and cuts what is left after `graceMs` (10 s). */
  close(graceMs?: number): Promise<void>;
};

/** OpenSSL's SSL_OP_NO_TICKET; the table that names it is `node:crypto`'s, which only `crypto/` imports. */
const noTicket = 1 << 14;

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
  const held: Held = { octets: 0 };
  // TCP connections, those amid a handshake included; and requests in flight on each TLS connection.
  const sockets = new Set<Socket>();
  const inFlight = new Map<Socket, number>();
  let closing = false;

  const server = makeServer(options, limits);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("secureConnection", (socket) => {
    inFlight.set(socket, 0);
    socket.once("close", () => inFlight.delete(socket));
  });
  server.on("drop", (data) => log({ kind: "dropped", remoteAddress: plainAddress(data?.remoteAddress) }));
  server.on("tlsClientError", (error, socket) => {
    log({ kind: "handshake-failed", because: error.message, remoteAddress: plainAddress(socket.remoteAddress) });
    socket.destroy();
  });

  const refuse = (socket: Socket, status: number, code: Parameters<typeof refuseSocket>[2], message: string): void => {
    log({ kind: "refused", status, because: message, remoteAddress: plainAddress(socket.remoteAddress) });
    // With answers still owed, a refusal would be read as the answer to an earlier request.
    if ((inFlight.get(socket) ?? 0) > 1) socket.destroy();
    else refuseSocket(socket, status, code, message);
  };

  server.on("clientError", (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket;
    if (error.code === "ECONNRESET" || (inFlight.get(socket) ?? 0) > 0 && error.code !== "ERR_HTTP_REQUEST_TIMEOUT") socket.destroy();
    else if (error.code === "HPE_HEADER_OVERFLOW") refuse(socket, 431, "service-request-too-large", "The headers are too long.");
    else if (error.code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") refuse(socket, 413, "service-request-too-large", "The chunk extensions are too long.");
    else if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") refuse(socket, 408, "service-request-slow", "The request did not arrive in time.");
    else refuse(socket, 400, "service-request-malformed", "This is not an HTTP/1.1 request.");
  });

  const answer = async (request: IncomingMessage, response: ServerResponse, goOn: () => void): Promise<void> => {
    const socket = request.socket;
    const started = performance.now();
    if (request.rawHeaders.length > 2 * maxHeaderLines) return refuse(socket, 431, "service-request-too-large", `A request has at most ${maxHeaderLines} headers.`);
    const target = splitTarget(request.url ?? "");
    const headers = gatherHeaders(request.rawHeaders);
    if (target === undefined || headers === undefined) {
      return refuse(socket, 400, "service-request-malformed", "The request's target or host is malformed.");
    }
    if (Number(request.headers["content-length"] ?? 0) <= limits.bodyBytes) goOn();
    const body = await receiveBody(request, limits.bodyBytes, held, limits.heldBytes);
    if (body === "gone") return;
    if (body === "too-large") return refuse(socket, 413, "service-request-too-large", `A body has at most ${limits.bodyBytes} octets.`);
    if (body === "busy") return refuse(socket, 503, "service-busy", "The service holds all it can; try again soon.");
    const { path, query } = target;
    const method = request.method ?? "";
    const remoteAddress = plainAddress(socket.remoteAddress);
    try {
      const result = await options.handle({ method, path, query, headers, body, remoteAddress });
      send(response, result, closing);
    } catch (error) {
      log({ kind: "fault", method, path, error });
      if (response.headersSent) return void socket.destroy();
      send(response, { status: 500, headers: { "content-type": "application/json" }, body: errorBody("service-internal", "The service failed; its operator's log says why.") }, true);
    } finally {
      held.octets -= body.length;
    }
    log({ kind: "answered", method, path, status: response.statusCode, ms: performance.now() - started, remoteAddress });
    if (!response.writableFinished && !socket.destroyed) {
      // A reader that never reads would hold the answer for ever.
      const cut = setTimeout(() => socket.destroy(), limits.requestMs).unref();
      response.once("close", () => clearTimeout(cut));
    }
  };

  const take = (request: IncomingMessage, response: ServerResponse, goOn: () => void): void => {
    const socket = request.socket;
    const before = inFlight.get(socket);
    if (before === undefined || before >= limits.pipelined) return void socket.destroy();
    inFlight.set(socket, before + 1);
    response.once("close", () => {
      const now = inFlight.get(socket);
      if (now === undefined) return;
      inFlight.set(socket, now - 1);
      if (closing && now === 1) socket.end();
    });
    request.on("error", () => {});
    answer(request, response, goOn).catch((error: unknown) => {
      log({ kind: "fault", method: request.method ?? "", path: "", error });
      socket.destroy();
    });
  };
  server.on("request", (request: IncomingMessage, response: ServerResponse) => take(request, response, () => {}));
  // Without this, Node invites the body before its announced length has been looked at.
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => take(request, response, () => response.writeContinue()));

  const port = await listen(server, options);
  const shown = options.host === "0.0.0.0" || options.host === "::" || options.host === "" ? "localhost" : isIPv6(options.host) ? `[${options.host}]` : options.host;

  let closed: Promise<void> | undefined;
  const close = (graceMs = 10_000): Promise<void> => {
    closed ??= new Promise((resolve) => {
      closing = true;
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      for (const [socket, requests] of inFlight) if (requests === 0) socket.destroy();
    });
    return closed;
  };
  return { port, url: `https://${shown}:${port}`, close };
}

function makeServer(options: ServeOptions, limits: Limits): Server {
  try {
    const server = createServer({
      cert: options.tls.certificatePem,
      key: options.tls.keyPkcs8Pem,
      minVersion: "TLSv1.3",
      ecdhCurve: tlsGroups,
      secureOptions: noTicket,
      handshakeTimeout: limits.headersMs,
      maxHeaderSize: limits.headerBytes,
      headersTimeout: Math.min(limits.headersMs, limits.requestMs),
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.max(50, Math.min(2_000, limits.headersMs / 4, limits.requestMs / 4)),
      noDelay: true,
    });
    server.maxConnections = limits.connections;
    // Node's own bound drops what is over it in silence; ours refuses.
    server.maxHeadersCount = 0;
    return server;
  } catch (error) {
    throw new MeshError("service-listen-failed", `The TLS key or certificate cannot be used: ${(error as Error).message}`);
  }
}

function listen(server: Server, options: ServeOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new MeshError("service-port-taken", `Port ${options.port} of ${options.host} is taken.`, "Stop what listens there, or choose another with --port.")
          : new MeshError("service-listen-failed", `Cannot listen on ${options.host}, port ${options.port}: ${error.code ?? error.message}.`),
      );
    });
    server.listen(options.port, options.host, () => {
      const address = server.address();
      resolve(address !== null && typeof address === "object" ? address.port : options.port);
    });
  });
}
