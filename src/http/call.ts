import type { ClientRequest, IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { TLSSocket } from "node:tls";
import { MeshError } from "../refusals/mesh-error.ts";
import { CheckedAgent, type Counters, type Trust } from "./checked-agent.ts";
import { unpack } from "./compression.ts";
import { parsePortalUrl } from "./url.ts";

export type { Counters, Trust } from "./checked-agent.ts";

/** One answer, whole. */
export type Answer = {
  readonly status: number;
  /** Names in lower case. No prototype. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** DER SubjectPublicKeyInfo of the key that the peer proved to hold on the very connection that brought this answer. */
  readonly peerSpki: Uint8Array;
};

/** How long a stream's head, and each next piece of it, may take; milliseconds. */
export type StreamBounds = { readonly firstMs: number; readonly silenceMs: number };

/** An answer that goes on; `pieces` ends where the other end ended it. */
export type StreamAnswer = Omit<Answer, "body"> & { readonly pieces: AsyncIterable<Uint8Array>; /** Cuts it. */ close(): void };

/** A way to one service: TCP connections are opened when needed, checked, kept and shared. */
export interface Connection {
  /**
   * Sends one POST. `path` is in origin form, with its query; `content-length` and `host` are added.
   *
   * If a kept connection turns out to be dead before an octet of the answer came, the request is sent once more on a
   * new one: callers' requests must bear repeating, as those of sessions do (decision 8.1).
   * @throws MeshError `service-unreachable`, `service-timeout`, `service-handshake-failed`, `service-untrusted`,
   * `service-answer-too-large`, `service-answer-malformed`, `service-url`, `portal-certificate`
   */
  post(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<Answer>;
  /** Sends one GET; else as `post`. */
  get(path: string, headers: Readonly<Record<string, string>>): Promise<Answer>;
  /**
   * Sends one POST whose answer goes on: it is handed out when its head is there, and its body piece by piece.
   *
   * `service-timeout` where the head does not come within `firstMs`, and from the body where nothing comes for `silenceMs`; else as `post`. Nothing is sent twice.
   */
  stream(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array, bounds: StreamBounds): Promise<StreamAnswer>;
  /** Octets of HTTP, heads and bodies inside TLS, of all this connection's sockets so far. */
  readonly counters: Counters;
  /** Cuts everything; what is under way fails with `service-unreachable`. */
  close(): void;
}

export type CallOptions = {
  readonly trust: Trust;
  /** For one call with everything in it, opening and one repetition included; 30 s. */
  readonly timeoutMs?: number;
  /** Octets of one answer's body, as it arrives and unpacked; 8 MiB. */
  readonly maxBodyBytes?: number;
};

/** Octets of one answer's status line and headers. */
const maxHeadBytes = 16 << 10;

/**
 * Prepares calls to one service and sends nothing yet.
 *
 * Only https; answers are never redirected or cached, they unpack to no more than a body may have, and TLS sessions are never resumed, so that the
 * peer's key is checked afresh on every connection.
 * @throws MeshError `service-url`
 */
export function openConnection(url: string, options: CallOptions): Connection {
  const { host, port } = parsePortalUrl(url);
  const timeoutMs = options.timeoutMs ?? 30_000;
  const maxBodyBytes = options.maxBodyBytes ?? 8 << 20;
  const agent = new CheckedAgent(host, port, options.trust, timeoutMs);
  let closed = false;

  async function call(method: "GET" | "POST", path: string, headers: Readonly<Record<string, string>>, body: Uint8Array | undefined): Promise<Answer> {
    if (!/^\/[!-"$-~]*$/.test(path)) throw new MeshError("service-url", `"${path}" is no path of a request.`);
    if (closed) throw new MeshError("service-unreachable", "The connection was closed on this side.");
    const deadline = performance.now() + timeoutMs;
    const once = (): Promise<Answer | "stale"> => {
      const length = body === undefined ? {} : { "content-length": String(body.length) };
      const request = httpsRequest({ agent, host, port, method, path, headers: { "accept-encoding": "gzip", ...headers, ...length }, maxHeaderSize: maxHeadBytes });
      return exchange(request, body, agent, { deadline, timeoutMs, maxBodyBytes });
    };
    let answer = await once();
    if (answer === "stale" && !closed) answer = await once();
    if (answer === "stale") throw new MeshError("service-unreachable", `The connection to ${host}, port ${port}, broke.`);
    return { ...answer, body: await unpack(answer.headers["content-encoding"], answer.body, maxBodyBytes) };
  }

  return {
    post: (path, headers, body) => call("POST", path, headers, body),
    get: (path, headers) => call("GET", path, headers, undefined),
    stream: (path, headers, body, bounds) => {
      if (closed) throw new MeshError("service-unreachable", "The connection was closed on this side.");
      return beginStream(httpsRequest({ agent, host, port, method: "POST", path, headers: { ...headers, "content-length": String(body.length) }, maxHeaderSize: maxHeadBytes }), body, agent, bounds);
    },
    counters: agent.counters,
    close: () => {
      closed = true;
      agent.cut();
    },
  };
}

/** Sends one request and hands its answer out as it begins. */
function beginStream(request: ClientRequest, body: Uint8Array, agent: CheckedAgent, { firstMs, silenceMs }: StreamBounds): Promise<StreamAnswer> {
  return new Promise((resolve, reject) => {
    let late: MeshError | undefined;
    const cut = (): void => {
      late = new MeshError("service-timeout", "Nothing came in time.", "Try again.");
      request.destroy(late);
    };
    // Until the first piece, since whoever holds pieces back may well pass the head on.
    let timer = setTimeout(cut, firstMs);
    request.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(late ?? toMeshError(error));
    });
    request.on("close", () => clearTimeout(timer));
    request.on("response", (response: IncomingMessage) => {
      response.on("error", () => {});
      resolve({ status: response.statusCode ?? 0, headers: flatten(response.rawHeaders), peerSpki: agent.spkiOf(response.socket as TLSSocket), pieces: pieces(response), close: () => void request.destroy() });
    });
    /** The time for a piece runs only while somebody waits for it. */
    async function* pieces(response: IncomingMessage): AsyncGenerator<Uint8Array> {
      try {
        for await (const piece of response) {
          clearTimeout(timer);
          yield piece as Uint8Array;
          timer = setTimeout(cut, silenceMs);
        }
      } catch (error) {
        throw late ?? toMeshError(error as NodeJS.ErrnoException);
      } finally {
        clearTimeout(timer);
      }
    }
    request.end(body);
  });
}

type Bounds = { readonly deadline: number; readonly timeoutMs: number; readonly maxBodyBytes: number };

/** Sends one request and gathers its answer; "stale" when a kept connection died before it said anything. */
function exchange(request: ClientRequest, body: Uint8Array | undefined, agent: CheckedAgent, bounds: Bounds): Promise<Answer | "stale"> {
  return new Promise((resolve, reject) => {
    let settled = false;
    let answering = false;
    const settle = (outcome: Answer | "stale" | MeshError): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (outcome instanceof MeshError) reject(outcome);
      else resolve(outcome);
      // After a whole answer the socket is the agent's again; else nothing on it can be trusted to be in step.
      if (outcome instanceof MeshError) request.destroy();
    };
    const timer = setTimeout(
      () => settle(new MeshError("service-timeout", `No answer within ${bounds.timeoutMs / 1000} seconds.`, "Try again; what was sent may have arrived.")),
      Math.max(0, bounds.deadline - performance.now()),
    );
    request.on("error", (error: NodeJS.ErrnoException) => {
      const died = error.code === "ECONNRESET" || error.code === "EPIPE";
      if (died && request.reusedSocket && !answering) settle("stale");
      else settle(toMeshError(error));
    });
    request.on("response", (response: IncomingMessage) => {
      answering = true;
      const peerSpki = agent.spkiOf(response.socket as TLSSocket);
      const chunks: Uint8Array[] = [];
      let total = 0;
      const tooLarge = (): void => settle(new MeshError("service-answer-too-large", `The answer is longer than ${bounds.maxBodyBytes} octets.`));
      if (Number(response.headers["content-length"] ?? 0) > bounds.maxBodyBytes) return tooLarge();
      response.on("data", (chunk: Uint8Array) => {
        total += chunk.length;
        if (total > bounds.maxBodyBytes) return tooLarge();
        chunks.push(chunk);
      });
      response.on("error", (error) => settle(toMeshError(error)));
      response.on("end", () => {
        const whole = new Uint8Array(total);
        let at = 0;
        for (const chunk of chunks) {
          whole.set(chunk, at);
          at += chunk.length;
        }
        settle({ status: response.statusCode ?? 0, headers: flatten(response.rawHeaders), body: whole, peerSpki });
      });
    });
    request.end(body);
  });
}

function flatten(raw: readonly string[]): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? "").toLowerCase();
    const value = raw[i + 1] ?? "";
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return headers;
}

function toMeshError(error: NodeJS.ErrnoException): MeshError {
  if (error instanceof MeshError) return error;
  const code = error.code ?? "";
  if (code.startsWith("HPE_")) return new MeshError("service-answer-malformed", `The answer is not HTTP: ${error.message}.`);
  if (code.startsWith("ERR_INVALID") || code.startsWith("ERR_HTTP")) throw error;
  return new MeshError("service-unreachable", `The connection broke (${code === "" ? error.message : code}).`, "Check the network and try again.");
}
