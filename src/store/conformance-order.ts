import assert from "node:assert/strict";
import { test } from "node:test";
import { type Open, text } from "./conformance-values.ts";
import type { ListOptions } from "./store.ts";

/** Keys that sort otherwise by UTF-16 units, or mean something to LIKE and GLOB, or sit at the ends of what text can be. */
const awkward = [
  "", "a", "a\0", "a\0b", "a%", "a%b", "a*", "a?", "a[", "a_", "a_b", "aa", "ab", "A", "b", "%", "_", "'", "\\",
  "é", "e\u0301", "\u007f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ud7ffz", "\ue000", "\ufffe", "\uffff", "\uffffa",
  "\u{10000}", "\u{1f600}", "\u{1f600}x", "\u{10ffff}", "\u{10ffff}\u{10ffff}", "\u{10ffff}z",
];
const prefixes = [...awkward, "zzz", "a%_", "\ufffd"];

/** Listing and the log, compared with the plain meaning of the words. */
export function orderConformance(open: Open): void {
  test("listing gives octet order, and takes every prefix literally", async () => {
    const { store } = await open();
    const shuffled = awkward.toSorted((a, b) => a.length - b.length || (a < b ? 1 : -1));
    await store.transact(async (w) => {
      for (const key of shuffled) await w.put("s", key, text(`=${key}`));
      await w.put("r", "a-other", text(""));
      await w.put("s\0", "a-other", text(""));
    });
    const sorted = awkward.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const check = async (prefix: string, options: ListOptions): Promise<void> => {
      let wanted = sorted.filter((key) => key.startsWith(prefix));
      if (options.reverse === true) wanted.reverse();
      const { after } = options;
      if (after !== undefined) {
        const sign = options.reverse === true ? -1 : 1;
        wanted = wanted.filter((key) => sign * Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
      }
      wanted = wanted.slice(0, options.limit);
      const found = await store.read((r) => r.list("s", prefix, options));
      assert.deepEqual(found, wanted.map((key) => ({ key, value: text(`=${key}`) })), JSON.stringify({ prefix, options }));
    };
    for (const prefix of prefixes) {
      for (const reverse of [false, true]) {
        for (const limit of [0, 1, 2, 1000]) await check(prefix, { reverse, limit });
        await check(prefix, { reverse });
        for (const after of prefixes) await check(prefix, { reverse, after, limit: 3 });
      }
    }
    assert.deepEqual(await store.read((r) => r.list("no shelf", "")), []);
  });

  test("paging by `after` walks through all, both ways, while entries come and go", async () => {
    const { store } = await open();
    const keys = Array.from({ length: 50 }, (_, n) => `k${String(n).padStart(3, "0")}`);
    await store.transact(async (w) => {
      for (const key of keys.toReversed()) await w.put("s", key, text(""));
    });
    for (const reverse of [false, true]) {
      const seen: string[] = [];
      for (let after: string | undefined; ; after = seen.at(-1)) {
        const page = await store.read((r) => r.list("s", "k", { limit: 7, reverse, ...(after === undefined ? {} : { after }) }));
        if (page.length === 0) break;
        seen.push(...page.map((entry) => entry.key));
        await store.transact((w) => w.remove("s", seen.at(-1) ?? ""));
        await store.transact((w) => w.put("s", seen.at(-1) ?? "", text("")));
      }
      assert.deepEqual(seen, reverse ? keys.toReversed() : keys);
    }
  });

  test("the log counts from 0 without gaps, also after a work that was undone", async () => {
    const { store } = await open();
    assert.equal(await store.transact((w) => w.append(text("a"))), 0);
    await assert.rejects(store.transact(async (w) => {
      assert.equal(await w.append(text("lost")), 1);
      throw new Error("undone");
    }));
    assert.deepEqual(await store.transact(async (w) => [await w.append(text("b")), await w.append(text(""))]), [1, 2]);
    assert.deepEqual(await store.read((r) => r.leaves(0)), [text("a"), text("b"), text("")]);
    assert.deepEqual(await store.read((r) => r.leaves(1, 1)), [text("b")]);
    assert.deepEqual(await store.read((r) => r.leaves(0, 0)), []);
    assert.deepEqual(await store.read((r) => r.leaves(3)), []);
  });
}
