import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { makeTlsIdentity, type TlsIdentity } from "../certificates/self-made.ts";
import { type HttpRequest, type HttpResponse, type ServeEvent, type ServeOptions, type Served, serve } from "./serve.ts";

/** For tests only: a service on loopback with what it logged. */
export type TestService = Served & { readonly identity: TlsIdentity; readonly events: ServeEvent[]; readonly seen: HttpRequest[] };

let identity: Promise<TlsIdentity> | undefined;

/** For tests only: one TLS identity a process. */
export function testIdentity(): Promise<TlsIdentity> {
  identity ??= makeTlsIdentity(["localhost", "127.0.0.1", "::1"]);
  return identity;
}

/** For tests only: octets of a text. */
export const octets = (text: string): Uint8Array => new TextEncoder().encode(text);

/** For tests only: text of octets. */
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** For tests only: serves on a free port; by default every request is answered with its own body. */
export async function testService(handle?: (request: HttpRequest) => Promise<HttpResponse>, options: Partial<ServeOptions> = {}): Promise<TestService> {
  const made = await testIdentity();
  const events: ServeEvent[] = [];
  const seen: HttpRequest[] = [];
  const served = await serve({
    host: "127.0.0.1",
    port: 0,
    tls: made,
    handle: (request) => {
      seen.push(request);
      return handle === undefined ? Promise.resolve({ status: 200, body: request.body }) : handle(request);
    },
    log: (event) => events.push(event),
    ...options,
  });
  return { ...served, identity: made, events, seen };
}

/** For tests only: a bare TLS socket to a port, once the handshake is over. */
export async function bareSocket(port: number): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  return socket;
}

/** For tests only: everything that the peer says until it closes; a reset counts as closing. */
export async function untilClosed(socket: TLSSocket): Promise<string> {
  const chunks: Uint8Array[] = [];
  socket.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  socket.on("error", () => {});
  if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(chunks).toString();
}
