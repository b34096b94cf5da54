import assert from "node:assert/strict";
import { test } from "node:test";

import { udfOf } from "../udf/udf.ts";
import { openRoot, sealRoot, type SnapshotRoot } from "./snapshot.ts";

test("the epochs of a snapshot are an object by their numbers, and no list", () => {
  const catalog = udfOf<"application">("application/test", new Uint8Array(1));
  const key = new Uint8Array(32);
  const read = (epochs: unknown): SnapshotRoot => {
    const { blob, named } = sealRoot(catalog, 1, key, { epochs: epochs as SnapshotRoot["epochs"], pieces: [] });
    return openRoot({ catalog, epoch: 1, root: named }, key, blob);
  };
  assert.deepEqual(read({}).epochs, {});
  assert.throws(() => read([]), { code: "snapshot-malformed" });
});
