import type { IncomingMessage, Server as PlainServer } from "node:http";
import { createServer, type Server } from "node:https";
import type { Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { MeshError } from "../refusals/mesh-error.ts";
import { type Limits, tlsGroups } from "./limits.ts";

/** A TLS server's certificate chain and unencrypted PKCS#8 key, both PEM. */
export type TlsMaterial = { readonly certificatePem: string; readonly keyPkcs8Pem: string };

/** OpenSSL's SSL_OP_NO_TICKET; the table that names it is `node:crypto`'s, which only `crypto/` imports. */
const noTicket = 1 << 14;

function contextOf(tls: TlsMaterial) {
  return { cert: tls.certificatePem, key: tls.keyPkcs8Pem, minVersion: "TLSv1.3", ecdhCurve: tlsGroups, secureOptions: noTicket } as const;
}

/**
 * Gives a running server another key and certificate; connections that are open keep theirs.
 * @throws MeshError `service-listen-failed` for what OpenSSL does not take; the server then goes on as it was
 */
export function renewTls(server: Server, tls: TlsMaterial): void {
  checkTls(tls);
  server.setSecureContext(contextOf(tls));
}

/**
 * Tries whether a key and a certificate can be shown, without showing them.
 * @throws MeshError `service-listen-failed`
 */
export function checkTls(tls: TlsMaterial): void {
  try {
    createSecureContext(contextOf(tls));
  } catch (error) {
    throw unusable(error);
  }
}

function unusable(error: unknown): MeshError {
  return new MeshError("service-listen-failed", `The TLS key or certificate cannot be used: ${(error as Error).message}`, "The key must be that of the first certificate, both PEM, and readable by the portal.");
}

/**
 * Makes an HTTPS server that keeps the limits which Node can keep by itself.
 * @throws MeshError `service-listen-failed` for a key or certificate that OpenSSL does not take
 */
export function makeServer(tls: TlsMaterial, limits: Limits): Server {
  try {
    const server = createServer({
      ...contextOf(tls),
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
    throw unusable(error);
  }
}

/**
 * Listens, and tells the port.
 * @throws MeshError `service-port-taken`, `service-listen-failed`
 */
export function listen(server: Server | PlainServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      reject(
        error.code === "EADDRINUSE"
          ? new MeshError("service-port-taken", `Port ${port} of ${host} is taken.`, "Stop what listens there, or choose another with --port.")
          : new MeshError("service-listen-failed", `Cannot listen on ${host}, port ${port}: ${error.code ?? error.message}.`),
      );
    };
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      const address = server.address();
      resolve(address !== null && typeof address === "object" ? address.port : port);
    });
  });
}

/** A TLS connection's requests: how many are unanswered, and the newest, which may still be arriving. */
export type Line = { unanswered: number; newest: IncomingMessage | undefined };

/** The open connections of one server: what must be known to refuse rightly and to close gently. */
export class Lines {
  /** TCP connections, those amid a handshake included. */
  readonly #sockets = new Set<Socket>();
  readonly #lines = new Map<Socket, Line>();
  readonly #server: Server;
  #closed: Promise<void> | undefined;

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("secureConnection", (socket) => {
      this.#lines.set(socket, { unanswered: 0, newest: undefined });
      socket.once("close", () => this.#lines.delete(socket));
    });
  }

  /** Whether `close` was called. */
  get closing(): boolean {
    return this.#closed !== undefined;
  }

  /** How many there are. */
  get count(): number {
    return this.#lines.size;
  }

  /** The line of a socket; undefined once it is closed. */
  of(socket: Socket): Line | undefined {
    return this.#lines.get(socket);
  }

  /** Notes that a request has been answered, or never will be. */
  answered(socket: Socket): void {
    const line = this.#lines.get(socket);
    if (line === undefined) return;
    line.unanswered--;
    if (this.closing && line.unanswered === 0) socket.destroySoon();
  }

  /** Takes nobody new, cuts who is owed nothing, waits for the rest and cuts it after `graceMs`. */
  close(graceMs: number): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      const cut = setTimeout(() => {
        for (const socket of this.#sockets) socket.destroy();
      }, graceMs);
      this.#server.close(() => {
        clearTimeout(cut);
        resolve();
      });
      for (const [socket, line] of this.#lines) if (line.unanswered === 0) socket.destroy();
    });
    return this.#closed;
  }
}
