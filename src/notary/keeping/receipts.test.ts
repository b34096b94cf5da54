import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { utf8 } from "../../bytes/text.ts";
import { leafHash } from "../merkle.ts";
import { checkReceipt } from "../receipt.ts";
import { TestNotary } from "../test-notary.ts";
import type { Recorded } from "./record.ts";
import { Receipts } from "./receipts.ts";

const notary = await TestNotary.open();

suite("receipts (log 3.6)", () => {
  const recorded = (from: number, count: number): readonly Recorded[] => Array.from({ length: count }, (_, at) => ({ index: from + at, leaf: leafHash(utf8(`entry ${from + at}`)) }));
  let now = 1000;
  const keeper = { time: 5000 };
  let made = 0;
  const [signer] = notary.signers;
  const receipts = new Receipts({ origin: notary.origin, signer: { key: signer.key, sign: (message) => (made++, signer.sign(message)) }, now: () => now, keeper });
  const check = (receipt: Uint8Array | undefined, { leaf }: Recorded) => checkReceipt(receipt ?? assert.fail(), signer.key, notary.origin, leaf);

  test("what is asked for at once and stands together has one, by no time before the last epoch", async () => {
    const all = [recorded(40, 3), recorded(50, 1), recorded(43, 2), recorded(51, 1)];
    const signed = await Promise.all(all.map((one) => receipts.of(one)));
    assert.equal(made, 2);
    for (const [at, one] of all.entries()) for (const entry of one) assert.deepEqual(check(signed[at], entry), { index: entry.index, time: 5000 });
    now = 6000;
    const [later] = recorded(60, 1) as [Recorded];
    assert.deepEqual(check(await receipts.of([later]), later), { index: 60, time: 6000 });
    assert.equal(made, 3);
  });

  test("a receipt has at most 32 leaves: whole transactions, or the last of one that is larger", async () => {
    const all = [recorded(0, 20), recorded(20, 14), recorded(34, 18), recorded(52, 257)];
    const signed = await Promise.all(all.map((one) => receipts.of(one)));
    for (const [at, one] of all.entries()) for (const entry of [one.slice(-32).at(0), one.at(-1)]) check(signed[at], entry ?? assert.fail());
    assert.deepEqual([signed[0] === signed[1], signed[1] === signed[2], signed[2] === signed[3]], [false, true, false]);
  });

  test("nothing recorded, nothing promised", async () => assert.equal(await receipts.of([]), undefined));
});
