import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";

import { MeshError } from "../../refusals/mesh-error.ts";
import { generatePassword } from "./generate.ts";

test("a password that is made has the length wanted, one of every class, and nothing that is easily misread", () => {
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 256 }), fc.boolean(), (length, symbols) => {
      const password = generatePassword({ length, symbols });
      assert.equal(password.length, length);
      for (const wanted of [/[a-z]/, /[A-Z]/, /[2-9]/]) assert.match(password, wanted);
      assert.equal(/[^A-Za-z0-9]/.test(password), symbols);
      assert.doesNotMatch(password, /[0O1lIo|`'" \\]/);
    }),
  );
  assert.equal(generatePassword().length, 20);
  for (const length of [0, 7, 257, 8.5, Number.NaN]) assert.throws(() => generatePassword({ length }), MeshError);
});

test("no character comes more often than another", () => {
  const counts = new Map<string, number>();
  const [rounds, length] = [400, 256];
  for (let round = 0; round < rounds; round++) for (const character of generatePassword({ length })) counts.set(character, (counts.get(character) ?? 0) + 1);
  assert.equal(counts.size, 66);
  const mean = (rounds * length) / counts.size;
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  // 65 degrees of freedom: above 150 by chance once in tens of millions of runs; taking octets modulo 66 gives about 700.
  assert(chiSquare < 150, `chi-square ${chiSquare}`);
});
