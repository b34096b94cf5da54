import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { readBundle, writeBundle } from "./bundles.ts";
import { inclusionProof } from "./prove.ts";
import { someLeaves, TestLog } from "./test-log.ts";
import { bundlePath, parseTilePath, tilePath } from "./tiles.ts";
import { treeFrom } from "./tree.ts";

suite("paths of tiles (C2SP tlog-tiles, log 2.4)", () => {
  test("index 1234067 is x001/x234/067", () => {
    assert.equal(tilePath({ level: 3, index: 1234067, width: 256 }), "tile/3/x001/x234/067");
    assert.equal(bundlePath({ index: 1234067, width: 5 }), "tile/entries/x001/x234/067.p/5");
  });

  test("what is written reads the same", () => {
    const name = fc.record({ level: fc.integer({ min: 0, max: 63 }), index: fc.maxSafeNat(), width: fc.integer({ min: 1, max: 256 }) }, { noNullPrototype: true });
    fc.assert(fc.property(name, (tile) => {
      assert.deepEqual(parseTilePath(tilePath(tile)), { kind: "tile", name: tile });
      assert.deepEqual(parseTilePath(bundlePath(tile)), { kind: "entries", name: { ...tile, level: 0 } });
    }));
  });

  for (const path of ["tile/64/000", "tile/00/000", "tile/0/0", "tile/0/x000/000", "tile/0/000/000", "tile/0/x1234/067", "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/000.p/", "tile/-1/000", "tile/0/", "tile/0/000/", "/tile/0/000", "tile/0/../000", "tile/entries/x000/001", `tile/0/${"x999/".repeat(6)}999`, `tile/0/${"x000/".repeat(40)}000`, "tile/0/000\n", "checkpoint", ""]) {
    test(`${JSON.stringify(path.slice(0, 30))} is none`, () => assert.equal(parseTilePath(path), undefined));
  }
});

suite("bundles of entries (C2SP tlog-tiles, log 2.4)", () => {
  test("what is written reads the same", () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 }), (entries) => {
      assert.deepEqual(readBundle(writeBundle(entries), entries.length).map((entry) => entry.slice()), entries);
    }));
  });

  test("one too many, one too few, one cut short and one behind the end are refused", () => {
    const bundle = writeBundle([new Uint8Array(3), new Uint8Array(700)]);
    for (const [octets, width] of [[bundle, 1], [bundle, 3], [bundle.slice(0, -1), 2], [bundle.slice(0, 6), 2], [new Uint8Array(0), 1], [new Uint8Array([0, 0, 0]), 2]] as const) {
      assert.throws(() => readBundle(octets, width), { code: "log-tile-malformed" });
    }
    assert.throws(() => writeBundle([new Uint8Array(65_536)]), RangeError);
  });
});

test("a tile that is longer, shorter or empty is refused before anything is made of it", async () => {
  const log = new TestLog();
  log.append(someLeaves(300));
  for (const octets of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(8193), new Uint8Array(9000)]) {
    await assert.rejects(inclusionProof(async () => octets, 3, 300), { code: "log-tile-malformed" });
    await assert.rejects(treeFrom(300, async () => octets), { code: "log-tile-malformed" });
  }
});
