import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import type { Json } from "../../../bytes/canonical-json.ts";
import { type Entry, writes } from "../../../catalogs/merge.ts";
import { passwordOf } from "../password.ts";
import { isObject, itemOf } from "./item.ts";
import { readOnePux } from "./one-pux.ts";
import { applied, planOf, vector } from "./test-files.ts";

const data = JSON.parse(readFileSync(join(import.meta.dirname, "../../../../vectors/passwords/1pux/everything.data.json"), "utf8")) as { accounts: { vaults: { attrs: { name: string }; items: Record<string, Json>[] }[] }[] };
const entries = applied(await planOf(vector("1pux", "valid", "everything.1pux")));

function named(title: string, username?: string): Entry {
  return entries.find((entry) => itemOf(entry).title === title && (username === undefined || itemOf(entry).texts.username === username)) ?? assert.fail(title);
}

/** What a person put into an item: every value, but not the form in which the program shows it. */
function told(value: Json): readonly string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  if (Array.isArray(value)) return value.flatMap(told);
  if (!isObject(value)) return [];
  const form = new Set(["categoryUuid", "inputTraits", "designation", "fieldType", "state", "label"]);
  // A field that is one of our texts needs no title.
  return Object.entries(value).flatMap(([name, inner]) => (form.has(name) || (["title", "id", "name"].includes(name) && ("value" in value || "fields" in value)) ? [] : told(inner)));
}

test("no value of any item is lost", () => {
  for (const { attrs, items } of data.accounts.flatMap(({ vaults }) => vaults)) {
    for (const item of items) {
      const { overview } = item as { overview: { title: string; subtitle: string } };
      const username = overview.title === "Überbank" ? (attrs.name === "Work" ? "bob" : "alice@example.com") : undefined;
      const entry = named(overview.title, username);
      const held = JSON.stringify(Object.keys(entry.fields).map((name) => writes(entry, name)));
      const lost = told(item as Json).filter((text) => !held.includes(JSON.stringify(text).slice(1, -1)));
      assert.deepEqual(lost, [], overview.title);
      assert.equal(passwordOf(entry).folder, attrs.name);
    }
  }
});

test("items are what they were: kinds, texts, sites, codes, earlier passwords", () => {
  const { username, password, totp, notes, sites, tags, favorite, fields } = passwordOf(named("Überbank", "alice@example.com"));
  assert.deepEqual({ username, password, totp, notes, sites, tags, favorite }, { username: "alice@example.com", password: ' p,"ss ', totp: "otpauth://totp/Bank:alice?secret=JBSWY3DPEHPK3PXP", notes: "Line one\nПривет 🌍", sites: ["https://bank.example/login", "https://m.bank.example"], tags: ["finance", "important"], favorite: true });
  const field = (name: string) => fields.find((one) => one.name === name);
  assert.deepEqual(field("PIN"), { name: "PIN", value: "4711", secret: true });
  assert.equal(field("opened on")?.value, "2020-09-13");
  assert.equal(field("valid to")?.value, "2030-12");
  assert.equal(field("home")?.value, "1 Main Street\nSpringfield\n97477\nOregon\nus");
  assert.deepEqual(itemOf(named("Überbank", "alice@example.com")).past, [{ password: "the-one-before", used: "2023-11-14T22:13:20Z" }, { password: "first one", used: "2022-04-15T05:20:00Z" }]);

  const texts = (title: string) => itemOf(named(title)).texts;
  assert.deepEqual([passwordOf(named("Company card")).kind, texts("Company card")["card.number"], texts("Company card")["card.expires-month"], texts("Company card")["card.expires-year"]], ["card", "4111111111111111", "4", "2029"]);
  assert.deepEqual([passwordOf(named("Me")).kind, texts("Me")["identity.last-name"], texts("Me")["identity.city"], texts("Me")["identity.email"]], ["identity", "Example", "Springfield", "alice@example.com"]);
  assert.deepEqual([passwordOf(named("Deploy key")).kind, texts("Deploy key")["ssh.public-key"]], ["ssh-key", "ssh-ed25519 AAAAEXAMPLE"]);
  assert.deepEqual([texts("Server1").username, texts("Server1").password, texts("Just a password").password, passwordOf(named("Alarm code")).kind], ["root", "toor", "only-this", "note"]);
});

test("what should be a list of accounts, vaults or items and is none is damage of the file", async () => {
  for (const data of [{ accounts: "" }, { accounts: [{ vaults: 1 }] }, { accounts: [{ vaults: [{ items: {} }] }] }]) {
    await assert.rejects(readOnePux(data, async () => undefined), { code: "import-damaged" });
  }
});

test("what stands in a list and is no object is named: an account, a vault, an item, and the parts of one", async () => {
  const item = { overview: { title: "bank", urls: ["https://bank.example", { url: "https://b.example" }] }, details: { loginFields: [7], sections: [{ fields: [null, "x"] }, []], passwordHistory: [true] } };
  const { items, failed } = await readOnePux({ accounts: ["?", { vaults: [3, { attrs: { name: "v" }, items: [item, "lost", null] }] }] }, async () => undefined);
  assert.deepEqual(items.map(({ title, sites }) => [title, sites]), [["bank", ["https://b.example"]]]);
  assert.deepEqual(failed.map(({ title }) => title), ["account 1", "vault 1", "item 2", "item 3", "bank: urls", "bank: loginFields", "bank: sections", "bank: fields", "bank: passwordHistory"]);
});
