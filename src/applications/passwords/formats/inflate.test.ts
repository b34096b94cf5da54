import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { inflate } from "./inflate.ts";
import { maxFileOctets } from "./limits.ts";

const zeros = (size: number): Uint8Array => new Uint8Array(gzipSync(new Uint8Array(size)));

test("a small file that unpacks to a huge one is given up early", async () => {
  await assert.rejects(inflate(zeros(40 * 1024 * 1024), "gzip", maxFileOctets), { code: "import-too-large" });
});

test("an attachment of nothing but zeros unpacks all the same", async () => {
  assert.equal((await inflate(zeros(10 * 1024 * 1024), "gzip", maxFileOctets)).octets.length, 10 * 1024 * 1024);
});

test("no more comes out than was asked for", async () => {
  await assert.rejects(inflate(zeros(1001), "gzip", 1000), { code: "import-too-large" });
});
