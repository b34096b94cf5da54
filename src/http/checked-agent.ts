import type { ClientRequestArgs } from "node:http";
import { Agent } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { MeshError } from "../refusals/mesh-error.ts";
import { tlsGroups } from "./limits.ts";

/**
 * Whose TLS key is acceptable.
 *
 * "any": whoever answers, for the first Hello only; "web-pki": a certificate chain to a root of this machine, for this
 * name; else one of these DER SubjectPublicKeyInfos, whatever the certificate around it says (decision 3.5).
 */
export type Trust = "any" | "web-pki" | { readonly spkis: readonly Uint8Array[] };

/** Octets of HTTP so far, inside TLS. */
export type Counters = { readonly sent: number; readonly received: number };

/** Hands a socket to HTTP only once the peer has proved its key and the key is an accepted one, so no octet goes to a stranger. */
export class CheckedAgent extends Agent {
  readonly #host: string;
  readonly #port: number;
  readonly #trust: Trust;
  readonly #timeoutMs: number;
  readonly #spkis = new WeakMap<TLSSocket, Uint8Array>();
  readonly #live = new Set<TLSSocket>();
  #sentBefore = 0;
  #receivedBefore = 0;
  readonly counters: Counters;

  constructor(host: string, port: number, trust: Trust, timeoutMs: number) {
    super({ keepAlive: true, maxSockets: 8, maxFreeSockets: 2, maxCachedSessions: 0 });
    this.#host = host;
    this.#port = port;
    this.#trust = trust;
    this.#timeoutMs = timeoutMs;
    const total = (before: () => number, now: (socket: TLSSocket) => number): number => {
      let sum = before();
      for (const socket of this.#live) sum += now(socket);
      return sum;
    };
    const sent = (): number => total(() => this.#sentBefore, (socket) => socket.bytesWritten);
    const received = (): number => total(() => this.#receivedBefore, (socket) => socket.bytesRead);
    this.counters = {
      get sent() {
        return sent();
      },
      get received() {
        return received();
      },
    };
  }

  /** The key that the peer of a socket of this agent has proved. */
  spkiOf(socket: TLSSocket): Uint8Array {
    const spki = this.#spkis.get(socket);
    if (spki === undefined) throw new Error("a socket that this agent did not check");
    return spki;
  }

  /** Cuts all sockets, those amid a handshake included. */
  cut(): void {
    this.destroy();
    for (const socket of this.#live) socket.destroy();
  }

  override createConnection(_: ClientRequestArgs, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    const webPki = this.#trust === "web-pki";
    const socket = connect({
      host: this.#host,
      port: this.#port,
      ...(isIP(this.#host) === 0 ? { servername: this.#host } : {}),
      minVersion: "TLSv1.3",
      ecdhCurve: tlsGroups,
      ALPNProtocols: ["http/1.1"],
      // Said in both cases, or NODE_TLS_REJECT_UNAUTHORIZED=0 would say it for us.
      rejectUnauthorized: webPki,
    });
    socket.setNoDelay(true);
    this.#live.add(socket);
    let settled = false;
    const settle = (error: MeshError | undefined): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (error === undefined) {
        callback?.(null, socket);
        return;
      }
      socket.destroy();
      // Node reads the second argument only when there is no error.
      callback?.(error, socket);
    };
    const timer = setTimeout(() => settle(new MeshError("service-timeout", `${this.#place} did not finish the TLS handshake in time.`)), this.#timeoutMs);
    socket.on("error", (error: NodeJS.ErrnoException) => settle(this.#explain(error)));
    socket.once("close", () => {
      this.#live.delete(socket);
      this.#sentBefore += socket.bytesWritten;
      this.#receivedBefore += socket.bytesRead;
      settle(new MeshError("service-unreachable", `${this.#place} closed the connection before TLS was up.`));
    });
    socket.once("secureConnect", () => {
      // OpenSSL's own reading of the key that signed the handshake, so that no second parser can be led astray.
      const key = socket.getPeerX509Certificate()?.publicKey.export({ type: "spki", format: "der" });
      if (key === undefined) return settle(new MeshError("service-handshake-failed", `${this.#place} showed no certificate.`));
      const spki = new Uint8Array(key);
      const trust = this.#trust;
      if (typeof trust === "object" && !trust.spkis.some((accepted) => Buffer.compare(accepted, spki) === 0)) {
        return settle(
          new MeshError("portal-certificate", `${this.#place} holds another TLS key than its portal's profile lists.`, "Something stands between you and the portal, or the portal was replaced. Nothing was sent."),
        );
      }
      this.#spkis.set(socket, spki);
      settle(undefined);
    });
    return undefined;
  }

  get #place(): string {
    return `${this.#host}, port ${this.#port},`;
  }

  #explain(error: NodeJS.ErrnoException): MeshError {
    const code = error.code ?? error.message;
    if (unreachable.has(code)) return new MeshError("service-unreachable", `${this.#place} cannot be reached (${code}).`, "Check the address and the network.");
    if (this.#trust === "web-pki" && !code.startsWith("ERR_SSL") && code !== "EPROTO") {
      return new MeshError("service-untrusted", `The certificate of ${this.#place} is not vouched for (${code}).`, "If you know the portal's identifier, add it to the address: HOST#IDENTIFIER.");
    }
    return new MeshError("service-handshake-failed", `${this.#place} does not speak TLS 1.3 as needed (${code}).`, "Check that the port is the portal's.");
  }
}

const unreachable: ReadonlySet<string> = new Set([
  "ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "EHOSTDOWN",
  "EADDRNOTAVAIL", "EACCES", "EPERM", "ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA", "EAI_NONAME", "EMFILE", "ENFILE",
]);
