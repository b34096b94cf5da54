import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { type Change, changesBytes, MAX_PLAINTEXT } from "./entries.ts";
import { counterLimit, MAX_COUNTER } from "./counters.ts";
import { newEntryId } from "./entry-id.ts";
import { change, current, type Entry, merge } from "./merge.ts";

const ID = newEntryId();

/** More writes of one field than fit one commit. */
const MOST_WRITES = Math.ceil(MAX_PLAINTEXT / (changesBytes([smallest(), smallest()]).length - changesBytes([smallest()]).length));

function smallest(): Change {
  return { entry: ID, fields: { a: [1, 0] } };
}

suite("causal counters", () => {
  test("an honest writer stays a hundred times below the limit, even if all that was ever written was written to one field", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 32 }), (index) => assert.ok(MOST_WRITES * index * 100 <= counterLimit(index))));
  });

  test("whatever others wrote as far as they may, in the next commit everybody can write after it, and it holds", () => {
    const round = fc.record({ author: fc.constantFrom("MZ", "MA"), counter: fc.option(fc.double({ min: 0, max: 1, noNaN: true })), offline: fc.integer({ min: 1, max: 8 }) });
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 2 ** 30 }), (rounds, from) => {
        let entry: Entry | undefined;
        for (const [at, { author, counter, offline }] of rounds.entries()) {
          const index = from + at;
          const before = entry;
          // The smallest author: nothing but its counter makes what it writes hold.
          for (let write = 0; write < (counter === null ? offline : 0); write++) entry = merge(entry, change(ID, entry, { a: `${index}.${write}` }), "M2");
          const most = entry?.fields["a"]?.[0]?.counter ?? 0;
          assert.ok(most <= counterLimit(index));
          if (counter === null) assert.equal(current(entry ?? assert.fail(), "a"), `${index}.${offline - 1}`);
          else entry = merge(before, { entry: ID, fields: { a: [Math.max(1, Math.floor(counterLimit(index) * counter)), "theirs"] } }, author);
        }
        const last = from + rounds.length;
        const written = change(ID, entry, { a: "mine" });
        assert.ok((written.fields["a"]?.[0] ?? Infinity) <= counterLimit(last));
        assert.equal(current(merge(entry, written, "M2"), "a"), "mine");
      }),
    );
  });

  test("the limit never leaves what numbers can count", () => {
    assert.equal(counterLimit(MAX_COUNTER), MAX_COUNTER);
    assert.ok(Number.isSafeInteger(counterLimit(2 ** 33 - 1)));
  });
});
