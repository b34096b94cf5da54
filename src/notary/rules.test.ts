import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../bytes/base64url.ts";
import { type EpochEntry, readEntry, writeEntry } from "./entry.ts";
import { MapLeaves } from "./map-leaves.ts";
import { mapKey } from "./map.ts";
import { writeMapProof } from "./map-proof.ts";
import { Replay } from "./replay.ts";
import { breaksRules, labelsFor } from "./rules.ts";
import { idOf, TestNotary } from "./test-notary.ts";

/** Somebody's log, epoch by epoch: of each the entries from the epoch leaf before it on, where they begin, and what the map under that leaf has of what they change. */
async function epochsOf(notary: TestNotary) {
  const leaves = new MapLeaves();
  const replay = new Replay({ bucket: leaves.bucket, get: async (key) => leaves.get(key), put: async (leaf) => leaves.add([leaf]) });
  const epochs: { readonly entries: readonly Uint8Array[]; readonly from: number; readonly ways: readonly Uint8Array[] }[] = [];
  for (let at = 0; at < notary.size; at = replay.size) {
    const end = notary.entries.findIndex((entry, index) => index >= at && readEntry(entry).k === "epoch") + 1;
    const from = Math.max(0, at - 1);
    const entries = notary.entries.slice(from, end);
    const ways = await Promise.all((at === 0 ? [] : labelsFor(entries)).map(async ({ id, kind }) => writeMapProof(mapKey(kind, id), await replay.prove(mapKey(kind, id), leaves.bucket))));
    epochs.push({ entries, from, ways });
    await replay.take(notary.entries.slice(at, end));
  }
  return epochs;
}

suite("the rules of a log, by a few of its entries (log 8.1)", () => {
  test("an honest epoch breaks none; one that commits to any other map does, and nobody can make it seem so by other ways, entries or places", async () => {
    const notary = await TestNotary.open();
    for (const round of [0, 1, 2, 3, 4, 5]) {
      const born = round % 3 === 2 ? 0 : 12;
      for (let person = 12 * round; person < 12 * round + born; person++) notary.create(idOf(person));
      for (let person = 0; person < Math.min(5 * round, 20); person += 3) notary.personal(idOf(person));
      if (round > 1) notary.suspend(idOf(3));
      if (round === 4) notary.personal(idOf(3));
      notary.sealed("connect");
      await notary.close(1_790_000_000 + round);
    }
    notary.sealed("connect");
    await notary.close(1_790_000_100);
    for (const { entries, from, ways } of await epochsOf(notary)) {
      assert.equal(breaksRules(entries, from, ways), false, `honest from ${from} on`);
      const epoch = readEntry(entries.at(-1) as Uint8Array) as EpochEntry;
      const other = (map: string) => [...entries.slice(0, -1), writeEntry({ ...epoch, map })];
      for (const map of [toBase64url(new Uint8Array(32)), toBase64url(new Uint8Array(32).fill(1)), ...(from > 0 && ways.length > 0 ? [(readEntry(entries[0] as Uint8Array) as EpochEntry).map] : [])]) assert.equal(breaksRules(other(map), from, ways), map !== epoch.map);
      // Of the honest epoch, shown falsely.
      for (const [at] of ways.entries()) {
        assert.equal(breaksRules(entries, from, ways.with(at, (ways[at] as Uint8Array).with(20, (ways[at] as Uint8Array)[20] as number ^ 1))), false);
        assert.equal(breaksRules(entries, from, ways.toSpliced(at, 1)), false);
        assert.equal(breaksRules(entries, from, ways.with(at, ways.at(at - 1) as Uint8Array)), false);
      }
      if (from > 0) assert.equal(breaksRules(entries.slice(1), from + 1, ways), false);
    }
  });
});
