import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { openMemoryStore } from "../store/memory.ts";
import { sha512 } from "../crypto/digest.ts";
import { utf8 } from "../bytes/text.ts";
import { Pages, type Writing } from "./pages.ts";
import { Rows } from "./rows.ts";

type Value = { readonly text: string };

const plain: Writing<Value> = { pack: Object.fromEntries, unpack: (page) => new Map(Object.entries(page)), find: (page, key) => (Object.hasOwn(page, key) ? (page as Readonly<Record<string, Value>>)[key] : undefined), size: (key, { text }) => key.length + text.length };

function home() {
  const store = openMemoryStore();
  const rows = new Rows(store, { derive: async (label) => sha512(utf8(label)).subarray(0, 32) });
  const change = (work: (pages: Pages<Value>) => Promise<void>) =>
    rows.transact(async (writing) => {
      const pages = new Pages<Value>(writing, "things", "group", plain);
      await work(pages);
      await pages.flush(writing);
    });
  const see = <T>(work: (pages: Pages<Value>) => Promise<T>) => rows.read((reading) => work(new Pages<Value>(reading, "things", "group", plain)));
  return { store, rows, change, see };
}

const step = fc.record({ key: fc.integer({ min: 0, max: 40 }).map((n) => `key ${n}`), size: fc.option(fc.integer({ min: 0, max: 20_000 })) });

suite("pages of a home", () => {
  test("they hold what a map holds, however it was filled, over any number of transactions", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { maxLength: 30 }), { maxLength: 5 }), async (transactions) => {
        const { change, see } = home();
        const map = new Map<string, Value>();
        for (const steps of transactions) {
          await change(async (pages) => {
            for (const { key, size } of steps) {
              if (size === null) await pages.remove(key);
              else await pages.put(key, { text: `${key}${"x".repeat(size)}` });
            }
          });
          for (const { key, size } of steps) {
            if (size === null) map.delete(key);
            else map.set(key, { text: `${key}${"x".repeat(size)}` });
          }
        }
        for (let n = 0; n <= 40; n++) assert.deepEqual(await see((pages) => pages.get(`key ${n}`)), map.get(`key ${n}`));
        const texts = (values: Iterable<Value>) => [...values].map((value) => value.text).sort();
        assert.deepEqual(texts(await see((pages) => pages.all())), texts(map.values()));
      }),
      { numRuns: 40 },
    );
  });

  test("one change writes one page and the extent, whatever else there is", async () => {
    const { change, store } = home();
    await change(async (pages) => {
      for (let n = 0; n < 5000; n++) await pages.put(`key ${n}`, { text: "x".repeat(400) });
    });
    const octets = async () => (await store.read((r) => r.list("things", ""))).map((entry) => entry.value);
    const before = await octets();
    assert.ok(before.length > 32, `${before.length} pages`);
    assert.ok(before.every((value) => value.length < 160 * 1024));
    await change((pages) => pages.put("key 77", { text: "changed" }));
    const after = await octets();
    assert.equal(after.filter((value, index) => !Buffer.from(value).equals(before[index] ?? new Uint8Array())).length, 1);
  });

  test("a key named as something that every object has is a key like others", async () => {
    const { change, see } = home();
    for (const key of ["__proto__", "constructor", "toString"]) {
      assert.equal(await see((pages) => pages.get(key)), undefined);
      await change((pages) => pages.put(key, { text: key }));
      assert.deepEqual(await see((pages) => pages.get(key)), { text: key });
    }
  });

  test("cleared, they leave nothing behind", async () => {
    const { change, rows, see, store } = home();
    await change(async (pages) => {
      for (let n = 0; n < 1000; n++) await pages.put(`key ${n}`, { text: "x".repeat(400) });
    });
    await rows.transact((writing) => new Pages<Value>(writing, "things", "group", plain).clear(writing));
    assert.deepEqual(await see((pages) => pages.all()), []);
    assert.equal((await store.read((r) => r.list("things", ""))).length, 0);
  });
});
