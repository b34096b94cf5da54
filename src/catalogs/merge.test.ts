import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { canonicalJson, type Json } from "../bytes/canonical-json.ts";
import type { Digest } from "../envelope/fields.ts";
import type { Change } from "./entries.ts";
import { MAX_COUNTER } from "./counters.ts";
import { newEntryId } from "./entry-id.ts";
import { change, current, type Entry, erase, isRemoved, merge, past, type Purge, purge, without, type Write, writes } from "./merge.ts";

const ID = newEntryId();
const field = fc.constantFrom("name", "password", "constructor", "removed");
const value: fc.Arbitrary<Json> = fc.oneof(fc.constantFrom<Json>("a", "b", null, true, 1, ["a"], { a: 1 }), fc.string());
const written = fc.record({ author: fc.constantFrom("MA", "MB", "MC"), commit: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }), fields: fc.dictionary(field, fc.tuple(fc.integer({ min: 1, max: 4 }), value), { noNullPrototype: true }) });
type Written = { author: string; commit: number | undefined; fields: Record<string, [number, Json]>; purge?: { blobs: Digest[]; fields: Record<string, Record<string, number>> } };
const purging: fc.Arbitrary<Written> = fc.record({ author: fc.constantFrom("MA", "MB"), commit: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }), fields: fc.constant({}), purge: fc.record({ blobs: fc.constant([]), fields: fc.dictionary(field, fc.dictionary(fc.constantFrom("MA", "MB", "MC"), fc.integer({ min: 1, max: 4 }), { noNullPrototype: true }), { noNullPrototype: true }) }) });
/** Writes, and purges among them. */
const done: fc.Arbitrary<Written> = fc.oneof({ arbitrary: written, weight: 4 }, { arbitrary: purging, weight: 1 });

const apply = (entry: Entry | undefined, one: Written) => merge(entry, { entry: ID, fields: one.fields, ...(one.purge === undefined ? {} : { purge: one.purge }) }, one.author, one.commit);
const fold = (all: readonly Written[], entry?: Entry) => all.reduce<Entry | undefined>(apply, entry);
/** The same with members in one order, since the order of members says nothing. */
const shown = (entry: Entry | undefined) => canonicalJson({ fields: entry?.fields ?? {}, purges: entry?.purges ?? [] } as unknown as Json);
/** What still counts of an entry. */
const counting = (entry: Entry | undefined) => (entry === undefined ? [] : Object.keys(entry.fields).sort().flatMap((name) => writes(entry, name).map(({ author, counter, value: one }) => [name, author, counter, one] as const)));

suite("merge: the laws (decision 6.3)", () => {
  test("in any order, however often, the result is the same", () => {
    fc.assert(
      fc.property(fc.array(done, { maxLength: 6 }).chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 }))), ([all, shuffled]) => {
        assert.equal(shown(fold(shuffled)), shown(fold(all)));
      }),
    );
  });

  test("what two devices saw apart, each then takes from the other, to the same result (associative)", () => {
    fc.assert(fc.property(fc.array(done), fc.array(done), (mine, yours) => assert.equal(shown(fold(yours, fold(mine))), shown(fold(mine, fold(yours))))));
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

suite("purging (catalogs 9)", () => {
  const some = fc.array(done, { minLength: 1, maxLength: 8 });
  const past = (entry: Entry) => (name: string, one: Write) => one !== writes(entry, name)[0];

  test("a purge takes what its author saw and had done with, leaves the rest, and takes nothing that he did not see", () => {
    fc.assert(
      fc.property(some, fc.array(written), (seen, unseen) => {
        const entry = fold(seen);
        assert.ok(entry !== undefined);
        const purged = merge(entry, purge(entry, past(entry)), "MB");
        for (const name of Object.keys(entry.fields)) {
          const [holds, ...left] = writes(purged, name);
          assert.equal(holds, writes(entry, name)[0]);
          // Only what its author's counter cannot tell from the one that holds stays.
          assert.ok(left.every((one) => one.author === holds?.author && one.counter === holds.counter));
        }
        // Writes of authors that were not named come in as if nothing had been purged.
        const beyond = unseen.map((one) => ({ ...one, author: "MZ" }));
        assert.deepEqual(counting(fold(beyond, purged)).filter((one) => one[1] === "MZ"), counting(fold(beyond, entry)).filter((one) => one[1] === "MZ"));
      }),
    );
  });

  test("whoever knows of a purge writes beyond it: his edit counts, and holds", () => {
    fc.assert(
      fc.property(some, field, value, fc.constantFrom("MA", "MB", "MC"), (all, name, one, author) => {
        const entry = fold(all);
        assert.ok(entry !== undefined);
        const purged = merge(entry, purge(entry, () => true), "MB");
        for (const before of [purged, erase(purged, () => true)]) assert.deepEqual(current(merge(before, change(ID, before, { [name]: one }), author), name), one);
      }),
    );
  });

  test("an edit made offline before it brings back what it wrote, and nothing else", () => {
    let entry = merge(undefined, { entry: ID, fields: { name: [1, "bank"], password: [1, "old"] } }, "MA");
    const offline = change(ID, entry, { password: "new" });
    entry = merge(entry, change(ID, entry, { removed: true }), "MB");
    const gone = purge(entry, (name) => name !== "removed");
    for (const order of [[gone, offline], [offline, gone]]) {
      const both = order.reduce((before, one) => merge(before, one, one === gone ? "MB" : "MC"), entry);
      assert.deepEqual(counting(both), [["password", "MC", 2, "new"], ["removed", "MB", 1, true]]);
    }
  });

  test("a purge covers nothing that stands after it in the chain, whatever it names", () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 1 }), fc.integer({ min: 1, max: 9 }), (all, at) => {
        const greedy = { blobs: [], fields: Object.fromEntries(["name", "password", "constructor", "removed"].map((name) => [name, { MA: MAX_COUNTER - 1, MB: MAX_COUNTER - 1, MC: MAX_COUNTER - 1 }])) };
        const entry = fold(all);
        assert.ok(entry !== undefined);
        const purged = merge(entry, { entry: ID, fields: {}, purge: greedy }, "MT", at);
        for (const name of Object.keys(entry.fields)) assert.deepEqual(writes(purged, name), writes(entry, name).filter((one) => one.commit === undefined || one.commit > at));
      }),
    );
  });

  test("erasing changes nothing that counts, whenever it is done, and what is merged after it does not come back", () => {
    fc.assert(
      fc.property(fc.array(done, { maxLength: 5 }), fc.array(done, { maxLength: 5 }), (before, after) => {
        const entry = fold(before);
        // One write in two commits is nobody's work: it would count from the first, and that may be erased.
        const made = [...before, ...after].flatMap((one) => Object.entries(one.fields).map((write) => JSON.stringify([one.author, write])));
        if (entry === undefined || new Set(made).size < made.length) return;
        const erased = erase(entry, () => true);
        assert.deepEqual(counting(erased), counting(entry));
        assert.equal(Object.keys(entry.fields).every((name) => (Object.hasOwn(erased.fields, name) ? erased.fields[name] ?? [] : []).length === writes(entry, name).length), true);
        assert.deepEqual(counting(fold(after, erased)), counting(fold(after, entry)));
        assert.deepEqual(counting(fold([...before, ...after], erased)), counting(fold(after, entry)));
      }),
    );
  });

  test("a purge by somebody who was cut off before it is taken out, and what it hid is back until it is erased", () => {
    const entry = merge(merge(undefined, { entry: ID, fields: { name: [1, "bank"] } }, "MA", 1), { entry: ID, fields: { name: [2, "shop"] } }, "MA", 2);
    const purged = merge(entry, purge(entry, past(entry)), "MT", 3);
    assert.equal(counting(purged).length, 1);
    const thief = (one: Write | Purge): boolean => one.author === "MT" && (one.commit ?? 0) > 2;
    assert.deepEqual(without(purged, thief), entry);
    assert.equal(without(entry, thief), entry);
  });

  test("a field driven to the end of counters cannot be purged, so that it can still be written", () => {
    const entry = merge(merge(undefined, { entry: ID, fields: { name: [MAX_COUNTER, "x"] } }, "MA"), { entry: ID, fields: { name: [MAX_COUNTER, "y"] } }, "MA");
    assert.deepEqual(purge(entry, () => true).purge?.fields, {});
  });
});
