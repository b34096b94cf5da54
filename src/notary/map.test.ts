import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { concatBytes, equalBytes } from "../bytes/equal.ts";
import { sha256 } from "../crypto/digest.ts";
import { EMPTY_NODE, goesRight, leafNode, type MapLeaf, nodeOver, writeMapValue } from "./map.ts";
import { type MapProof, readMapProof, rootFromProof, rootWith, valueIn, writeMapProof } from "./map-proof.ts";
import { OctetReader } from "./octets.ts";
import { bucketName, PrefixMap } from "./prefix-map.ts";
import { flipped } from "./test-log.ts";

/** The definition, bit by bit: an empty subtree is 32 zeros, one leaf alone is its own hash, else both halves. */
function naive(leaves: readonly MapLeaf[], depth = 0): Uint8Array {
  if (leaves.length === 0) return new Uint8Array(32);
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return sha256(concatBytes(Uint8Array.of(2), only.key, writeMapValue(only.value)));
  const half = (right: boolean) => naive(leaves.filter(({ key }) => goesRight(key, depth) === right), depth + 1);
  return sha256(concatBytes(Uint8Array.of(3), half(false), half(true)));
}

const leafOf = (key: Uint8Array, n: number): MapLeaf => ({ key, value: { g: 1, n, index: n * 7, digest: new Uint8Array(64).fill(n) } });
/** Keys, some of which share up to 24 bits, so that buckets and single leaves come up. */
const keys = fc.uniqueArray(fc.tuple(fc.constantFrom(0, 1, 2, 21), fc.uint8Array({ minLength: 3, maxLength: 3 })), { maxLength: 24, selector: ([shared, tail]) => `${shared} ${tail}` }).map((all) => all.map(([shared, tail]) => concatBytes(new Uint8Array(shared).fill(0xa5), tail, new Uint8Array(29 - shared))));

class Buckets {
  readonly #rows = new Map<string, MapLeaf>();
  put(leaf: MapLeaf): void {
    this.#rows.set(leaf.key.toHex(), leaf);
  }
  get all(): readonly MapLeaf[] {
    return [...this.#rows.values()];
  }
  readonly read = async (name: string): Promise<readonly MapLeaf[]> => this.all.filter(({ key }) => bucketName(key) === name);
}

suite("the map (log 5.1, 5.2)", () => {
  test("its root with more leaves, or other values, follows from the ways of their keys before", async () => {
    await fc.assert(
      fc.asyncProperty(keys, fc.nat({ max: 24 }), fc.nat({ max: 3 }), async (all, before, changed) => {
        const [map, rows] = [new PrefixMap(), new Buckets()];
        const [old, added] = [all.slice(0, before), all.slice(before)];
        for (const [at, key] of old.entries()) rows.put(leafOf(key, at + 1));
        await map.refresh(old.map(bucketName), rows.read);
        const leaves = [...old.slice(0, changed), ...added].map((key) => leafOf(key, 99));
        const placings = await Promise.all(leaves.map(async (leaf) => ({ leaf, before: await map.prove(leaf.key, rows.read) })));
        for (const leaf of leaves) rows.put(leaf);
        if (leaves.length > 0) assert.deepEqual(rootWith(placings), naive(rows.all));
      }),
      { numRuns: 200 },
    );
  });

  test("its root is that of the definition, in whatever order and batches leaves come, and each is proved", async () => {
    await fc.assert(
      fc.asyncProperty(keys, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), async (all, sizes, stranger) => {
        const [map, rows] = [new PrefixMap(), new Buckets()];
        const leaves = all.map((key, at) => leafOf(key, at + 1));
        for (const batch of [...sizes.map((size) => leaves.splice(0, size)), leaves]) {
          for (const leaf of batch) rows.put(leaf);
          await map.refresh(batch.map(({ key }) => bucketName(key)), rows.read);
          assert.deepEqual(map.root, naive(rows.all));
          assert.deepEqual(nodeOver(rows.all, 0).hash, map.root);
        }
        if (all.length % 16 === 1) assert.deepEqual(PrefixMap.load(map.save()).root, map.root);
        for (const key of [...all, stranger]) {
          const proof = await map.prove(key, rows.read);
          assert.deepEqual(rootFromProof(key, proof), map.root);
          assert.deepEqual(valueIn(key, proof), rows.all.find((leaf) => equalBytes(leaf.key, key))?.value);
          const written = writeMapProof(key, proof);
          assert.deepEqual(readMapProof(key, new OctetReader(written)), proof);
        }
      }),
      { numRuns: 70 },
    );
  });

  test("every bit of a proof counts, and it serves no other key", async () => {
    const [map, rows] = [new PrefixMap(), new Buckets()];
    for (let n = 1; n <= 60; n++) rows.put(leafOf(sha256(Uint8Array.of(n)), n));
    await map.refresh(rows.all.map(({ key }) => bucketName(key)), rows.read);
    const absent = sha256(Uint8Array.of(77));
    for (const key of [sha256(Uint8Array.of(5)), absent]) {
      const written = writeMapProof(key, await map.prove(key, rows.read));
      const proves = (octets: Uint8Array, of = key): boolean => {
        const reader = new OctetReader(octets);
        const proof = readMapProof(of, reader);
        return proof !== undefined && reader.isAtEnd && equalBytes(rootFromProof(of, proof) ?? new Uint8Array(0), map.root);
      };
      assert.ok(proves(written));
      for (let bit = 0; bit < written.length * 8; bit++) assert.ok(!proves(flipped(written, bit)), `bit ${bit}`);
      assert.ok(!proves(written, sha256(Uint8Array.of(6))) && !proves(written.slice(0, -1)) && !proves(concatBytes(written, Uint8Array.of(0))));
    }
  });

  test("nobody can be shown as absent by another's leaf that is not on his way, or by a leaf alone beside nothing", () => {
    const [one, two] = [leafOf(new Uint8Array(32), 1), leafOf(new Uint8Array(32).fill(0xff), 2)];
    const honest: MapProof = { end: one, beside: [leafNode(two).hash] };
    assert.notEqual(rootFromProof(one.key, honest), undefined);
    assert.equal(rootFromProof(two.key, honest), undefined);
    assert.equal(rootFromProof(one.key, { end: one, beside: [EMPTY_NODE.hash] }), undefined);
    assert.equal(rootFromProof(one.key, { end: undefined, beside: [EMPTY_NODE.hash] }), undefined);
  });

  test("what is taken back leaves the map as it was", async () => {
    await fc.assert(
      fc.asyncProperty(keys, keys, async (before, after) => {
        const [map, rows] = [new PrefixMap(), new Buckets()];
        for (const [at, key] of before.entries()) rows.put(leafOf(key, at + 1));
        await map.refresh(before.map(bucketName), rows.read);
        const root = map.root;
        const tried = new Buckets();
        for (const leaf of [...rows.all, ...after.map((key) => leafOf(key, 99))]) tried.put(leaf);
        const undo = await map.refresh(after.map(bucketName), tried.read);
        undo();
        assert.deepEqual(map.root, root);
        for (const key of [...before, ...after]) assert.deepEqual(rootFromProof(key, await map.prove(key, rows.read)), root);
      }),
      { numRuns: 40 },
    );
  });

  test("what was kept of its upper levels reads back, or is refused as damaged", () => {
    const empty = new PrefixMap().save();
    assert.deepEqual(PrefixMap.load(empty).root, new Uint8Array(32));
    for (const octets of [empty.slice(1), concatBytes(empty, Uint8Array.of(0)), empty.with(5, 1), concatBytes(empty.with(5, 3), new Uint8Array(32)), new Uint8Array(0)]) {
      assert.throws(() => PrefixMap.load(octets), { code: "store-damaged" });
    }
  });

  test("a proof that claims a depth beyond the key, or is cut anywhere, is refused", () => {
    const key = new Uint8Array(32);
    assert.equal(rootFromProof(key, { end: undefined, beside: Array.from({ length: 257 }, () => key) }), undefined);
    for (const head of [[], [3], [0], [0, 255], [1], [2, ...new Uint8Array(20)], [0, 9, 0xff, 0xff]]) assert.equal(readMapProof(key, new OctetReader(Uint8Array.from(head))), undefined);
  });

  test("folded it is the same map, whatever it is asked next, and a change from before can still be taken back", async () => {
    const [map, rows] = [new PrefixMap(), new Buckets()];
    const leaves = Array.from({ length: 200 }, (_, at) => leafOf(sha256(Uint8Array.of(at)), at));
    const add = async (some: readonly MapLeaf[]) => {
      for (const leaf of some) rows.put(leaf);
      return map.refresh(some.map(({ key }) => bucketName(key)), rows.read);
    };
    await add(leaves.slice(0, 100));
    const [before, saved] = [map.root, map.save()];
    const undo = await add(leaves.slice(100));
    const after = map.root;
    map.fold();
    map.fold();
    assert.deepEqual(map.root, after);
    for (const { key } of leaves) {
      map.fold();
      assert.deepEqual(rootFromProof(key, await map.prove(key, rows.read)), after);
    }
    map.fold();
    const name = bucketName(leaves[0]?.key ?? assert.fail());
    assert.ok(map.knows(name, await rows.read(name)));
    map.fold();
    undo();
    assert.deepEqual([map.root, map.save()], [before, saved]);
    map.fold();
    assert.deepEqual(map.save(), saved);
    await add(leaves.slice(100));
    assert.deepEqual(map.root, after);
  });
});
