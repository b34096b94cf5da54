import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { MeshError } from "../refusals/mesh-error.ts";
import { commitConformance } from "./conformance-commits.ts";
import { orderConformance } from "./conformance-order.ts";
import { type Open, readNumber, readText, text, writeNumber } from "./conformance-values.ts";
import type { Store } from "./store.ts";

/** The tests that every engine passes. Sources: the contract in `store.ts`; after sunlight's table of write failures. */
export function storeConformance(name: string, openSubject: Open): void {
  describe(`store: ${name}`, () => {
    const opened: Store[] = [];
    const open: Open = async () => {
      const subject = await openSubject();
      opened.push(subject.store);
      return subject;
    };
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });

    test("what was written is read, replaced, removed; empty values are values", async () => {
      const { store } = await open();
      await store.transact(async (w) => {
        await w.put("s", "a", text("1"));
        await w.put("s", "b", text(""));
        await w.put("t", "a", text("other shelf"));
        assert.equal(await readText(w, "s", "a"), "1", "own writes are visible");
      });
      await store.transact((w) => w.put("s", "a", text("2")));
      assert.equal(await store.read((r) => readText(r, "s", "a")), "2");
      assert.deepEqual(await store.read((r) => r.get("s", "b")), new Uint8Array());
      assert.equal(await store.read((r) => readText(r, "t", "a")), "other shelf");
      await store.transact((w) => w.remove("s", "a"));
      await store.transact((w) => w.remove("s", "never there"));
      assert.equal(await store.read((r) => r.get("s", "a")), undefined);
    });

    test("octets are copied both ways", async () => {
      const { store } = await open();
      const mine = Buffer.from("abc");
      await store.transact(async (w) => {
        await w.put("s", "a", mine);
        await w.append(mine);
        mine.fill(0);
      });
      const read = await store.read((r) => r.get("s", "a"));
      read?.fill(0);
      assert.equal(await store.read((r) => readText(r, "s", "a")), "abc");
      assert.deepEqual(await store.read((r) => r.leaves(0)), [text("abc")]);
    });

    test("octets of every value come back as they were, from entries, listings and the log", async () => {
      const { store } = await open();
      const all = Uint8Array.from({ length: 512 }, (_, n) => n & 0xff);
      await store.transact(async (w) => {
        await w.put("s", "a", all);
        await w.append(all);
      });
      assert.deepEqual(await store.read((r) => r.get("s", "a")), all);
      assert.deepEqual(await store.read((r) => r.list("s", "")), [{ key: "a", value: all }]);
      assert.deepEqual(await store.read((r) => r.leaves(0)), [all]);
    });

    test("a shelf and a key of 2,600 octets together are kept, whatever they are, and of one more refused", async () => {
      const subject = await open();
      // Nothing that an index could make shorter.
      const noise = Array.from({ length: 1296 }, () => String.fromCodePoint(0x80 + Math.floor(Math.random() * 0x700))).join("");
      const longest = `x${noise}`;
      await subject.store.transact((w) => w.put("pages12", longest, text("there")));
      assert.equal(await subject.store.read((r) => readText(r, "pages12", longest)), "there");
      assert.deepEqual((await subject.store.read((r) => r.list("pages12", ""))).map(({ key }) => key), [longest]);
      await assert.rejects(subject.store.transact((w) => w.put("pages12", `${longest}y`, text("not there"))), { code: "store-misused" });
    });

    test("a work that throws changes nothing and its error comes out", async () => {
      const { store } = await open();
      await store.transact((w) => w.put("s", "kept", text("old")));
      const mistake = new Error("mine");
      const failed = store.transact(async (w) => {
        await w.put("s", "kept", text("new"));
        await w.put("s", "added", text("x"));
        await w.remove("s", "kept");
        await w.append(text("leaf"));
        throw mistake;
      });
      await assert.rejects(failed, (error) => error === mistake);
      assert.deepEqual(await store.read((r) => r.list("s", "")), [{ key: "kept", value: text("old") }]);
      assert.deepEqual(await store.read((r) => r.leaves(0)), []);
    });

    test("200 racers for one head: each version is won exactly once", async () => {
      const { store } = await open();
      const won = new Map<number, number>();
      const racer = async (who: number): Promise<void> => {
        for (;;) {
          const seen = await store.read((r) => readNumber(r, "head", "h"));
          const mine = await store.transact(async (w) => {
            if ((await readNumber(w, "head", "h")) !== seen) return false;
            await Promise.resolve();
            await writeNumber(w, "head", "h", seen + 1);
            return (await w.append(text(`${who}`))) === seen;
          });
          if (!mine) continue;
          assert.equal(won.has(seen), false);
          won.set(seen, who);
          return;
        }
      };
      await Promise.all(Array.from({ length: 200 }, (_, who) => racer(who)));
      assert.equal(await store.read((r) => readNumber(r, "head", "h")), 200);
      const leaves = await store.read((r) => r.leaves(0));
      assert.deepEqual(leaves.map((leaf) => Number(Buffer.from(leaf))), Array.from({ length: 200 }, (_, version) => won.get(version)));
    });

    test("a reading work sees one snapshot, and nothing half done", async () => {
      const { store } = await open();
      const transfer = (n: number) => store.transact(async (w) => {
        await writeNumber(w, "s", "a", n);
        await new Promise((resolve) => setImmediate(resolve));
        await writeNumber(w, "s", "b", n);
      });
      await transfer(0);
      const stop = new AbortController();
      const writes = (async () => {
        for (let n = 1; !stop.signal.aborted; n++) await transfer(n);
      })();
      for (let i = 0; i < 50; i++) {
        const [a, b] = await store.read(async (r) => {
          const first = await readNumber(r, "s", "a");
          await new Promise((resolve) => setImmediate(resolve));
          return [first, await readNumber(r, "s", "b")];
        });
        assert.equal(a, b);
      }
      stop.abort();
      await writes;
    });

    test("a read that begins after a transaction resolved sees it", async () => {
      const { store } = await open();
      for (let n = 1; n <= 50; n++) {
        await store.transact((w) => writeNumber(w, "s", "n", n));
        assert.equal(await store.read((r) => readNumber(r, "s", "n")), n);
      }
    });

    test("misuse is refused: nesting, late verbs, writing while reading, broken text, bad numbers", async () => {
      const { store } = await open();
      const misused = (error: unknown): boolean => error instanceof MeshError && error.code === "store-misused";
      await assert.rejects(store.transact(() => store.transact(async () => 1)), misused);
      await assert.rejects(store.transact(() => store.read(async () => 1)), misused);
      await assert.rejects(store.read(() => store.read(async () => 1)), misused);
      const late = await store.transact(async (w) => ({ w }));
      await assert.rejects(late.w.put("s", "a", text("1")), misused);
      await assert.rejects(store.read((r) => (r as typeof late.w).put("s", "a", text("1"))), misused);
      await assert.rejects(store.transact((w) => w.put("s", "\ud800", text("1"))), misused);
      await assert.rejects(store.read((r) => r.list("s", "", { limit: -1 })), misused);
      await assert.rejects(store.read((r) => r.leaves(0.5)), misused);
      assert.deepEqual(await store.read((r) => r.list("s", "")), []);
    });

    test("what a work starts without waiting may use the store once the work is over", async () => {
      const { store } = await open();
      let later: Promise<void> | undefined;
      await store.transact(async () => {
        later = new Promise((resolve) => setTimeout(resolve, 5)).then(() => store.transact((w) => w.put("s", "a", text("1"))));
      });
      await later;
    });

    test("closing waits for what was begun and refuses the rest; twice is no error", async () => {
      const { store } = await open();
      const begun = store.transact((w) => w.put("s", "a", text("1")));
      const closing = store.close();
      await assert.rejects(store.read(async () => 1), { code: "store-closed" });
      await assert.rejects(store.transact(async () => 1), { code: "store-closed" });
      await Promise.all([begun, closing, store.close()]);
    });

    orderConformance(open);
    commitConformance(open);
  });
}
