import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { fromUtf8 } from "../bytes/text.ts";
import { joinMesh } from "../client/operations/join.ts";
import { sync } from "../client/sync.ts";
import type { Jws } from "../envelope/signed.ts";
import { createAccount } from "../protocol/accounts.ts";
import { connectStart } from "../protocol/connections.ts";
import { hello } from "../protocol/hello.ts";
import { publish, status } from "../protocol/profiles.ts";
import { MAX_BODY, SERVICE_PATH } from "../protocol/wire.ts";
import { codes } from "../refusals/codes.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { openMemoryStore } from "../store/memory.ts";
import { withFaults } from "../store/faults.ts";
import { newDevice, startPortal } from "../../test/support/world.ts";
import { address, deviceOf, household, save, whoIs } from "../../test/adversary/household.ts";
import { Buckets, networkOf } from "./limits.ts";
import { askAs, openAs, post } from "./test-asking.ts";

/** The request of a device that waits, with a signature that is false: verified, it would be refused as such. */
async function falseRequest(): Promise<{ readonly alice: Awaited<ReturnType<typeof household>>; readonly request: Jws }> {
  const alice = await household({}, await startPortal("example.com", openMemoryStore(), { policy: { beginningsPerMinute: 5 } }));
  const device = newDevice(alice.portal);
  await joinMesh(device.client, { address, portal: alice.at, deviceName: "guest" });
  const row = await device.client.rows.read((rows) => rows.get<{ request: Jws }>("joining", "joining"));
  assert.ok(row !== undefined);
  const signature = fromBase64url(row.request.signature);
  signature[100] = (signature[100] ?? 0) ^ 1;
  const payload = JSON.parse(Buffer.from(row.request.payload, "base64url").toString()) as { witness: string };
  payload.witness = (await whoIs(device)).device;
  return { alice, request: { ...row.request, payload: Buffer.from(JSON.stringify(payload)).toString("base64url"), signature: toBase64url(signature) } };
}

suite("what a portal refuses before it thinks", () => {
  const bodies: readonly [string, string | Uint8Array, string, number][] = [
    ["an empty body", "", "json-malformed", 400],
    ["a body that is cut off", '{"Hello":{', "json-malformed", 400],
    ["octets that are no text", new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), "json-malformed", 400],
    ["a body over 1 MiB", `{"Hello":{"x":"${"x".repeat(MAX_BODY)}"}}`, "json-too-large", 413],
    ["depth over 32", `{"Hello":${'{"x":'.repeat(40)}1${"}".repeat(40)}}`, "json-too-deep", 400],
    ["a member given twice", '{"Hello":{},"Hello":{}}', "json-duplicate-member", 400],
    ["two commands", '{"Hello":{},"Status":{}}', "request-malformed", 400],
    ["no command", "{}", "request-malformed", 400],
    ["a list", "[]", "request-malformed", 400],
    ["a command that nobody knows", '{"Purge":{}}', "request-unknown-command", 404],
    ["a name that every object has", '{"__proto__":{}}', "request-unknown-command", 404],
    ["a name that every object has, too", '{"constructor":{}}', "request-unknown-command", 404],
    ["a member that the command does not have", '{"Hello":{"version":2}}', "request-malformed", 400],
    ["a member of the wrong type", '{"Get":{"address":7}}', "request-malformed", 400],
    ["an identifier in another spelling", '{"CatalogRead":{"after":0,"catalog":"mabc"}}', "request-malformed", 400],
  ];
  for (const [what, body, code, statusCode] of bodies) {
    test(`${what}: ${code}`, async () => {
      const portal = await startPortal();
      const ended = await post(portal, body);
      assert.deepEqual([ended.code, ended.status], [code, statusCode]);
      assert.ok(ended.body.length < 600 && Object.hasOwn(codes, ended.code));
    });
  }

  test("another method or path is refused", async () => {
    const portal = await startPortal();
    for (const [method, path] of [["GET", SERVICE_PATH], ["POST", "/"], ["POST", `${SERVICE_PATH}/x`]] as const) assert.equal((await portal.portal.handle({ method, path, query: "", headers: {}, body: new Uint8Array(0), remote: "192.0.2.1" })).status, 400);
  });

  test("an address that asks too often is refused before its request is read, others are not, and time heals it", async () => {
    const portal = await startPortal("example.com", undefined, { policy: { anonymousPerMinute: 5 } });
    for (let count = 0; count < 5; count++) assert.equal((await askAs(portal, hello, {}, "203.0.113.1")).code, "ok");
    assert.equal((await post(portal, "junk", "203.0.113.1")).code, "service-rate-limited");
    assert.equal((await post(portal, "junk", "203.0.113.1", { "mesh-session": "A".repeat(22), "mesh-counter": "1", "mesh-mac": "x" })).code, "service-rate-limited", "a false session is a stranger");
    assert.equal((await askAs(portal, hello, {}, "203.0.113.2")).code, "ok");
    portal.clock.now += 60_000;
    assert.equal((await askAs(portal, hello, {}, "203.0.113.1")).code, "ok");
  });

  test("connections and accounts have limits of their own an address, which come before any signature is verified", async () => {
    const { alice, request } = await falseRequest();
    const said: string[] = [];
    for (let count = 0; count < 7; count++) said.push((await askAs(alice.portal, connectStart, { request })).code);
    assert.deepEqual(said, [...Array<string>(5).fill("signature-invalid"), "service-rate-limited", "service-rate-limited"]);
    assert.notEqual((await askAs(alice.portal, createAccount, { account: request, parts: [{ kind: "pin", object: request }] })).code, "service-rate-limited");
    assert.equal((await askAs(alice.portal, hello, {})).code, "ok");
    assert.equal((await askAs(alice.portal, connectStart, { request }, "203.0.113.9")).code, "signature-invalid");
  });

  test("an account that writes too often is refused before any signature is verified; its reads, and other accounts, go on", async () => {
    const portal = await startPortal("example.com", undefined, { policy: { writesPerHour: 10 } });
    const alice = await household({}, portal);
    const asking = await openAs(alice.desktop);
    const { request } = await falseRequest();
    const said: string[] = [];
    for (let count = 0; count < 20; count++) said.push((await asking.ask(publish, { parts: [{ kind: "pin", object: request }] })).code);
    assert.equal(said.at(-1), "service-rate-limited");
    assert.equal(said[0], "signed-malformed");
    assert.equal((await asking.ask(status, {})).code, "ok");
    portal.clock.now += 3_600_000;
    await save(alice.desktop, "later");
  });

  test("a bucket fills evenly, holds one period's worth, and a clock that goes back neither fills it nor stops it", () => {
    const bucket = new Buckets(60, 60_000);
    for (let count = 0; count < 60; count++) assert.ok(bucket.take("a", 0));
    assert.equal(bucket.take("a", 0), false);
    assert.equal(bucket.take("a", -10_000_000), false);
    assert.ok(bucket.take("a", -9_998_999) && !bucket.take("a", -9_998_999));
    assert.ok(Array.from({ length: 60 }, () => bucket.take("a", 10_000_000)).every((good) => good));
    assert.equal(bucket.take("a", 10_000_000), false);
  });

  test("what counts as one address is an IPv4 address, or the network part of an IPv6 one", () => {
    assert.equal(networkOf("192.0.2.1"), "192.0.2.1");
    assert.equal(networkOf("2001:db8:1:2:3:4:5:6"), networkOf("2001:0db8:1:2::ffff"));
    assert.equal(networkOf("2001:db8::1"), networkOf("2001:db8:0:0:9::"));
    assert.notEqual(networkOf("2001:db8:1:2::1"), networkOf("2001:db8:1:3::1"));
    assert.equal(networkOf("::1"), networkOf("::2"));
    assert.equal(networkOf("::ffff:192.0.2.1"), "::ffff:192.0.2.1");
  });
});

suite("what a portal tells its operator", () => {
  test("each request is one line of command, outcome and time: no name, address, identifier, digest or secret", async () => {
    const alice = await household({ laptop: "member" });
    await save(deviceOf(alice, "laptop"), "github");
    await post(alice.portal, `{"${address}":{}}`);
    await post(alice.portal, '{"Get":{"address":"nobody@example.com"}}');
    await sync(alice.desktop.client);
    assert.ok(alice.portal.events.length > 20);
    for (const event of alice.portal.events) {
      assert.deepEqual(Object.keys(event).sort(), ["command", "ms", "outcome"]);
      assert.match(event.command, /^(-|[A-Z][A-Za-z]+)$/);
      assert.ok(event.outcome === "ok" || event.outcome === "repeated" || Object.hasOwn(codes, event.outcome));
      assert.equal(typeof event.ms, "number");
    }
    assert.deepEqual(alice.portal.faults, []);
  });

  test("storage that fails is told to the operator by its code, and to whoever asks only as the portal's trouble", async () => {
    const faults = withFaults(openMemoryStore());
    const portal = await startPortal("example.com", faults.store);
    await household({}, portal);
    faults.arm({ call: 1, when: "before", fatal: true });
    const ended = await post(portal, `{"Get":{"address":"${address}"}}`);
    assert.deepEqual([ended.code, ended.status], ["service-internal", 500]);
    assert.equal(portal.events.at(-1)?.outcome, "store-failed");
    assert.equal(portal.faults.length, 1);
  });

  test("a database server that is away is told to the operator, and whoever asks is to ask again", async () => {
    const store = openMemoryStore();
    const portal = await startPortal("example.com", store);
    await household({}, portal);
    store.read = () => Promise.reject(new MeshError("store-unreachable", "The database server cannot be reached: ECONNREFUSED."));
    const ended = await post(portal, `{"Get":{"address":"${address}"}}`);
    assert.deepEqual([ended.code, ended.status], ["service-busy", 503]);
    assert.doesNotMatch(fromUtf8(ended.body), /ECONNREFUSED/);
    assert.equal(portal.events.at(-1)?.outcome, "store-unreachable");
    assert.equal(portal.faults.length, 1);
  });
});
