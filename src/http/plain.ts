import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listen } from "./listener.ts";

/** A page of text for programs on the operator's own network: no TLS, no secret, nothing that changes anything. */
export type PlainPage = { readonly path: string; readonly contentType: string; readonly text: () => Promise<string> };

export type PlainServed = { readonly port: number; close(): Promise<void> };

/**
 * Serves one page over plain HTTP, within hard limits, and answers everything else with 404.
 * @throws MeshError `service-port-taken`, `service-listen-failed`
 */
export async function servePlain(host: string, port: number, page: PlainPage): Promise<PlainServed> {
  const server = createServer({ headersTimeout: 5_000, requestTimeout: 5_000, keepAliveTimeout: 65_000, maxHeaderSize: 8 << 10, connectionsCheckingInterval: 1_000 }, (request, response) => {
    answer(request, response, page).catch(() => response.destroy());
  });
  server.maxConnections = 32;
  const taken = await listen(server, host, port);
  server.on("error", () => undefined);
  return {
    port: taken,
    close: () => new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, page: PlainPage): Promise<void> {
  request.resume();
  if (request.url !== page.path) return void response.writeHead(404).end();
  if (request.method !== "GET" && request.method !== "HEAD") return void response.writeHead(405, { allow: "GET, HEAD" }).end();
  const body = Buffer.from(await page.text());
  response.writeHead(200, { "content-type": page.contentType, "content-length": body.length, "cache-control": "no-store", "x-content-type-options": "nosniff" });
  response.end(request.method === "HEAD" ? undefined : body);
}
