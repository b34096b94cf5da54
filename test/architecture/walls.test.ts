import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { bare, importsOf } from "./imports.ts";
import { impurities, longerThan, reached, rings, strayDoors, throughWalls, untypedLines } from "./walls.ts";

// A check that cannot fail is no check: each rule is shown a house that breaks it, and one that does not.
const house = (files: Readonly<Record<string, string>>) => new Map(Object.entries(files));
const store = { "src/store/store.ts": "export type Store = 1;", "src/store/memory.ts": "export const memory = 1;" };

suite("the checker fails on a bad house", () => {
  const bad: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    ["a lower room looks up", { "src/bytes/a.ts": 'import { b } from "../udf/b.ts";', "src/udf/b.ts": "" }, /bytes may not look into udf\/b\.ts/],
    ["over several lines", { "src/bytes/a.ts": 'import {\n  b,\n} from "../udf/b.ts";', "src/udf/b.ts": "" }, /bytes may not look into/],
    ["a re-export", { "src/bytes/a.ts": 'export * from "../udf/b.ts";', "src/udf/b.ts": "" }, /bytes may not look into/],
    ["a type import counts", { "src/bytes/a.ts": 'import type { B } from "../udf/b.ts";', "src/udf/b.ts": "" }, /bytes may not look into/],
    ["an import on demand counts", { "src/bytes/a.ts": 'const b = await import("../udf/b.ts");', "src/udf/b.ts": "" }, /bytes may not look into/],
    ["the type of an import counts", { "src/bytes/a.ts": 'let b: typeof import("../udf/b.ts");', "src/udf/b.ts": "" }, /bytes may not look into/],
    ["a computed import", { "src/bytes/a.ts": "await import(name);" }, /only the running program knows/],
    ["node:crypto outside crypto", { "src/udf/a.ts": 'import { hash } from "node:crypto";' }, /udf may not import node:crypto/],
    ["node:crypto even in the shell", { "src/cli/a.ts": 'import "node:crypto";' }, /cli may not import node:crypto/],
    ["the C library even in the shell", { "src/cli/a.ts": 'const ffi = await import("node:ffi");' }, /cli may not import node:ffi/],
    ["the file system in a pure room", { "src/profiles/a.ts": 'import fs from "node:fs";' }, /profiles may not import node:fs/],
    ["a package that the room may not have", { "src/bytes/a.ts": 'import * as v from "valibot";' }, /may not import the package valibot/],
    ["a scoped package", { "src/bytes/a.ts": 'import "@noble/curves/ed25519.js";' }, /the package @noble\/curves/],
    ["the portal takes a store instead of its type", { ...store, "src/portal/a.ts": 'import { type Store, x } from "../store/store.ts";' }, /only types from store\/store\.ts/],
    ["the portal takes an engine", { ...store, "src/portal/a.ts": 'import type { memory } from "../store/memory.ts";' }, /may not look into store\/memory\.ts/],
    ["the portal opens entries", { "src/portal/a.ts": 'import "../catalogs/entries.ts";', "src/catalogs/entries.ts": "" }, /may not look into catalogs\/entries\.ts/],
    ["an application looks into another", { "src/applications/ssh/a.ts": 'import "../mail/b.ts";', "src/applications/mail/b.ts": "" }, /may not look into applications\/mail/],
    ["a front door used inside", { "src/udf/a.ts": 'import "../bytes/index.ts";', "src/bytes/index.ts": "" }, /front door/],
    ["what ships imports a test", { "src/udf/a.ts": 'import "./b.test.ts";', "src/udf/b.test.ts": "" }, /for tests/],
    ["a file that is not there", { "src/udf/a.ts": 'import "./gone.ts";' }, /not there/],
    ["a folder without a row", { "src/attic/a.ts": "" }, /no room/],
  ];
  for (const [name, files, says] of bad) test(name, () => assert.match(throughWalls(house(files)).join("\n"), says));

  test("a way to the entries over another room", () => {
    const files = house({ "src/portal/a.ts": 'import "../protocol/b.ts";', "src/protocol/b.ts": 'import "../catalogs/entries.ts";', "src/catalogs/entries.ts": "" });
    assert.match(reached(files).join(), /portal reaches src\/catalogs\/entries\.ts: src\/portal\/a\.ts -> src\/protocol\/b\.ts/);
  });
  test("a ring of types", () => {
    assert.match(rings(house({ "src/udf/a.ts": 'import type { B } from "./b.ts";', "src/udf/b.ts": 'import "./c.ts";', "src/udf/c.ts": 'import { type A } from "./a.ts";' })).join(), /a\.ts -> .*b\.ts -> .*c\.ts -> .*a\.ts/);
  });
  for (const line of ["const t = Date.now();", "f(new Date());", "Math.random()", "crypto.getRandomValues(b)", "setTimeout(f, 1)", 'fetch("x")', "process.env.HOME"]) {
    test(`a pure room: ${line}`, () => assert.equal(impurities(house({ "src/client/a.ts": line })).length, 1));
  }
  for (const line of ["let a: any;", "x as any", "Map<string, any>", "any[]", "f(): any {", "enum A { B }"]) {
    test(`gives up on types: ${line}`, () => assert.equal(untypedLines(house({ "src/udf/a.ts": line })).length, 1));
  }
  test("a long file and a stray door", () => {
    assert.equal(longerThan(house({ "src/udf/a.ts": "x\n".repeat(401) }), 400).length, 1);
    assert.equal(strayDoors(house({ "src/udf/deep/index.ts": "" })).length, 1);
  });
});

suite("the checker lets a good house pass", () => {
  test("doors, types of the store, tests and demand", () => {
    const files = house({
      ...store,
      "src/portal/a.ts": 'import type { Store } from "../store/store.ts";\nimport { type Store as S } from "../store/store.ts";',
      "src/cli/a.ts": 'const { memory } = await import("../store/memory.ts");\nimport fs from "node:fs";',
      "src/store/a.test.ts": 'import { test } from "node:test";\nimport "./memory.ts";',
    });
    assert.deepEqual(throughWalls(files), []);
    assert.deepEqual(rings(files), []);
  });
  test("words in comments, texts, templates and patterns are not code", () => {
    const source = 'const a = "import x from \'y\'"; // import "z"\n/* Date.now() */ const b = `any ${f("fetch(")} from "q"`; const c = /import "w"/.test(a);';
    assert.deepEqual(importsOf(source), []);
    assert.equal(bare(source).length, source.length);
    assert.deepEqual(impurities(house({ "src/client/a.ts": source })), []);
  });
  test("words that only look like the forbidden ones", () => {
    assert.deepEqual(untypedLines(house({ "src/udf/a.ts": 'v.union([v.any_of]); const company = 1; say("of any kind"); // any' })), []);
    assert.deepEqual(impurities(house({ "src/client/a.ts": "new Date(ms); store.fetch(x); this.process.run()" })).length, 1);
  });
});
