import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as tcpConnect } from "node:net";
import { test } from "node:test";
import { MeshError } from "../refusals/mesh-error.ts";
import { openConnection } from "./call.ts";
import { bareSocket, octets, testService, text, untilClosed } from "./test-service.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("closing lets a slow handler finish, closes the idle at once and takes nobody new", async () => {
  const service = await testService(async (request) => {
    if (request.path === "/slow") await pause(300);
    return { status: 200, body: octets("done") };
  });
  const connection = openConnection(service.url, { trust: "any" });
  const idle = await bareSocket(service.port);
  const handshaking = tcpConnect(service.port, "127.0.0.1");
  handshaking.on("error", () => {});
  const idleClosed = untilClosed(idle);
  const slow = connection.get("/slow", {});
  await pause(100);
  const started = performance.now();
  const closed = service.close(2_000);
  await idleClosed;
  assert.ok(performance.now() - started < 150, "the idle one did not wait");
  await assert.rejects(openConnection(service.url, { trust: "any" }).get("/", {}), (error: unknown) => error instanceof MeshError && error.code === "service-unreachable");
  const answer = await slow;
  assert.equal(text(answer.body), "done");
  assert.equal(answer.headers["connection"], "close");
  handshaking.destroy();
  await closed;
  assert.ok(performance.now() - started < 1_500);
  connection.close();
});

test("what outlasts the grace is cut, and closing twice is closing once", async () => {
  const service = await testService(() => new Promise(() => {}));
  const stuck = await bareSocket(service.port);
  stuck.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  const handshaking = tcpConnect(service.port, "127.0.0.1");
  handshaking.on("error", () => {});
  handshaking.resume();
  const said = untilClosed(stuck);
  await pause(50);
  const started = performance.now();
  await Promise.all([service.close(200), service.close(5_000)]);
  const took = performance.now() - started;
  assert.ok(took >= 190 && took < 1_500, `${took} ms`);
  assert.equal(await said, "");
  if (!handshaking.closed) await once(handshaking, "close");
});
