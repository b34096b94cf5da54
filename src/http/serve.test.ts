import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as tcpConnect } from "node:net";
import { test } from "node:test";
import { connect } from "node:tls";
import { MeshError } from "../refusals/mesh-error.ts";
import { openConnection } from "./call.ts";
import { bareSocket, octets, testIdentity, testService, text, untilClosed } from "./test-service.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("only TLS 1.3, without tickets", async (t) => {
  const service = await testService();
  t.after(() => service.close(0));
  const old = connect({ host: "127.0.0.1", port: service.port, maxVersion: "TLSv1.2", rejectUnauthorized: false });
  await assert.rejects(once(old, "secureConnect"));
  const socket = connect({ host: "127.0.0.1", port: service.port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  assert.equal(socket.getProtocol(), "TLSv1.3");
  assert.equal(socket.alpnProtocol, false);
  // A ticket would be resumable; a stateful session is not, because nothing on the server stores it.
  let session: Buffer | undefined;
  socket.on("session", (given: Buffer) => (session = given));
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await once(socket, "data");
  socket.destroy();
  const again = connect({ host: "127.0.0.1", port: service.port, rejectUnauthorized: false, ...(session === undefined ? {} : { session }) });
  await once(again, "secureConnect");
  assert.equal(again.isSessionReused(), false);
  again.destroy();
  assert.ok(service.events.some((event) => event.kind === "handshake-failed"));
});

test("a body over the limit is refused at its announcement, unread", async (t) => {
  const service = await testService(undefined, { limits: { bodyBytes: 1000 } });
  t.after(() => service.close(0));
  const connection = openConnection(service.url, { trust: "any" });
  t.after(() => connection.close());
  assert.equal((await connection.post("/", {}, new Uint8Array(1000))).status, 200);
  const refused = await connection.post("/", {}, new Uint8Array(1001));
  assert.equal(refused.status, 413);
  assert.equal(refused.headers["connection"], "close");
  assert.equal((JSON.parse(text(refused.body)) as { error: { code: string } }).error.code, "service-request-too-large");
  assert.equal((await connection.post("/", {}, new Uint8Array(5_000_000))).status, 413);
  assert.equal(service.seen.length, 1);
});

test("a chunked body is counted while it comes, and reading stops", async (t) => {
  const service = await testService(undefined, { limits: { bodyBytes: 1000 } });
  t.after(() => service.close(0));
  const socket = await bareSocket(service.port);
  socket.write("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  const said = untilClosed(socket);
  const chunk = `3e8\r\n${"x".repeat(1000)}\r\n`;
  const flood = setInterval(() => socket.write(chunk.repeat(50)), 1);
  const answer = await said;
  clearInterval(flood);
  assert.match(answer, /^HTTP\/1.1 413 .*"service-request-too-large"/s);
  const fine = await bareSocket(service.port);
  fine.write("POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nt: u\r\n\r\n");
  assert.match(await untilClosed(fine), /^HTTP\/1.1 200 .*\r\n\r\nabc$/s);
  assert.equal(service.seen.length, 1);
});

test("'Expect: 100-continue' is invited only within the limit", async (t) => {
  const service = await testService(undefined, { limits: { bodyBytes: 1000 } });
  t.after(() => service.close(0));
  const over = await bareSocket(service.port);
  over.write("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 1001\r\n\r\n");
  assert.match(await untilClosed(over), /^HTTP\/1.1 413 /);
  const within = await bareSocket(service.port);
  within.write("POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n");
  assert.match(String((await once(within, "data"))[0]), /^HTTP\/1.1 100 /);
  within.write("abc");
  assert.match(await untilClosed(within), /HTTP\/1.1 200 .*abc$/s);
});

test("malformed requests get 400 and no handler", async (t) => {
  const service = await testService();
  t.after(() => service.close(0));
  const bad = [
    "HELLO\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    "GET https://a/ HTTP/1.1\r\nhost: a\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET /\x80 HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\nx : y\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n folded\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, gzip\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
  ];
  for (const request of bad) {
    const socket = await bareSocket(service.port);
    socket.write(Buffer.from(request, "latin1"));
    // Garbage behind complete headers may cut the connection instead: its sender cannot tell what an answer would answer.
    assert.match(await untilClosed(socket), /^(HTTP\/1.1 400 .*|)$/s, JSON.stringify(request));
  }
  assert.equal(service.seen.length, 0);
});

test("a body shorter than announced reaches no handler; what is longer is not a request", async (t) => {
  const service = await testService();
  t.after(() => service.close(0));
  const short = await bareSocket(service.port);
  short.end("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc");
  await untilClosed(short);
  assert.equal(service.seen.length, 0);
  const long = await bareSocket(service.port);
  long.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
  await once(long, "data");
  long.write("defg\r\n\r\n");
  assert.match(await untilClosed(long), /^HTTP\/1.1 400 /);
  assert.equal(service.seen.length, 1);
});

test("a refusal never stands where an earlier answer is owed", async (t) => {
  const service = await testService(async () => {
    await pause(400);
    return { status: 200, body: octets("late") };
  }, { limits: { headersMs: 150, requestMs: 150 } });
  t.after(() => service.close(0));
  for (const second of ["HELLO\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\n", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9999999\r\n\r\n"]) {
    const socket = await bareSocket(service.port);
    socket.write(`GET / HTTP/1.1\r\nhost: a\r\n\r\n${second}`);
    assert.doesNotMatch(await untilClosed(socket), /HTTP\/1.1 4/);
  }
});

test("a header flood gets 431, repeated headers are joined, a prototype cannot be named", async (t) => {
  const service = await testService();
  t.after(() => service.close(0));
  const flood = await bareSocket(service.port);
  flood.write(`GET / HTTP/1.1\r\nhost: a\r\n${`x: ${"y".repeat(400)}\r\n`.repeat(60)}\r\n`);
  assert.match(await untilClosed(flood), /^HTTP\/1.1 431 .*service-request-too-large/s);
  const names = await bareSocket(service.port);
  names.write(`GET / HTTP/1.1\r\nhost: a\r\n${"a:\r\n".repeat(3000)}\r\n`);
  assert.match(await untilClosed(names), /^HTTP\/1.1 431 /);
  const many = await bareSocket(service.port);
  many.write(`GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${"a:\r\n".repeat(90)}mesh-session: 1\r\nmesh-session: 2\r\n__proto__: p\r\n\r\n`);
  assert.match(await untilClosed(many), /^HTTP\/1.1 200 /);
  const headers = service.seen[0]?.headers;
  assert.equal(headers?.["mesh-session"], "1, 2");
  assert.equal(Object.getOwnPropertyDescriptor(headers, "__proto__")?.value, "p");
});

test("slow heads, slow bodies and slow handshakes are cut in time", async (t) => {
  const service = await testService(undefined, { limits: { headersMs: 300, requestMs: 600, idleMs: 300 } });
  t.after(() => service.close(0));
  const started = performance.now();
  const head = await bareSocket(service.port);
  const body = await bareSocket(service.port);
  const silent = await bareSocket(service.port);
  const idle = await bareSocket(service.port);
  const noTls = tcpConnect(service.port, "127.0.0.1");
  head.write("GET / HTTP/1.1\r\nhost: a\r\n");
  body.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n");
  idle.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  const drip = setInterval(() => {
    if (head.writable) head.write("x: y\r\n");
    if (body.writable) body.write("z");
  }, 20);
  noTls.resume();
  noTls.on("error", () => {});
  const [headSaid, bodySaid, , idleSaid] = await Promise.all([untilClosed(head), untilClosed(body), untilClosed(silent), untilClosed(idle), once(noTls, "close")]);
  clearInterval(drip);
  assert.match(headSaid, /^HTTP\/1.1 408 .*service-request-slow/s);
  assert.match(bodySaid, /^HTTP\/1.1 408 /);
  assert.match(idleSaid, /^HTTP\/1.1 200 /);
  assert.ok(performance.now() - started < 4_000);
  assert.equal(service.seen.length, 1);
});

test("an answer that nobody reads is dropped in time", async (t) => {
  const service = await testService(async () => ({ status: 200, body: new Uint8Array(20_000_000) }), { limits: { requestMs: 300 } });
  t.after(() => service.close(0));
  const socket = await bareSocket(service.port);
  socket.pause();
  socket.on("error", () => {});
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await pause(1000);
  socket.resume();
  const said = await untilClosed(socket);
  assert.ok(said.length < 20_000_000);
});

test("pipelined requests are answered in order, and only so many at once", async (t) => {
  const service = await testService(async (request) => {
    await pause(request.path === "/1" ? 60 : 1);
    return { status: 200, body: octets(`<${request.path}>`) };
  });
  t.after(() => service.close(0));
  const socket = await bareSocket(service.port);
  socket.write([1, 2, 3].map((n) => `GET /${n} HTTP/1.1\r\nhost: a\r\n${n === 3 ? "connection: close\r\n" : ""}\r\n`).join(""));
  const bodies = [...(await untilClosed(socket)).matchAll(/<(.*?)>/g)].map((match) => match[1]);
  assert.deepEqual(bodies, ["/1", "/2", "/3"]);
  service.seen.length = 0;
  const flood = await bareSocket(service.port);
  flood.write("GET /1 HTTP/1.1\r\nhost: a\r\n\r\n".repeat(1000));
  await untilClosed(flood);
  assert.ok(service.seen.length <= 16, `${service.seen.length} handled`);
});

test("what a handler throws stays inside; malformed answers are our fault too", async (t) => {
  const service = await testService(async (request) => {
    if (request.path === "/headers") return { status: 200, headers: { "x-y": "a\nb" }, body: octets("") };
    throw new Error("secret of /home/alice");
  });
  t.after(() => service.close(0));
  const connection = openConnection(service.url, { trust: "any" });
  t.after(() => connection.close());
  for (const path of ["/", "/headers"]) {
    const answer = await connection.get(path, {});
    assert.equal(answer.status, 500);
    const { error } = JSON.parse(text(answer.body)) as { error: { code: string; message: string } };
    assert.equal(error.code, "service-internal");
    assert.doesNotMatch(error.message, /secret|alice|\bat\b/);
  }
  const fault = service.events.find((event) => event.kind === "fault");
  assert.match(String(fault?.kind === "fault" && fault.error), /secret/);
});

test("200 callers at once are all answered", async (t) => {
  const service = await testService();
  t.after(() => service.close(0));
  const connections = Array.from({ length: 200 }, () => openConnection(service.url, { trust: { spkis: [service.identity.spki] } }));
  const answers = await Promise.all(connections.map((connection, i) => connection.post("/", {}, octets(String(i)))));
  assert.deepEqual(answers.map((answer) => text(answer.body)), connections.map((_, i) => String(i)));
  const one = connections[0];
  const through = await Promise.all(connections.map((_, i) => one?.post("/", {}, octets(String(i)))));
  assert.ok(through.every((answer, i) => answer !== undefined && text(answer.body) === String(i)));
  for (const connection of connections) connection.close();
});

test("connections and held octets have an upper bound", async (t) => {
  const service = await testService(undefined, { limits: { connections: 3, heldBytes: 1500 } });
  t.after(() => service.close(0));
  const sockets = await Promise.all([1, 2, 3].map(() => bareSocket(service.port)));
  await assert.rejects(bareSocket(service.port));
  assert.ok(service.events.some((event) => event.kind === "dropped"));
  const head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n";
  sockets[0]?.write(`${head}${"x".repeat(900)}`);
  await pause(50);
  sockets[1]?.write(`${head}${"x".repeat(900)}`);
  assert.match(String(await untilClosed(sockets[1]!)), /^HTTP\/1.1 503 .*service-busy/s);
  sockets[0]?.write("x".repeat(100));
  assert.match(String((await once(sockets[0]!, "data"))[0]), /^HTTP\/1.1 200 /);
  sockets[2]?.write(`${head}${"x".repeat(1000)}`);
  assert.match(String((await once(sockets[2]!, "data"))[0]), /^HTTP\/1.1 200 /);
  for (const socket of sockets) socket.destroy();
});

test("a taken port says so", async (t) => {
  const service = await testService();
  t.after(() => service.close(0));
  await assert.rejects(testService(undefined, { port: service.port }), (error: unknown) => error instanceof MeshError && error.code === "service-port-taken" && error.exit === 1);
  const identity = await testIdentity();
  await assert.rejects(testService(undefined, { tls: { ...identity, keyPkcs8Pem: "no key" } }), (error: unknown) => error instanceof MeshError && error.code === "service-listen-failed");
  await assert.rejects(testService(undefined, { host: "192.0.2.1" }), (error: unknown) => error instanceof MeshError && error.code === "service-listen-failed");
});
