import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import type { Json } from "../bytes/canonical-json.ts";
import type { Change } from "./entries.ts";
import { newEntryId } from "./entry-id.ts";
import { change, current, type Entry, isRemoved, MAX_COUNTER, merge, past, without, type Write, writes } from "./merge.ts";

const ID = newEntryId();
const field = fc.constantFrom("name", "password", "constructor", "removed");
const value: fc.Arbitrary<Json> = fc.oneof(fc.constantFrom<Json>("a", "b", null, true, 1, ["a"], { a: 1 }), fc.string());
const written = fc.record({ author: fc.constantFrom("MA", "MB", "MC"), commit: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }), fields: fc.dictionary(field, fc.tuple(fc.integer({ min: 1, max: 4 }), value), { noNullPrototype: true }) });
type Written = { author: string; commit: number | undefined; fields: Record<string, [number, Json]> };

const apply = (entry: Entry | undefined, one: Written) => merge(entry, { entry: ID, fields: one.fields }, one.author, one.commit);
const fold = (all: readonly Written[], entry?: Entry) => all.reduce<Entry | undefined>(apply, entry);
/** The same with members in one order, since the order of members says nothing. */
const shown = (entry: Entry | undefined) => JSON.stringify(Object.entries(entry?.fields ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => [name, each.map(({ author, commit, counter, value: one }) => [author, commit ?? 0, counter, one])]));

suite("merge: the laws (decision 6.3)", () => {
  test("in any order, however often, the result is the same", () => {
    fc.assert(
      fc.property(fc.array(written, { maxLength: 6 }).chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 }))), ([all, shuffled]) => {
        assert.equal(shown(fold(shuffled)), shown(fold(all)));
      }),
    );
  });

  test("what two devices saw apart, each then takes from the other, to the same result (associative)", () => {
    fc.assert(fc.property(fc.array(written), fc.array(written), (mine, yours) => assert.equal(shown(fold(yours, fold(mine))), shown(fold(mine, fold(yours))))));
  });

  test("no value is ever lost: each is the present one or in the history", () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 1 }), (all) => {
        const entry = fold(all);
        assert.ok(entry !== undefined);
        for (const { author, fields } of all) {
          for (const [name, [counter, one]] of Object.entries(fields)) {
            const kept: readonly (Write | undefined)[] = [writes(entry, name)[0], ...past(entry, name)];
            assert.ok(kept.some((write) => write?.author === author && write.counter === counter && JSON.stringify(write.value) === JSON.stringify(one)));
          }
        }
      }),
    );
  });

  test("an edit by somebody who saw the entry always wins over what he saw", () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 1 }), field, value, fc.constantFrom("MA", "MC"), (all, name, one, author) => {
        const entry = fold(all);
        assert.deepEqual(current(merge(entry, change(ID, entry, { [name]: one }), author), name), one);
      }),
    );
  });
});

suite("merge: ties and edges", () => {
  const write = (counter: number, one: Json): Change => ({ entry: ID, fields: { name: [counter, one] } });

  test("the greater counter holds, then the greater author, then the greater value; no clock is asked", () => {
    const rows: readonly (readonly [Json, readonly (readonly [number, string, Json])[]])[] = [
      ["new", [[2, "MA", "new"], [1, "MC", "old"]]],
      ["hers", [[1, "MC", "hers"], [1, "MA", "his"]]],
      ["z", [[1, "MA", "z"], [1, "MA", "a"]]],
    ];
    for (const [holds, all] of rows) {
      for (const order of [all, [...all].reverse()]) {
        const entry = order.reduce<Entry | undefined>((before, [counter, author, one]) => merge(before, write(counter, one), author), undefined);
        assert.ok(entry !== undefined);
        assert.equal(current(entry, "name"), holds);
        assert.equal(past(entry, "name").length, 1);
      }
    }
  });

  test("a write that is in two commits counts from the first of them", () => {
    for (const commits of [[3, 5], [5, 3]]) {
      const entry = commits.reduce<Entry | undefined>((before, commit) => merge(before, write(1, "x"), "MA", commit), undefined);
      assert.equal(entry?.fields["name"]?.[0]?.commit, 3);
    }
  });

  test("a removed entry keeps its fields and can come back", () => {
    let entry = merge(undefined, write(1, "x"), "MA");
    entry = merge(entry, change(ID, entry, { removed: true }), "MB");
    assert.equal(isRemoved(entry), true);
    entry = merge(entry, change(ID, entry, { removed: false }), "MA");
    assert.deepEqual([isRemoved(entry), current(entry, "name")], [false, "x"]);
  });

  test("a counter driven to its end makes nobody write what others refuse", () => {
    const entry = merge(undefined, write(MAX_COUNTER, "x"), "MZ");
    assert.equal(change(ID, entry, { name: "y" }).fields["name"]?.[0], MAX_COUNTER);
  });

  test("taking one author's late writes out leaves the rest as it was", () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 1 }), (all) => {
        const entry = fold(all);
        assert.ok(entry !== undefined);
        const kept = without(entry, (one) => one.author === "MA");
        for (const name of Object.keys(entry.fields)) assert.deepEqual(kept === undefined ? [] : writes(kept, name), writes(entry, name).filter((one) => one.author !== "MA"));
      }),
    );
  });
});
