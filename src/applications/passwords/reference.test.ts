import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { isReference, readReference } from "./reference.ts";

suite("references to what is kept (passwords 7)", () => {
  test("a name, and a field of it", () => {
    assert.deepEqual(readReference("mesh://password/github"), { name: "github", field: undefined });
    assert.deepEqual(readReference("mesh://password/github/token"), { name: "github", field: "token" });
  });

  test("any name and field, once encoded as in a URL", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
    fc.assert(fc.property(text, text, (name, field) => assert.deepEqual(readReference(`mesh://password/${encodeURIComponent(name)}/${encodeURIComponent(field)}`), { name, field })));
  });

  test("anything else is refused: another kind, no name, an empty field, more parts, what does not decode, what has no end", () => {
    for (const bad of ["", "github", "mesh:/password/a", "mesh://", "mesh://password", "mesh://password/", "mesh://password//f", "mesh://password/a/", "mesh://password/a/b/c", "mesh://contact/a", "mesh://password/%", "mesh://password/%ff", `mesh://password/${"a".repeat(5000)}`]) {
      assert.throws(() => readReference(bad), { code: "reference-malformed" }, bad);
    }
    assert.equal(isReference("https://password/a"), false);
  });
});
