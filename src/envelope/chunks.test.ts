import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { randomBytes } from "../crypto/random.ts";
import { chunksOf, MAX_CHUNK, openChunk, sealChunk, sealedLength } from "./chunks.ts";

suite("chunks", () => {
  test("hold what is to be held, none over 512 KiB once sealed, and no more than an eighth besides", () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 64 << 20 })), (size) => {
        const chunks = chunksOf(size);
        const total = chunks.reduce((sum, one) => sum + one, 0);
        assert.ok(total >= size && total >= 512 && total <= Math.max(512, size * 1.125 + 1));
        assert.ok(chunks.every((one, index) => one > 0 && sealedLength(one) <= MAX_CHUNK && (index === chunks.length - 1 || sealedLength(one) === MAX_CHUNK)));
      }),
    );
  });

  test("each opens in its own place among so many, under its own key, and nowhere else", () => {
    const key = randomBytes(32);
    const chunk = randomBytes(700);
    const sealed = sealChunk(key, 1, 3, chunk);
    assert.equal(sealed.length, sealedLength(chunk.length));
    assert.deepEqual(openChunk(key, 1, 3, sealed), chunk);
    const changed = sealed.map((octet, at) => (at === 9 ? octet ^ 1 : octet));
    const rows: readonly [Uint8Array, number, number, Uint8Array][] = [[key, 0, 3, sealed], [key, 1, 2, sealed], [randomBytes(32), 1, 3, sealed], [key, 1, 3, changed], [key, 1, 3, sealed.subarray(1)], [key, 1, 3, new Uint8Array(0)]];
    for (const [under, index, count, octets] of rows) assert.equal(openChunk(under, index, count, octets), undefined);
  });
});
