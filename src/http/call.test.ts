import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect as tcpConnect, createServer as tcpServer, type Server } from "node:net";
import { test } from "node:test";
import { createServer as tlsServer, type TlsOptions, type TLSSocket } from "node:tls";
import { makeTlsIdentity } from "../certificates/self-made.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { openConnection } from "./call.ts";
import { octets, testIdentity, testService, text } from "./test-service.ts";

const refusedAs = (code: string) => (error: unknown) => {
  assert.ok(error instanceof MeshError, String(error));
  assert.equal(error.code, code);
  return true;
};

/** A TLS peer that says what the test tells it to. */
async function peer(t: { after(f: () => void): void }, onSocket: (socket: TLSSocket) => void, options: TlsOptions = {}): Promise<{ url: string; server: Server }> {
  const identity = await testIdentity();
  const server = tlsServer({ cert: identity.certificatePem, key: identity.keyPkcs8Pem, ...options }, (socket) => {
    socket.on("error", () => {});
    onSocket(socket);
  });
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

test("a request arrives as sent and its answer comes back with the peer's key", async (t) => {
  const service = await testService(async (request) => ({ status: 201, headers: { "X-Word": "yes" }, body: request.body }));
  t.after(() => service.close(0));
  const connection = openConnection(service.url, { trust: { spkis: [service.identity.spki] } });
  t.after(() => connection.close());
  const answer = await connection.post("/.well-known/mmm?a=%2F", { "mesh-word": "one" }, octets("hello"));
  assert.equal(answer.status, 201);
  assert.equal(answer.headers["x-word"], "yes");
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["x-content-type-options"], "nosniff");
  assert.equal(text(answer.body), "hello");
  assert.deepEqual(answer.peerSpki, service.identity.spki);
  const seen = service.seen[0];
  assert.equal(seen?.method, "POST");
  assert.equal(seen?.path, "/.well-known/mmm");
  assert.equal(seen?.query, "a=%2F");
  assert.equal(seen?.headers["mesh-word"], "one");
  assert.equal(seen?.remoteAddress, "127.0.0.1");
  const empty = await connection.get("/nothing", {});
  assert.equal(empty.body.length, 0);
});

test("a swapped certificate is refused before any octet of the request", async (t) => {
  let received = 0;
  let connections = 0;
  const { url, server } = await peer(t, (socket) => {
    socket.on("data", (chunk: Uint8Array) => (received += chunk.length));
  });
  server.on("connection", () => connections++);
  const other = await makeTlsIdentity(["127.0.0.1"]);
  const connection = openConnection(url, { trust: { spkis: [other.spki] } });
  t.after(() => connection.close());
  await assert.rejects(connection.post("/", { secret: "word" }, octets("secret")), (error: unknown) => {
    refusedAs("portal-certificate")(error);
    assert.equal((error as MeshError).exit, 6);
    return true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(connections, 1);
  assert.equal(received, 0);
  assert.equal(connection.counters.sent, 0);
});

test("the key is checked again on every new connection", async (t) => {
  const first = await testService();
  const connection = openConnection(first.url, { trust: { spkis: [first.identity.spki] } });
  t.after(() => connection.close());
  await connection.get("/", {});
  await first.close();
  const impostor = await testService(undefined, { port: first.port, tls: await makeTlsIdentity(["127.0.0.1"]) });
  t.after(() => impostor.close(0));
  await assert.rejects(connection.get("/", {}), refusedAs("portal-certificate"));
  assert.equal(impostor.seen.length, 0);
});

test("'any' takes a stranger's key and names it; 'web-pki' does not", async (t) => {
  const service = await testService();
  t.after(() => service.close(0));
  const any = openConnection(service.url, { trust: "any" });
  const pki = openConnection(service.url, { trust: "web-pki" });
  t.after(() => (any.close(), pki.close()));
  assert.deepEqual((await any.get("/", {})).peerSpki, service.identity.spki);
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  t.after(() => delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"]);
  await assert.rejects(pki.get("/", {}), refusedAs("service-untrusted"));
  assert.equal(service.seen.length, 1);
});

test("TLS 1.3 with the hybrid group is what the two ends agree on", async (t) => {
  const service = await testService();
  t.after(() => service.close(0));
  const fromServer: Buffer[] = [];
  const relay = tcpServer((near) => {
    const far = tcpConnect(service.port, "127.0.0.1");
    near.pipe(far);
    far.on("data", (chunk: Buffer) => fromServer.push(chunk));
    far.pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  t.after(() => relay.close());
  const connection = openConnection(`https://127.0.0.1:${(relay.address() as AddressInfo).port}`, { trust: { spkis: [service.identity.spki] } });
  t.after(() => connection.close());
  await connection.get("/", {});
  const hello = Buffer.concat(fromServer).toString("hex");
  // ServerHello: supported_versions = 0304; key_share of 1,124 octets with group 0x11ec, X25519MLKEM768.
  assert.match(hello, /002b00020304/);
  assert.match(hello, /0033046411ec0460/);
});

test("a peer without TLS 1.3, and one without TLS, are told apart from an absent one", async (t) => {
  const { url } = await peer(t, () => {}, { maxVersion: "TLSv1.2" });
  const old = openConnection(url, { trust: "any" });
  await assert.rejects(old.get("/", {}), refusedAs("service-handshake-failed"));
  const plain = tcpServer((socket) => {
    socket.on("error", () => {});
    socket.end("SSH-2.0-OpenSSH\r\n");
  });
  plain.listen(0, "127.0.0.1");
  await once(plain, "listening");
  t.after(() => plain.close());
  await assert.rejects(openConnection(`https://127.0.0.1:${(plain.address() as AddressInfo).port}`, { trust: "any" }).get("/", {}), refusedAs("service-handshake-failed"));
  await assert.rejects(openConnection("https://127.0.0.1:1", { trust: "web-pki" }).get("/", {}), (error: unknown) => {
    refusedAs("service-unreachable")(error);
    assert.equal((error as MeshError).exit, 7);
    return true;
  });
  await assert.rejects(openConnection("https://nowhere.invalid", { trust: "web-pki" }).get("/", {}), refusedAs("service-unreachable"));
});

test("silence ends in a time-out, in the handshake and after it", async (t) => {
  const { url } = await peer(t, () => {});
  const started = performance.now();
  await assert.rejects(openConnection(url, { trust: "any", timeoutMs: 200 }).get("/", {}), refusedAs("service-timeout"));
  const mute = tcpServer(() => {});
  mute.listen(0, "127.0.0.1");
  await once(mute, "listening");
  const connection = openConnection(`https://127.0.0.1:${(mute.address() as AddressInfo).port}`, { trust: "any", timeoutMs: 200 });
  await assert.rejects(connection.get("/", {}), refusedAs("service-timeout"));
  connection.close();
  mute.close();
  assert.ok(performance.now() - started < 2_000);
});

test("an answer over the limit is cut, announced or chunked", async (t) => {
  const { url } = await peer(t, (socket) => {
    socket.once("data", (chunk: Uint8Array) => {
      if (text(chunk).includes("/announced")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n");
      else socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n${"x".repeat(1001)}\r\n`);
    });
  });
  const connection = openConnection(url, { trust: "any", maxBodyBytes: 1000 });
  t.after(() => connection.close());
  await assert.rejects(connection.get("/announced", {}), refusedAs("service-answer-too-large"));
  await assert.rejects(connection.get("/chunked", {}), refusedAs("service-answer-too-large"));
});

test("chunked answers are taken, cut ones and nonsense refused, redirects handed back", async (t) => {
  const says: Readonly<Record<string, string>> = {
    "/chunked": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nA: 1\r\na: 2\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
    "/cut": "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
    "/nonsense": "HELLO\r\n\r\n",
    "/flood": `HTTP/1.1 200 OK\r\n${`x: ${"y".repeat(20)}\r\n`.repeat(1000)}\r\n`,
    "/moved": "HTTP/1.1 307 Temporary Redirect\r\nlocation: /chunked\r\ncontent-length: 0\r\n\r\n",
  };
  const { url } = await peer(t, (socket) => {
    socket.on("data", (chunk: Uint8Array) => {
      const path = text(chunk).split(" ")[1] ?? "";
      socket.write(says[path] ?? "");
      if (path === "/cut") socket.end();
    });
  });
  const connection = openConnection(url, { trust: "any" });
  t.after(() => connection.close());
  const chunked = await connection.get("/chunked", {});
  assert.equal(text(chunked.body), "abc");
  assert.equal(chunked.headers["a"], "1, 2");
  await assert.rejects(connection.get("/cut", {}), refusedAs("service-unreachable"));
  await assert.rejects(connection.get("/nonsense", {}), refusedAs("service-answer-malformed"));
  await assert.rejects(connection.get("/flood", {}), refusedAs("service-answer-malformed"));
  assert.equal((await connection.get("/moved", {})).status, 307);
});

test("a kept connection that died is replaced once, unseen by the caller", async (t) => {
  let requests = 0;
  const { url } = await peer(t, (socket) => {
    let mine = 0;
    socket.on("data", () => {
      requests++;
      if (++mine > 1) socket.destroy();
      else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
  });
  const connection = openConnection(url, { trust: "any" });
  t.after(() => connection.close());
  await connection.get("/", {});
  await connection.get("/", {});
  assert.equal(requests, 3);
});

test("counters are the octets of HTTP, to the last one", async (t) => {
  let sent = 0;
  let received = 0;
  const { url } = await peer(t, (socket) => {
    socket.on("data", (chunk: Uint8Array) => {
      received += chunk.length;
      if (!text(chunk).endsWith("end")) return;
      const answer = `HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n${"y".repeat(70000)}`;
      sent += answer.length;
      socket.write(answer);
    });
  });
  const connection = openConnection(url, { trust: "any" });
  await connection.post("/", {}, octets("end"));
  await connection.post("/", {}, octets(`${"x".repeat(100_000)}end`));
  assert.ok(received > 100_000);
  const { sent: up, received: down } = connection.counters;
  assert.equal(up, received);
  assert.equal(down, sent);
  connection.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([connection.counters.sent, connection.counters.received], [received, sent], "a closed socket still counts");
});

test("closing fails what is under way, and later calls", async (t) => {
  const { url } = await peer(t, () => {});
  const connection = openConnection(url, { trust: "any" });
  const pending = connection.get("/", {});
  setTimeout(() => connection.close(), 50);
  await assert.rejects(pending, refusedAs("service-unreachable"));
  await assert.rejects(connection.get("/", {}), refusedAs("service-unreachable"));
  await assert.rejects(openConnection(url, { trust: "any" }).get("/ bad\r\n", {}), refusedAs("service-url"));
});
