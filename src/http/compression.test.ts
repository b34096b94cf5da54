import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";
import type { HttpResponse } from "./answer.ts";
import { openConnection } from "./call.ts";
import { pack, unpack } from "./compression.ts";
import { octets, testService, text } from "./test-service.ts";

const signature = octets(Array.from({ length: 4000 }, (_, at) => "abcdefghijklmnop"[(at * at * 7 + at) % 16]).join(""));
const answer: HttpResponse = { status: 200, headers: { "content-type": "application/json" }, body: signature };

suite("an answer to whoever takes gzip (decision 0019)", () => {
  for (const said of ["gzip", "br, gzip", "GZIP;q=1", "gzip; q=0.5"]) {
    test(`is packed: ${said}`, async () => {
      const { headers, body } = await pack(said, answer);
      assert.equal(headers?.["content-encoding"], "gzip");
      assert.ok(body.length < signature.length);
      assert.deepEqual(new Uint8Array(gunzipSync(body)), signature);
    });
  }
  for (const said of [undefined, "", "br", "gzip;q=0", "gzip;q=0.0", "x-gzip-2"]) test(`is left as it is: ${said}`, async () => assert.equal(await pack(said, answer), answer));

  test("is left as it is if it is short or very long, is no whole answer, or has a tag", async () => {
    for (const one of [
      { ...answer, body: signature.subarray(0, 1023) },
      { ...answer, body: new Uint8Array(256 * 1024 + 1) },
      { ...answer, status: 206 },
      { ...answer, headers: { etag: '"a"' } },
    ]) assert.equal(await pack("gzip", one), one);
  });
});

suite("a packed answer", () => {
  test("arrives as it was sent", async (t) => {
    const service = await testService(async () => answer);
    t.after(() => service.close(0));
    const connection = openConnection(service.url, { trust: { spkis: [service.identity.spki] } });
    t.after(() => connection.close());
    const got = await connection.get("/", {});
    assert.equal(text(got.body), text(signature));
    assert.ok(connection.counters.received < signature.length, "it was packed on its way");
  });

  test("unpacks to no more than a body may have, and a bomb is stopped there", async () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(64 << 20)));
    await assert.rejects(unpack("gzip", bomb, 8 << 20), { code: "service-answer-too-large" });
    assert.equal((await unpack("gzip", new Uint8Array(gzipSync(new Uint8Array(1000))), 1000)).length, 1000);
    await assert.rejects(unpack("gzip", new Uint8Array(gzipSync(new Uint8Array(1001))), 1000), { code: "service-answer-too-large" });
  });

  test("in another form, cut off or damaged is refused", async () => {
    const packed = new Uint8Array(gzipSync(signature));
    await assert.rejects(unpack("br", new Uint8Array(brotliCompressSync(signature)), 1 << 20), { code: "service-answer-malformed" });
    await assert.rejects(unpack("gzip", packed.subarray(0, -9), 1 << 20), { code: "service-answer-malformed" });
    for (const at of [0, 20, packed.length - 6]) await assert.rejects(unpack("gzip", packed.map((octet, i) => (i === at ? octet ^ 1 : octet)), 1 << 20), { code: "service-answer-malformed" });
    await assert.rejects(unpack("gzip", new Uint8Array(0), 1 << 20), { code: "service-answer-malformed" });
  });
});
