import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";
import { compareBytes, concatBytes, equalBytes, wipe } from "./equal.ts";

suite("comparing and joining octets", () => {
  test("equal means equal in every octet", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, place, flip) => {
        const other = bytes.slice();
        assert.ok(equalBytes(bytes, other));
        const at = place % bytes.length;
        other[at] = (other[at] as number) ^ flip;
        assert.ok(!equalBytes(bytes, other));
        assert.ok(!equalBytes(bytes, bytes.subarray(1)));
      }),
    );
  });

  test("the order is that of the platform, and only equal octets compare as 0", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b))));
  });

  test("joining keeps order and copies", () => {
    fc.assert(fc.property(fc.array(fc.uint8Array()), (parts) => assert.deepEqual(concatBytes(...parts), new Uint8Array(Buffer.concat(parts)))));
    const part = Uint8Array.of(1, 2);
    const whole = concatBytes(part);
    part[0] = 9;
    assert.deepEqual(whole, Uint8Array.of(1, 2));
  });

  test("wiping leaves zeros", () => {
    const secret = Uint8Array.of(1, 2, 3);
    wipe(secret);
    assert.deepEqual(secret, new Uint8Array(3));
  });
});
