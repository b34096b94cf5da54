import assert from "node:assert/strict";
import { test } from "node:test";

import { itemOf } from "./item.ts";
import { readOnePux } from "./one-pux.ts";
import { readPartialObject } from "./partial-json.ts";
import { applied, codeOf, planOf, written } from "./test-files.ts";
import { readXml } from "./xml.ts";

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);

// Whatever a file names is a name: those that every object has mean nothing of their own.
const names = ["__proto__", "constructor", "toString", "hasOwnProperty"] as const;

test("a column of any name is kept, counts as not understood, and comes out again; a row without a value of it has none", async () => {
  const file = `name,url,username,password,note,${names.join(",")}\nbank,https://bank.example,alice,secret,,a,b,c,d\nmail,https://mail.example,bob,secret,,,,,\n`;
  const plan = await planOf(octets(file));
  assert.deepEqual([plan.imported, plan.kept], [2, 1]);
  assert.equal(await written(applied(plan), "chrome-csv"), file);
});

test("members, attributes and elements of such names are like others", async () => {
  for (const name of names) {
    const bitwarden = JSON.stringify({ items: [{ type: 1, name: "bank", login: {}, fields: [] }] }).replace('"type"', `"${name}":{"x":1},"type"`);
    const [entry] = applied(await planOf(octets(bitwarden)));
    assert.ok(entry !== undefined);
    assert.ok(JSON.stringify(itemOf(entry).kept).includes(`"${name}":{"x":1}`), name);
    assert.deepEqual(Object.entries(readPartialObject(`{"${name}":[1,2`).members), [[name, [1]]]);
    const { items } = await readOnePux({ accounts: [{ vaults: [{ items: [{ categoryUuid: name, overview: { title: "x" }, details: { sections: [{ fields: [{ id: name, title: "of its owner", value: { string: "v" } }] }] } }] }] }] }, async () => undefined);
    assert.deepEqual(items.map(({ kind, fields }) => [kind, fields.map((one) => one.name)]), [["login", ["of its owner"]]]);
    const { root, damage } = readXml(`<a ${name}="1"/>`);
    assert.deepEqual([Object.entries(root?.attributes ?? {}), damage], [[[name, "1"]], undefined]);
    assert.notEqual(readXml(`<a>&${name.slice(0, 11)};</a>`).damage, undefined);
  }
});

test("a file of more values than items could have is refused before it is read, however small each is", async () => {
  const many = octets(`{"items":[${"0,".repeat(12_000_001)}0]}`);
  assert.equal(await codeOf(() => planOf(many)), "import-too-large");
});
