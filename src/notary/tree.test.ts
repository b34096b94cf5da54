import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { readVectors } from "../crypto/test-vectors.ts";
import { EMPTY_ROOT, leafHash } from "./merkle.ts";
import { consistencyProof, inclusionProof, lastLeafProof, rootAt, runProof } from "./prove.ts";
import { batchesOf, flipped, naivePath, naiveRoot, naiveSubproof, someLeaves, TestLog } from "./test-log.ts";
import { partialTiles } from "./tiles.ts";
import { integrate, rootOf, treeFrom } from "./tree.ts";
import { rootFromRun, verifyConsistency, verifyInclusion } from "./verify.ts";

type Inclusion = { readonly leafIdx: number; readonly treeSize: number; readonly root: string; readonly leafHash: string; readonly proof: readonly string[] | null; readonly wantErr: boolean };
type Consistency = { readonly size1: number; readonly size2: number; readonly root1: string; readonly root2: string; readonly proof: readonly string[] | null; readonly wantErr: boolean };
type Merkle = {
  readonly classic: { readonly leafInputsHex: readonly string[]; readonly rootsHexBySize1to8: readonly string[]; readonly emptyRootHex: string };
  readonly inclusion: Readonly<Record<string, Inclusion>>;
  readonly consistency: Readonly<Record<string, Consistency>>;
};

const vectors = readVectors<Merkle>("tlog/rfc6962-merkle.json");
const octets = (base64: string): Uint8Array => Uint8Array.fromBase64(base64);
const counts = (cases: Readonly<Record<string, { readonly wantErr: boolean }>>) => [Object.keys(cases).length, Object.values(cases).filter(({ wantErr }) => wantErr).length];

suite("vectors/tlog/rfc6962-merkle.json", () => {
  test("the classic eight leaves have their roots (RFC 6962 §2.1)", () => {
    const { leafInputsHex, rootsHexBySize1to8, emptyRootHex } = vectors.classic;
    assert.equal(EMPTY_ROOT.toHex(), emptyRootHex);
    const log = new TestLog();
    for (const [at, input] of leafInputsHex.entries()) {
      log.append([leafHash(Uint8Array.fromHex(input))]);
      assert.equal(rootOf(log.tree).toHex(), rootsHexBySize1to8[at]);
    }
  });

  for (const [name, { leafIdx, treeSize, root, leafHash: leaf, proof, wantErr }] of Object.entries(vectors.inclusion)) {
    test(`inclusion ${name}: ${wantErr ? "refused" : "taken"}`, () => assert.equal(verifyInclusion(octets(leaf), leafIdx, treeSize, octets(root), (proof ?? []).map(octets)), !wantErr));
  }
  for (const [name, { size1, size2, root1, root2, proof, wantErr }] of Object.entries(vectors.consistency)) {
    test(`consistency ${name}: ${wantErr ? "refused" : "taken"}`, () => assert.equal(verifyConsistency(size1, size2, octets(root1), octets(root2), (proof ?? []).map(octets)), !wantErr));
  }

  test("none was left out", () => assert.deepEqual([counts(vectors.inclusion)[0], counts(vectors.consistency)[0]], [66, 66]));
});

suite("a tree that grows in batches (log 2.2, 2.3)", () => {
  test("has the root of RFC 6962's definition, tiles that read back as it, and its proofs, whatever the batches", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1000 }), sizes, fc.infiniteStream(fc.nat()), async (size, batches, draw) => {
        const leaves = someLeaves(size);
        const log = new TestLog();
        for (const batch of batchesOf(leaves, batches)) log.append(batch);
        assert.deepEqual(rootOf(log.tree), naiveRoot(leaves));
        assert.deepEqual(await treeFrom(size, log.read), log.tree);
        if (size === 0) return;
        const [index, before] = [draw.next().value % size, 1 + (draw.next().value % size)];
        assert.deepEqual(await rootAt(log.read, before), naiveRoot(leaves.slice(0, before)));
        assert.deepEqual(await inclusionProof(log.read, index, size), naivePath(index, leaves));
        assert.deepEqual(await consistencyProof(log.read, before, size), naiveSubproof(before, leaves, true));
        assert.deepEqual(lastLeafProof(log.tree), naivePath(size, [...leaves, leafHash(new Uint8Array(1))]));
      }),
      { numRuns: 60 },
    );
  });

  test("the hashes beside a run of leaves lead to the root, and no other leaves, place or hashes do (log 2.5)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), fc.nat(), fc.integer({ min: 1, max: 40 }), fc.nat(), async (size, at, length, bit) => {
        const leaves = someLeaves(size);
        const log = new TestLog();
        log.append(leaves);
        const from = at % size;
        const run = leaves.slice(from, Math.min(size, from + length));
        const proof = await runProof(log.read, from, from + run.length, size);
        const root = rootOf(log.tree);
        assert.deepEqual(rootFromRun(run, from, size, proof), root);
        if (run.length === 1) assert.equal(proof.length, naivePath(from, leaves).length);
        const other = flipped(run[bit % run.length] as Uint8Array, bit % 256);
        assert.notDeepEqual(rootFromRun(run.with(bit % run.length, other), from, size, proof), root);
        if (proof.length > 0) assert.notDeepEqual(rootFromRun(run, from, size, proof.with(bit % proof.length, flipped(proof[bit % proof.length] as Uint8Array, bit % 256))), root);
        if (proof.length > 0) assert.equal(rootFromRun(run, from, size, proof.slice(1)), undefined);
        assert.equal(rootFromRun(run, from, size, [...proof, root]), undefined);
        assert.notDeepEqual(rootFromRun(run, from + 1, size, proof), root);
      }),
      { numRuns: 60 },
    );
    for (const [from, size] of [[-1, 4], [0, 0], [4, 4], [2 ** 53, 2 ** 54], [0.5, 4], [0, Number.NaN]] as const) assert.equal(rootFromRun(someLeaves(1), from, size, []), undefined);
    assert.equal(rootFromRun([], 0, 4, []), undefined);
    assert.equal(rootFromRun(someLeaves(1), 2 ** 52, 2 ** 53 - 1, someLeaves(20)), undefined);
  });

  test("every proof of every tree up to 70 leaves verifies, and for no other index, size or root", async () => {
    const leaves = someLeaves(70);
    const log = new TestLog();
    const roots = [EMPTY_ROOT];
    for (const leaf of leaves) {
      log.append([leaf]);
      const size = log.tree.size;
      roots.push(rootOf(log.tree));
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(log.read, index, size);
        const [root, own] = [roots[size] as Uint8Array, leaves[index] as Uint8Array];
        assert.ok(verifyInclusion(own, index, size, root, proof));
        assert.ok(!verifyInclusion(own, index + 1, size, root, proof) && !verifyInclusion(own, index - 1, size, root, proof));
        assert.ok(!verifyInclusion(own, index, size, roots[size - 1] as Uint8Array, proof));
        const before = index + 1;
        const path = await consistencyProof(log.read, before, size);
        assert.ok(verifyConsistency(before, size, roots[before] as Uint8Array, root, path));
        assert.ok(!verifyConsistency(before, size, roots[before - 1] as Uint8Array, root, path));
        assert.ok(before === size || !verifyConsistency(before, size, root, root, path));
      }
    }
  });

  test("every bit counts: a proof with any of them turned is refused, or one hash more or fewer", async () => {
    const leaves = someLeaves(333);
    const log = new TestLog();
    log.append(leaves);
    const root = rootOf(log.tree);
    const [index, before] = [200, 129];
    const rootBefore = naiveRoot(leaves.slice(0, before));
    const inclusion = await inclusionProof(log.read, index, leaves.length);
    const consistency = await consistencyProof(log.read, before, leaves.length);
    const takes = (path: readonly Uint8Array[]) => verifyInclusion(leaves[index] as Uint8Array, index, leaves.length, root, path);
    const continues = (path: readonly Uint8Array[]) => verifyConsistency(before, leaves.length, rootBefore, root, path);
    for (const [holds, proof] of [[takes, inclusion], [continues, consistency]] as const) {
      assert.ok(holds(proof));
      for (const [at, hash] of proof.entries()) for (let bit = 0; bit < 256; bit++) assert.ok(!holds(proof.with(at, flipped(hash, bit))));
      assert.ok(!holds(proof.slice(1)) && !holds(proof.slice(0, -1)) && !holds([...proof, root]) && !holds([root, ...proof]) && !holds([]));
    }
    for (let bit = 0; bit < 256; bit++) {
      assert.ok(!verifyInclusion(flipped(leaves[index] as Uint8Array, bit), index, leaves.length, root, inclusion));
      assert.ok(!verifyConsistency(before, leaves.length, flipped(rootBefore, bit), root, consistency));
    }
  });

  test("sizes that lie are refused in no time: 2^53 and above, fractions, negative ones", () => {
    const [leaf] = someLeaves(1) as [Uint8Array];
    for (const size of [2 ** 53, 2 ** 64, -1, 0.5, Number.NaN, Infinity]) {
      assert.ok(!verifyInclusion(leaf, 0, size, leaf, []));
      assert.ok(!verifyConsistency(1, size, leaf, leaf, []));
      assert.ok(!verifyConsistency(size, 1, leaf, leaf, []));
    }
    const path = Array.from({ length: 53 }, () => leaf);
    assert.equal(verifyInclusion(leaf, 0, Number.MAX_SAFE_INTEGER, leaf, path), false);
  });

  test("a tree that was not committed leaves the one before as it was", () => {
    const log = new TestLog();
    log.append(someLeaves(1000));
    const [before, root] = [structuredClone(log.tree), rootOf(log.tree)];
    integrate(log.tree, someLeaves(700));
    assert.deepEqual(log.tree, before);
    assert.deepEqual(rootOf(log.tree), root);
  });

  test("the example of tlog-tiles: 70,000 leaves have partial tiles of 112, 17 and 1, and 256 leaves one of 1", () => {
    assert.deepEqual(partialTiles(70_000).map(({ level, width }) => [level, width]), [[0, 112], [1, 17], [2, 1]]);
    assert.deepEqual(partialTiles(256).map(({ level, width }) => [level, width]), [[1, 1]]);
    const { tree, tiles } = integrate(new TestLog().tree, someLeaves(70_000));
    assert.equal(tiles.filter(({ level }) => level === 0).length, 273);
    assert.equal(tiles.filter(({ level }) => level === 1).length, 1);
    assert.deepEqual(tree.edge.map((edge) => edge.length / 32), [112, 17, 1]);
  });
});
