import assert from "node:assert/strict";
import { test } from "node:test";

import { type Entry, merge } from "../../catalogs/merge.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { addPassword, type Edits, removePassword } from "./edit.ts";
import { findPassword, searchPasswords } from "./find.ts";
import { passwordsOf } from "./password.ts";

function login(edits: Edits & { readonly name: string }): Entry {
  return merge(undefined, addPassword([], edits), "A");
}

function found(entries: readonly Entry[], name: string, removed = false): string {
  try {
    return findPassword(entries, name, removed).id;
  } catch (error) {
    assert(error instanceof MeshError);
    return error.code;
  }
}

test("a login is found by its exact name, then by one that differs in case only, then by its identifier", () => {
  const [lower, upper, cafe] = [login({ name: "bank" }), login({ name: "BANK" }), login({ name: "Café Straße" })];
  const all = [lower, upper, cafe];
  assert.equal(found(all, "bank"), lower.id);
  assert.equal(found(all, "BANK"), upper.id);
  assert.equal(found(all, "Bank"), "password-ambiguous");
  assert.equal(found(all, upper.id), upper.id);
  assert.equal(found(all, "cafe\u0301 STRASSE"), cafe.id);
  assert.equal(found(all, "ban"), "password-not-found");
  assert.equal(found([], ""), "password-not-found");
});

test("two that were given one name offline are told apart by identifier", () => {
  const twins = [login({ name: "bank" }), login({ name: "bank" })];
  assert.equal(found(twins, "bank"), "password-ambiguous");
  assert.equal(found(twins, twins[1]?.id ?? ""), twins[1]?.id);
});

test("removed ones are found only when asked for", () => {
  const bank = login({ name: "bank" });
  const removed = merge(bank, removePassword(bank), "A");
  assert.equal(found([removed], "bank"), "password-not-found");
  assert.equal(found([removed], bank.id), "password-not-found");
  assert.equal(found([removed], "bank", true), bank.id);
  assert.equal(found([bank], "bank", true), "password-not-found");
});

test("a search wants every word somewhere, without regard to case and accents, and never looks at secrets", () => {
  const all = passwordsOf([
    login({ name: "Bank", username: "Müller", addSites: ["bank.example"], password: "hunter2", totp: "JBSW", setFields: [{ name: "PIN", value: "4711", secret: true }] }),
    login({ name: "Bücher", addTags: ["Work"], notes: "left of\nthe ΛΌΓΟΣ" }),
  ]);
  const names = (query: string): readonly string[] => searchPasswords(all, query).map((one) => one.name);
  assert.deepEqual(names("bank muller"), ["Bank"]);
  assert.deepEqual(names("WORK bucher"), ["Bücher"]);
  assert.deepEqual(names("λογος"), ["Bücher"]);
  assert.deepEqual(names("bank work"), []);
  for (const secret of ["hunter2", "JBSW", "4711", "PIN"]) assert.deepEqual(names(secret), []);
  assert.deepEqual(names(" "), ["Bank", "Bücher"]);
});
