import assert from "node:assert/strict";
import { once } from "node:events";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { suite, test } from "node:test";

import { type Feed, sendStream } from "./answer.ts";
import { openConnection } from "./call.ts";
import { bareSocket, octets, testService, text, untilClosed } from "./test-service.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const BOUNDS = { firstMs: 2_000, silenceMs: 2_000 };

/** A service whose every answer is a stream, with what it is fed through and how many readers went. */
async function streaming(limits = {}) {
  const feeds: Feed[] = [];
  const gone = { count: 0 };
  const service = await testService(
    async () => ({
      status: 200,
      headers: { "content-type": "text/event-stream" },
      body: octets("first\n"),
      stream: (feed) => {
        feeds.push(feed);
        return { gone: () => (gone.count += 1) };
      },
    }),
    { limits },
  );
  return { service, feeds, gone };
}

suite("an answer that goes on", () => {
  test("is heard piece by piece as it is sent, until it is ended", async () => {
    const { service, feeds, gone } = await streaming();
    const connection = openConnection(service.url, { trust: "any" });
    const answer = await connection.stream("/", {}, octets(""), BOUNDS);
    assert.equal(answer.headers["content-type"], "text/event-stream");
    const heard: string[] = [];
    for await (const piece of answer.pieces) {
      heard.push(text(piece));
      if (heard.length === 1) feeds[0]?.send(octets("second\n"));
      else feeds[0]?.end();
    }
    assert.deepEqual(heard, ["first\n", "second\n"]);
    assert.equal(gone.count, 1);
    connection.close();
    await service.close();
  });

  test("whoever closes it is gone for the service, and what it held is free", async () => {
    const { service, gone } = await streaming();
    const connection = openConnection(service.url, { trust: "any" });
    const answer = await connection.stream("/", {}, octets(""), BOUNDS);
    answer.close();
    while (gone.count === 0) await pause(5);
    connection.close();
    await service.close();
  });

  test("is given up where nothing comes for too long, at first and later", async () => {
    const { service } = await streaming();
    const connection = openConnection(service.url, { trust: "any" });
    const answer = await connection.stream("/", {}, octets(""), { firstMs: 2_000, silenceMs: 50 });
    await assert.rejects(Array.fromAsync(answer.pieces), { code: "service-timeout" });
    connection.close();
    await service.close();
    const silent = await testService(() => new Promise(() => {}));
    const other = openConnection(silent.url, { trust: "any" });
    await assert.rejects(other.stream("/", {}, octets(""), { firstMs: 50, silenceMs: 50 }), { code: "service-timeout" });
    other.close();
    await silent.close(0);
  });

  test("one that breaks off is `service-unreachable`", async () => {
    const { service } = await streaming();
    const connection = openConnection(service.url, { trust: "any" });
    const answer = await connection.stream("/", {}, octets(""), BOUNDS);
    const closing = service.close(20);
    await assert.rejects(Array.fromAsync(answer.pieces), { code: "service-unreachable" });
    await closing;
    connection.close();
  });

  test("a reader that does not read is cut, before much waits for it", async () => {
    const { service, feeds, gone } = await streaming();
    const socket = await bareSocket(service.port);
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
    while (feeds.length === 0) await pause(5);
    socket.pause();
    let sent = 0;
    for (; gone.count === 0 && sent < 64 << 20; sent += 8 << 10) {
      feeds[0]?.send(new Uint8Array(8 << 10));
      await new Promise(setImmediate);
    }
    assert.equal(gone.count, 1, `${sent} octets were sent`);
    socket.destroy();
    await service.close();
  });

  test("at its end a reader that does not read is cut after the time that it has to read", async () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    response.assignSocket(new Duplex({ read: () => {}, write: () => {} }) as Socket);
    const started = performance.now();
    const gone = { count: 0 };
    await sendStream(
      response,
      { status: 200, body: octets("first\n") },
      (feed) => {
        setImmediate(() => feed.end());
        return { gone: () => (gone.count += 1) };
      },
      100,
    );
    assert.equal(gone.count, 1);
    assert.ok(performance.now() - started >= 95);
  });

  test("a service that ends waits for a stream that is ended, and cuts one that is not", async () => {
    const { service, feeds } = await streaming();
    const sockets = await Promise.all([bareSocket(service.port), bareSocket(service.port)]);
    for (const socket of sockets) socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
    while (feeds.length < 2) await pause(5);
    const [said] = [untilClosed(sockets[0] ?? assert.fail())];
    for (const socket of sockets) if (socket !== sockets[0]) socket.resume().on("error", () => {});
    const started = performance.now();
    const closed = service.close(300);
    feeds.find((_, at) => at === 0)?.end();
    feeds.find((_, at) => at === 1)?.end();
    await closed;
    assert.ok(performance.now() - started < 250);
    assert.match(await said, /first\n/);
    if (!sockets[1]?.closed) await once(sockets[1] ?? assert.fail(), "close");
  });
});
