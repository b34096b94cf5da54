import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";

import type { Change } from "../../catalogs/entries.ts";
import { type Entry, isRemoved, merge } from "../../catalogs/merge.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { addPassword, type Edits, editPassword, removePassword, restorePassword } from "./edit.ts";
import { historyOf } from "./history.ts";
import { limits } from "./limits.ts";
import { passwordOf, passwordsOf } from "./password.ts";

const laptop = "LAPTOP";

function added(edits: Edits & { readonly name: string }, others: readonly Entry[] = []): Entry {
  return merge(undefined, addPassword(others, edits), laptop);
}

function edited(entry: Entry, edits: Edits, author = laptop): Entry {
  const change = editPassword([entry], entry, edits);
  return change === undefined ? entry : merge(entry, change, author);
}

function code(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert(error instanceof MeshError);
    return error.code;
  }
  return "done";
}

test("a login is read back as it was written", () => {
  const edits = { name: " Bank ", username: "alice", password: " spaces stay ", notes: "a\nb", totp: "otpauth://totp/x", addSites: ["bank.example", "pay.example"], addTags: ["work"], setFields: [{ name: "PIN", value: "1234", secret: true }] };
  const entry = added(edits);
  assert.deepEqual(passwordOf(entry), { id: entry.id, kind: "login", folder: undefined, favorite: false, details: [], passkeys: 0, name: "Bank", username: "alice", password: " spaces stay ", sites: ["bank.example", "pay.example"], notes: "a\nb", totp: "otpauth://totp/x", tags: ["work"], fields: [{ name: "PIN", value: "1234", secret: true }] });
});

test("an edit writes only what it changes, and nothing if it changes nothing", () => {
  const entry = added({ name: "bank", username: "alice", password: "old", addSites: ["a", "b"] });
  const change = editPassword([entry], entry, { username: "alice", password: "new", addSites: ["a"] });
  assert.deepEqual(Object.keys(change?.fields ?? {}), ["password"]);
  assert.equal(editPassword([entry], entry, { username: "alice", addSites: ["b"] }), undefined);
});

test("sites, tags and fields come and go; an empty text takes a text away", () => {
  let entry = added({ name: "bank", username: "alice", addSites: ["a", "b"], addTags: ["x"], setFields: [{ name: "PIN", value: "1", secret: true }] });
  entry = edited(entry, { username: "", addSites: ["c"], removeSites: ["a"], removeTags: ["x"], setFields: [{ name: "PIN", value: "2", secret: true }] });
  const { username, sites, tags, fields } = passwordOf(entry);
  assert.deepEqual({ username, sites, tags, fields }, { username: undefined, sites: ["b", "c"], tags: [], fields: [{ name: "PIN", value: "2", secret: true }] });
  assert.deepEqual(passwordOf(edited(entry, { removeFields: ["PIN"] })).fields, []);
  assert.equal(code(() => editPassword([entry], entry, { removeSites: ["a"] })), "password-field-not-found");
  assert.equal(code(() => editPassword([entry], entry, { removeFields: ["none"] })), "password-field-not-found");
});

test("what two devices do at once both stays: two sites, and the password that lost", () => {
  const before = added({ name: "bank", password: "p0", addSites: ["a"] });
  const one = editPassword([before], before, { addSites: ["b"], password: "p1" }) as Change;
  const two = editPassword([before], before, { addSites: ["c"], password: "p2" }) as Change;
  const ab = merge(merge(before, one, "A"), two, "B");
  const ba = merge(merge(before, two, "B"), one, "A");
  assert.deepEqual(passwordOf(ab), passwordOf(ba));
  assert.deepEqual([...passwordOf(ab).sites].sort(), ["a", "b", "c"]);
  assert.deepEqual(historyOf(ab).filter((one) => one.field === "password").map((one) => [one.value, one.author, one.current]), [["p2", "B", true], ["p1", "A", false], ["p0", laptop, false]]);
});

test("the same site added twice at once is shown once, and one removal takes it away", () => {
  const before = added({ name: "bank" });
  const twice = merge(merge(before, editPassword([before], before, { addSites: ["a"] }) as Change, "A"), editPassword([before], before, { addSites: ["a"] }) as Change, "B");
  assert.deepEqual(passwordOf(twice).sites, ["a"]);
  assert.deepEqual(passwordOf(edited(twice, { removeSites: ["a"] })).sites, []);
});

test("names are unique among those that are not removed", () => {
  const bank = added({ name: "bank" });
  assert.equal(code(() => addPassword([bank], { name: "bank" })), "password-name-taken");
  assert.equal(code(() => addPassword([bank], { name: "Bank" })), "done");
  const shop = added({ name: "shop" });
  assert.equal(code(() => editPassword([bank, shop], shop, { name: "bank" })), "password-name-taken");
  assert.equal(code(() => editPassword([bank, shop], shop, { name: "shop" })), "done");
  const removed = merge(bank, removePassword(bank), laptop);
  assert(isRemoved(removed));
  const again = added({ name: "bank" }, [removed]);
  assert.equal(code(() => restorePassword([removed, again], removed)), "password-name-taken");
  const restored = merge(removed, restorePassword([removed], removed), laptop);
  assert.deepEqual(passwordOf(restored), passwordOf(bank));
  assert.deepEqual(passwordsOf([removed, again]).map((one) => one.id), [again.id]);
});

test("what is too long, empty or no text is refused when it is written", () => {
  const e = "é";
  const bad: readonly Edits[] = [
    { name: "" }, { name: "  " }, { name: "a\nb" }, { name: "\u001b[2J" }, { name: "x".repeat(limits.name + 1) }, { name: e.repeat(limits.name / 2 + 1) },
    { username: "a\nb" }, { username: "x".repeat(limits.username + 1) }, { password: "x".repeat(limits.password + 1) }, { password: e.repeat(limits.password / 2 + 1) }, { password: "\ud800" },
    { notes: "x".repeat(limits.notes + 1) }, { totp: "a\nb" }, { addSites: [""] }, { addSites: ["x".repeat(limits.site + 1)] }, { addTags: ["x".repeat(limits.tag + 1)] },
    { addSites: Array.from({ length: limits.sites + 1 }, (_, index) => `s${index}`) }, { addTags: Array.from({ length: limits.tags + 1 }, (_, index) => `t${index}`) },
    { setFields: [{ name: "", value: "x", secret: true }] }, { setFields: [{ name: "x", value: "x".repeat(limits.fieldValue + 1), secret: true }] },
    { setFields: Array.from({ length: limits.fields + 1 }, (_, index) => ({ name: `f${index}`, value: "", secret: false })) },
    // Each within its own limit, and too much together.
    { notes: "x".repeat(limits.notes), setFields: Array.from({ length: 40 }, (_, index) => ({ name: `f${index}`, value: "x".repeat(limits.fieldValue), secret: false })) },
  ];
  for (const edits of bad) assert.equal(code(() => addPassword([], { name: "bank", ...edits })), "password-malformed", JSON.stringify(edits).slice(0, 80));
  const good: readonly Edits[] = [{ name: "x".repeat(limits.name) }, { password: e.repeat(limits.password / 2) }, { notes: "x".repeat(limits.notes) }, { addSites: Array.from({ length: limits.sites }, (_, index) => `s${index}`) }];
  for (const edits of good) assert.equal(code(() => addPassword([], { name: "bank", ...edits })), "done");
});

test("what an entry should not hold costs none of the rest", () => {
  const odd: Change = { entry: "AAAAAAAAAAAAAAAAAAAAAA", fields: { name: [1, 7], password: [1, "p"], "site:0001:x": [1, { a: 1 }], "site:zzz": [1, "s"], "field:1:x": [1, "no field"], later: [1, ["of a later version"]] } };
  const entry = merge(undefined, odd, laptop);
  const { name, password, sites, fields } = passwordOf(entry);
  assert.deepEqual({ name, password, sites, fields }, { name: "", password: "p", sites: ["s"], fields: [] });
  assert.equal(historyOf(entry).find((one) => one.field === "later")?.secret, true);
  // An edit leaves alone what it does not know.
  assert.deepEqual(edited(entry, { name: "n" }).fields["later"], entry.fields["later"]);
});

test("in any order, any edits of three devices end in one state that still holds every value ever written", () => {
  const edit = fc.record({ device: fc.constantFrom("A", "B", "C"), password: fc.string({ maxLength: 8 }), site: fc.constantFrom("a", "b", "c") });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 12 }), fc.integer(), (edits, seed) => {
      const before = added({ name: "bank", password: "first" });
      const own: Record<string, Entry> = { A: before, B: before, C: before };
      const made = edits.flatMap(({ device, password, site }) => {
        const entry = own[device] as Entry;
        const change = editPassword([entry], entry, { password, addSites: [site] });
        if (change !== undefined) own[device] = merge(entry, change, device);
        return change === undefined ? [] : [{ change, device }];
      });
      const shuffled = [...made].map((one, index) => ({ one, key: Math.imul(index + 1, seed | 1) })).sort((a, b) => a.key - b.key).map(({ one }) => one);
      const apply = (all: typeof made): Entry => all.reduce((entry, { change, device }) => merge(entry, change, device), before);
      assert.deepEqual(apply(shuffled), apply(made));
      const held = new Set(historyOf(apply(made)).filter((one) => one.field === "password").map((one) => one.value ?? ""));
      for (const { change } of made) if (change.fields["password"] !== undefined) assert(held.has(change.fields["password"][1] as string));
    }),
  );
});

test("a folder is one text; what a card has is set and taken away by the names of its fields", () => {
  const card = added({ name: "card", folder: "/Work/Cards/", setFields: [{ name: "card.number", value: "4111", secret: true }] });
  const { folder, details, fields } = passwordOf(card);
  assert.deepEqual([folder, details, fields], ["Work/Cards", [{ name: "card.number", value: "4111" }], []]);
  const moved = edited(card, { folder: "", removeFields: ["card.number"] });
  assert.deepEqual([passwordOf(moved).folder, passwordOf(moved).details], [undefined, []]);
  assert.equal(code(() => editPassword([card], card, { removeFields: ["card.code"] })), "password-field-not-found");
  assert.equal(code(() => editPassword([card], card, { folder: "two\nlines" })), "password-malformed");
});
