import assert from "node:assert/strict";
import { test } from "node:test";

import { udfOf } from "../udf/udf.ts";
import { newEntryId } from "./entry-id.ts";
import { openPiece, openRoot, sealPieces, sealRoot, type SnapshotRoot } from "./snapshot.ts";

test("the epochs of a snapshot are an object by their numbers, and no list", () => {
  const catalog = udfOf<"application">("application/test", new Uint8Array(1));
  const key = new Uint8Array(32);
  const read = (epochs: unknown): SnapshotRoot => {
    const { blob, named } = sealRoot(catalog, 1, key, { apart: [], epochs: epochs as SnapshotRoot["epochs"], pieces: [] });
    return openRoot({ catalog, epoch: 1, root: named }, key, blob);
  };
  assert.deepEqual(read({}).epochs, {});
  assert.throws(() => read([]), { code: "snapshot-malformed" });
});

test("a piece says nothing of commits after its snapshot: nobody would hold that against the commits", () => {
  const catalog = udfOf<"application">("application/test", new Uint8Array(1));
  const [key, author] = [new Uint8Array(32), udfOf<"device">("application/test", new Uint8Array(2))];
  const write = { fields: { name: [{ author, commit: 7, counter: 1, value: "x" }] } };
  const purge = { fields: {}, purges: [{ author, blobs: [], commit: 7, fields: { name: { [author]: 1 } } }] };
  for (const part of [write, purge]) {
    const [made] = sealPieces(catalog, 1, key, [{ id: newEntryId(), ...part }]);
    const open = (index: number) => openPiece({ catalog, index }, made?.named ?? assert.fail(), key, made?.blob ?? assert.fail());
    assert.equal(open(7).length, 1);
    assert.throws(() => open(6), { code: "snapshot-malformed" });
  }
});
