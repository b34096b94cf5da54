import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";

import { type Entry, merge } from "../../../catalogs/merge.ts";
import { addPassword, editPassword, removePassword } from "../edit.ts";
import { limits } from "../limits.ts";
import { passwordsOf } from "../password.ts";
import { emptyItem, type Item, itemOf } from "./item.ts";
import { Names } from "./names.ts";
import { type Contents, planImport } from "./plan.ts";
import { applied, planOf, vector, written } from "./test-files.ts";

const octets = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const contents = (items: readonly Item[]): Contents => ({ items, folders: [], failed: [], kept: new Set() });
const login = (title: string, username?: string, more: Partial<Item> = {}): Item => ({ ...emptyItem, title, texts: username === undefined ? {} : { username }, ...more });
const namesOf = (entries: readonly Entry[]): readonly string[] => passwordsOf(entries).map(({ name }) => name).sort();
const added = (name: string, entries: readonly Entry[] = []): Entry => merge(undefined, addPassword(entries, { name, password: "here before" }), "A");

test("names are those of the file, each once: the user name follows one that is taken, then numbers", () => {
  const items = [login("mail", "alice"), login("mail", "bob"), login("mail", "bob", { tags: ["x"] }), login("mail"), login("mail", undefined, { tags: ["y"] })];
  assert.deepEqual(namesOf(applied(planImport([], contents(items)))), ["mail", "mail (2)", "mail (3)", "mail (4)", "mail (bob)"]);
  const there = [added("mail")];
  assert.deepEqual(namesOf(applied(planImport(there, contents(items.slice(0, 2))), there)), ["mail", "mail (alice)", "mail (bob)"]);
  const removed = merge(there[0], removePassword(there[0] as Entry), "A");
  assert.deepEqual(namesOf(applied(planImport([removed], contents(items.slice(0, 1))), [removed])), ["mail"]);
});

test("a title that is no name is mended, and comes back as it was", async () => {
  const names = new Names([]);
  const give = (title: string, sites: readonly string[] = [], username?: string): string => names.give(login(title, username, { sites }));
  assert.deepEqual([give("", ["https://shop.example/x"]), give(" \u0007\n", ["not a url"]), give("", [], "alice"), give(""), give("")], ["shop.example", "not a url", "alice", "login", "login (2)"]);
  assert.deepEqual([give("two\nlines"), give("e\u0301")], ["two lines", "\u00e9"]);
  for (const title of ["x".repeat(1000), "\u00e9".repeat(1000), "🌍".repeat(1000)]) {
    for (const name of [give(title), give(title, [], "u".repeat(1000)), give(title)]) assert(new TextEncoder().encode(name).length <= limits.name && name.isWellFormed());
  }
  const plan = await planOf(octets(`name,url,username,password\n"two\nlines",,a,b\n`));
  assert.equal(await written(applied(plan), "chrome-csv"), `name,url,username,password,note\n"two\nlines",,a,b,\n`);
});

test("the same items get the same names, whatever they are called, and no name is given twice", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom("a", "b", "a (2)", "a (u)", "", " a "), fc.constantFrom("u", "v", undefined)), { maxLength: 20 }), (list) => {
      const give = (): readonly string[] => {
        const names = new Names(["a"]);
        return list.map(([title, username]) => names.give(login(title, username)));
      };
      const first = give();
      assert.deepEqual(give(), first);
      assert.equal(new Set([...first, "a"]).size, list.length + 1);
    }),
  );
});

test("a name given here is exported, once it is one of its owner's choice", async () => {
  const entries = applied(planImport([], contents([login("mail", "alice"), login("mail", "bob")])));
  assert.match(await written(entries, "chrome-csv"), /^mail,,alice,,\nmail,,bob,,$/m);
  const second = entries.find((entry) => itemOf(entry).name === "mail (bob)") as Entry;
  const renamed = merge(second, editPassword(entries, second, { name: "Bob's" }) as never, "A");
  assert.match(await written([...entries.filter((entry) => entry !== second), renamed], "chrome-csv"), /^Bob's,,bob,,\nmail,,alice,,$/m);
});

test("an item that an entry cannot hold is named with what is wrong, and the others come in", async () => {
  const item = (name: string, more: object): object => ({ type: 1, name, notes: null, favorite: false, login: {}, ...more });
  const bad: readonly (readonly [object, RegExp])[] = [
    [item("long notes", { notes: "x".repeat(limits.notes + 1) }), /notes is longer than 65536/],
    [item("user name of two lines", { login: { username: "a\nb" } }), /user name holds a line break/],
    [item("long field", { fields: [{ name: "f", value: "x".repeat(limits.fieldValue + 1), type: 0 }] }), /field "f" is longer/],
    [item("many fields", { fields: Array.from({ length: limits.fields + 1 }, (_, index) => ({ name: `f${index}`, value: "", type: 0 })) }), /more than 64 fields/],
    [item("together too much", { notes: "x".repeat(limits.notes), fields: Array.from({ length: 40 }, (_, index) => ({ name: `f${index}`, value: "x".repeat(limits.fieldValue), type: 0 })) }), /together is larger/],
    [item("password is a number", { login: { password: 7 } }), /password is no text/],
    [item("fields are no list", { fields: 7 }), /fields is no list/],
    [item("kept too deep", { deep: JSON.parse(`${"[".repeat(27)}1${"]".repeat(27)}`) as object }), /too deep/],
  ];
  const file = { encrypted: false, folders: [], items: [...bad.map(([one]) => one), 7, null, item("good", {})] };
  const plan = await planOf(octets(file));
  assert.deepEqual([plan.imported, namesOf(applied(plan))], [1, ["good"]]);
  assert.deepEqual(plan.failed.map(({ title }) => title).sort(), [...bad.map(([one]) => (one as { name: string }).name), "item 10", "item 9"].sort());
  for (const [one, why] of bad) assert.match(plan.failed.find(({ title }) => title === (one as { name: string }).name)?.why ?? "", why);
  assert(plan.failed.every(({ why }) => !why.includes("xxx")), "no value gets into a sentence");
});

test("what differs in anything is another item; what is equal is there already, whoever wrote it", async () => {
  const file = JSON.parse(new TextDecoder().decode(vector("bitwarden", "valid", "everything.json"))) as { items: { name: string; notes: string | null }[] };
  const entries = applied(await planOf(octets(file)));
  const changed = { ...file, items: file.items.map((item, index) => (index === 0 ? { ...item, notes: "changed in Bitwarden" } : item)) };
  const plan = await planOf(octets(changed), entries);
  assert.deepEqual([plan.imported, plan.already, namesOf(applied(plan, entries)).filter((name) => name.startsWith("Überbank"))], [1, 6, ["Überbank", "Überbank (alice@example.com)", "Überbank (bob)"]]);
  assert.equal((await planOf(octets({ ...file, items: [...file.items, ...file.items] }))).imported, 7);
});

test("of two entries that came from one, each has an identifier of its own in an export", async () => {
  const first = applied(await planOf(vector("keepassxc-xml", "valid", "everything.xml")));
  const changed = new TextDecoder().decode(vector("keepassxc-xml", "valid", "everything.xml")).replace(">toor<", ">changed<");
  const both = applied(await planOf(octets(changed), first), first);
  const uuids = [...(await written(both, "keepassxc-xml")).matchAll(/<Entry>\s*<UUID>([^<]*)<\/UUID>\s*<IconID>[^]*?<String>/g)].map(([, uuid]) => uuid);
  const entries = uuids.filter((uuid) => uuid !== "AAAAAAAAAAAAAAAAAAABAQ==");
  assert.deepEqual([entries.length, new Set(entries).size], [4, 4]);
});

test("folders come once, those with nothing in them too", async () => {
  const first = await planOf(vector("bitwarden", "valid", "everything.json"));
  const entries = applied(first);
  const folders = (of: readonly Entry[]): number => of.filter((entry) => entry.fields["kind"]?.[0]?.value === "folder").length;
  assert.equal(folders(entries), 3);
  const again = await planOf(vector("keepassxc-xml", "valid", "everything.xml"), entries);
  // Work is there; the group that holds all, the two within it and the empty one are not.
  assert.equal(folders(applied(again, entries)), 5);
  const all = applied(again, entries);
  assert.match(await written(all, "bitwarden"), /"name": "Nothing in it"/);
  // What each program keeps about the folder that both have is there.
  assert.match(await written(all, "bitwarden"), /"id": "9d8f5ad2-1f0c-4c1e-9c0b-6b6f3b1f0a01",\n\s*"name": "Work"/);
  assert.match(await written(all, "keepassxc-xml"), /<Name>Work<\/Name>\s*<Notes>What the company gave me<\/Notes>/);
  assert.equal((await planOf(vector("keepassxc-xml", "valid", "everything.xml"), all)).changes.length, 0);
});

test("a password changed here is exported among the earlier ones", async () => {
  const entries = applied(await planOf(vector("bitwarden", "valid", "everything.json")));
  const bank = entries.find((entry) => itemOf(entry).texts.username === "alice@example.com") as Entry;
  const changed = merge(bank, editPassword(entries, bank, { password: "brand new" }) as never, "A");
  const all = [...entries.filter((entry) => entry !== bank), changed];
  const out = JSON.parse(await written(all, "bitwarden")) as { items: { name: string; login?: { username: string; password: string }; passwordHistory: { password: string }[] | null }[] };
  const item = out.items.find((one) => one.login?.username === "alice@example.com");
  assert.equal(item?.login?.password, "brand new");
  assert.deepEqual(item?.passwordHistory?.map(({ password }) => password), [" leading and trailing spaces ", "the-one-before", 'first "quoted" \\ one']);
  assert.match(await written(all, "keepassxc-xml"), /<History>[^]*the-one-before[^]*> leading and trailing spaces <[^]*<\/History>/);
});

test("from one program to another: kinds, folders, sites and codes go along through KeePass and back", async () => {
  const entries = applied(await planOf(vector("bitwarden", "valid", "everything.json")));
  const back = applied(await planOf(octets(await written(entries, "keepassxc-xml"))));
  const told = (all: readonly Entry[]) => passwordsOf(all).map(({ kind, username, password, notes, totp, folder, sites, details }) => ({ kind, username, password, notes, totp, folder, sites, details }));
  const sorted = (list: readonly object[]): readonly string[] => list.map((one) => JSON.stringify(one)).sort();
  assert.deepEqual(sorted(told(back)), sorted(told(entries)));
});

test("exports of organisations and of earlier versions are read: collections are folders, wrapped items are items", async () => {
  const [shared] = passwordsOf(applied(await planOf(vector("bitwarden", "valid", "older-organisation.json"))));
  assert.deepEqual([shared?.name, shared?.folder, shared?.notes, shared?.totp], ["Staging", "Team/Web", undefined, undefined]);
  const wrapped = { accounts: [{ vaults: [{ attrs: { name: "Private" }, items: [{ item: { uuid: "x", categoryUuid: "001", trashed: false, details: { loginFields: [{ value: "alice", designation: "username", fieldType: "T", id: "", name: "" }] }, overview: { title: "old", url: "https://old.example" } } }] }] }] };
  const { readOnePux } = await import("./one-pux.ts");
  const { items, failed } = await readOnePux(wrapped, async () => undefined);
  assert.deepEqual([items[0]?.title, items[0]?.texts.username, items[0]?.sites, failed], ["old", "alice", ["https://old.example"], []]);
});

test("an entry with a long history is planned in a time that grows with it, and one with more than 10,000 values of a field is named", async () => {
  const file = (count: number): Uint8Array => octets({ format: "mesh-passwords", v: 1, entries: [{ id: "AAAAAAAAAAAAAAAAAAAAAA", fields: { name: ["bank"], password: Array.from({ length: count }, (_, at) => `p${at}`) } }] });
  const plan = await planOf(file(10_000));
  assert.equal(plan.imported, 1);
  const [entry] = applied(plan);
  assert.equal(entry?.fields["password"]?.length, 10_000);
  assert.equal(entry?.fields["password"]?.[0]?.value, "p0");
  const started = performance.now();
  const { imported, failed } = await planOf(file(50_000));
  assert.deepEqual([imported, failed.map(({ title }) => title)], [0, ["bank"]]);
  assert.ok(performance.now() - started < 5_000);
});
