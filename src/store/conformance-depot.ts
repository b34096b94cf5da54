import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sha512Text } from "../crypto/digest.ts";
import { text } from "./conformance-values.ts";
import type { Depot } from "./depot.ts";

/** The tests that every depot passes: what `depot.ts` says. */
export function depotConformance(name: string, open: () => Promise<Depot>): void {
  const [octets, later] = [text("octets"), Date.now() + 3_600_000];
  const there = sha512Text(octets);
  const namesIn = async (depot: Depot): Promise<readonly string[]> => (await Array.fromAsync(depot.list())).map((one) => one.name).sort();

  describe(`depot: ${name}`, () => {
    test("what was put is got under its name, as often as it was put; nothing is under another", async () => {
      const depot = await open();
      for (let n = 0; n < 3; n++) await depot.put(there, octets);
      await Promise.all([1, 2, 3].map(async (n) => depot.put(sha512Text(text(`${n % 2}`)), text(`${n % 2}`))));
      assert.deepEqual(await depot.get(there), octets);
      assert.equal(await depot.get(sha512Text(text("nothing"))), undefined);
      assert.deepEqual(await namesIn(depot), [there, sha512Text(text("0")), sha512Text(text("1"))].sort());
    });

    test("octets are the caller's own, empty and large ones too", async () => {
      const depot = await open();
      for (const length of [0, 1, 600_000]) {
        const mine = new Uint8Array(length).fill(7);
        const one = sha512Text(mine);
        await depot.put(one, mine);
        mine.fill(0);
        (await depot.get(one))?.fill(1);
        assert.deepEqual(await depot.get(one), new Uint8Array(length).fill(7));
      }
    });

    test("what was put, or let linger, since is not taken away; what was before is, once", async () => {
      const depot = await open();
      await depot.put(there, octets);
      await depot.linger(there);
      await depot.linger(sha512Text(text("nothing")));
      for (const { at } of await Array.fromAsync(depot.list())) assert.ok(Math.abs(at - Date.now()) < 60_000);
      assert.equal(await depot.remove(there, Date.now() - 3_600_000), false);
      assert.deepEqual(await depot.get(there), octets);
      assert.equal(await depot.remove(there, later), true);
      assert.equal(await depot.get(there), undefined);
      assert.equal(await depot.remove(there, later), false);
      await depot.put(there, octets);
      assert.deepEqual(await depot.get(there), octets);
    });

    test("whoever puts while others take away has it afterwards, and is never without it", async () => {
      const depot = await open();
      const since = Date.now() - 3_600_000;
      const over = new AbortController();
      const others = Promise.all([1, 2, 3].map(async () => {
        while (!over.signal.aborted) {
          await depot.remove(there, since);
          for await (const _ of depot.list());
        }
      }));
      await depot.put(there, octets);
      for (let n = 0; n < 100; n++) {
        assert.deepEqual(await depot.get(there), octets);
        await depot.put(there, octets);
      }
      over.abort();
      await others;
      assert.deepEqual(await depot.get(there), octets);
    });
  });
}
