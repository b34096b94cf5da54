import assert from "node:assert/strict";
import { test } from "node:test";

import { randomBytes } from "./random.ts";

test("random octets have their own memory, the length asked for, and do not repeat", () => {
  const bytes = randomBytes(32);
  assert.equal(bytes.length, 32);
  assert.equal(bytes.buffer.byteLength, 32);
  assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
  assert.notDeepEqual(randomBytes(32), bytes);
  assert.equal(randomBytes(0).length, 0);
});
