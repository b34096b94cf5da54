import assert from "node:assert/strict";
import { test } from "node:test";

import { merge } from "../../catalogs/merge.ts";
import { addPassword, type Edits } from "./edit.ts";
import { passwordsOf } from "./password.ts";
import { filterPasswords, parseQuery } from "./query.ts";

const login = (edits: Edits & { readonly name: string }) => merge(undefined, addPassword([], edits), "A");
const all = passwordsOf([
  login({ name: "bank", addSites: ["https://www.Bank.example:8443/login?x=1"], addTags: ["Work", "money"] }),
  login({ name: "intern", addSites: ["intranet", "10.0.0.1"], addTags: ["work"] }),
  login({ name: "shop", addSites: ["shop.example.co.uk", "not a host at all"] }),
]);
const names = (site: string | undefined, ...tags: readonly string[]): readonly string[] => filterPasswords(all, { tags, site }).map((one) => one.name);

test("a login is for its own host and for what is below it, however the two are written, and for no other", () => {
  for (const site of ["bank.example", "https://bank.example/", "http://pay.bank.example/x", "WWW.BANK.EXAMPLE", "bank.example:443"]) assert.deepEqual(names(site), ["bank"], site);
  for (const site of ["mybank.example", "example", "bank.example.evil.test", "ank.example", ""]) assert.deepEqual(names(site), [], site);
  assert.deepEqual(names("intranet"), ["intern"]);
  assert.deepEqual(names("x.intranet"), []);
  assert.deepEqual(names("10.0.0.1"), ["intern"]);
  assert.deepEqual(names("example.co.uk"), []);
});

test("tags are all wanted, whatever their case", () => {
  assert.deepEqual(names(undefined, "WORK"), ["bank", "intern"]);
  assert.deepEqual(names(undefined, "work", "money"), ["bank"]);
  assert.deepEqual(names("bank.example", "play"), []);
});

test("tag: and site: among the words of a search narrow it down", () => {
  assert.deepEqual(parseQuery(["tag:work", "alice", "site:bank.example", "tag:"]), { words: "alice tag:", filter: { tags: ["work"], site: "bank.example", folder: undefined } });
});

test("a folder holds what is in it and in those within it, whatever its case, and no other that begins so", () => {
  const all = passwordsOf(["Work", "Work/Servers", "Workshop", ""].map((folder, index) => login({ name: `n${index}`, folder })));
  const found = (folder: string) => filterPasswords(all, { tags: [], site: undefined, folder }).map((one) => one.folder);
  assert.deepEqual([found("work"), found("Work/Servers/"), found("none")], [["Work", "Work/Servers"], ["Work/Servers"], []]);
  assert.equal(parseQuery(["folder:Work"]).filter.folder, "Work");
});
