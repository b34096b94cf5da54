import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { answerResource, type Resource } from "./resource.ts";

const octets = new TextEncoder().encode("0123456789");
const tile: Resource = { octets, type: "application/octet-stream", keep: "for-ever" };
const get = (headers: Record<string, string> = {}, resource: Resource | undefined = tile) => answerResource({ method: "GET", headers }, resource);
const text = (body: Uint8Array): string => new TextDecoder().decode(body);

suite("a resource that anybody may read", () => {
  test("is given whole, kept for ever if it never changes, and asked for anew if it does", () => {
    const { status, body, headers } = get();
    assert.deepEqual([status, text(body), headers?.["cache-control"]], [200, "0123456789", "public, max-age=31536000, immutable"]);
    assert.equal(get({}, { ...tile, keep: "until-changed" }).headers?.["cache-control"], "no-cache");
  });

  test("has no tag and no parts if it is true for the moment only", () => {
    const { status, headers, body } = get({ range: "bytes=0-3", "if-none-match": "*" }, { ...tile, keep: "never" });
    assert.deepEqual([status, text(body), headers], [200, "0123456789", { "content-type": "application/octet-stream" }]);
  });

  test("is not given to whoever has it", () => {
    const tag = get().headers?.["etag"] ?? assert.fail();
    for (const had of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) assert.deepEqual([get({ "if-none-match": had }).status, get({ "if-none-match": had }).body.length], [304, 0], had);
    assert.equal(get({ "if-none-match": '"other"' }).status, 200);
    assert.notEqual(get({}, { ...tile, octets: octets.subarray(1) }).headers?.["etag"], tag);
  });

  for (const [range, part, said] of [
    ["bytes=0-3", "0123", "bytes 0-3/10"],
    ["bytes=8-", "89", "bytes 8-9/10"],
    ["bytes=8-99", "89", "bytes 8-9/10"],
    ["bytes=-3", "789", "bytes 7-9/10"],
    ["bytes=-99", "0123456789", "bytes 0-9/10"],
  ] as const) {
    test(`gives the part ${range}`, () => {
      const { status, body, headers } = get({ range });
      assert.deepEqual([status, text(body), headers?.["content-range"]], [206, part, said]);
    });
  }

  for (const range of ["bytes=5-2", "bytes=-", "bytes=0-1,3-4", "lines=0-1", "bytes=a-b", "bytes=0-9999999999999999"]) test(`is given whole where a range is none: ${range}`, () => assert.equal(get({ range }).status, 200));

  for (const range of ["bytes=10-", "bytes=10-12", "bytes=-0"]) {
    test(`has no part ${range}`, () => {
      const { status, headers } = get({ range });
      assert.deepEqual([status, headers?.["content-range"]], [416, "bytes */10"]);
    });
  }

  test("is given whole where the part asked for is of another", () => {
    const tag = get().headers?.["etag"] ?? "";
    assert.deepEqual([get({ range: "bytes=0-3", "if-range": tag }).status, get({ range: "bytes=0-3", "if-range": '"other"' }).status], [206, 200]);
    assert.equal(answerResource({ method: "HEAD", headers: { range: "bytes=0-3" } }, tile).status, 200);
  });

  test("is not there", () => assert.equal(answerResource({ method: "GET", headers: {} }, undefined).status, 404));
});
