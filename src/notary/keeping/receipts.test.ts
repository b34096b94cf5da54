import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { utf8 } from "../../bytes/text.ts";
import { digestOf } from "../../envelope/signed.ts";
import { leafHash } from "../merkle.ts";
import { checkReceipt, MAX_RECEIPT_LEAVES, readReceipt, runFor, sentHash, type SentObject } from "../receipt.ts";
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
  const objectOf = (one: Recorded | undefined): readonly SentObject[] => [{ obj: digestOf(one?.leaf ?? assert.fail()) }];
  const sentFor = (one: Recorded | undefined): Uint8Array => sentHash(objectOf(one));
  const check = (receipt: Uint8Array | undefined, { leaf }: Recorded) => checkReceipt(receipt ?? assert.fail(), signer.key, notary.origin, leaf);

  test("what is asked for at once and stands together has one, by no time before the last epoch", async () => {
    const all = [recorded(40, 3), recorded(50, 1), recorded(43, 2), recorded(51, 1)];
    const signed = await Promise.all(all.map((one) => receipts.of(one, sentFor(one[0]))));
    assert.equal(made, 2);
    for (const [at, one] of all.entries()) for (const entry of one) assert.deepEqual(check(signed[at], entry), { index: entry.index, time: 5000 });
    now = 6000;
    const [later] = recorded(60, 1) as [Recorded];
    assert.deepEqual(check(await receipts.of([later], sentFor(later)), later), { index: 60, time: 6000 });
    assert.equal(made, 3);
  });

  test("a receipt has at most 24 leaves: whole transactions, or the last of one that is larger", async () => {
    const all = [recorded(0, 14), recorded(14, 12), recorded(26, 12), recorded(38, 257)];
    const signed = await Promise.all(all.map((one) => receipts.of(one, sentFor(one[0]))));
    for (const [at, one] of all.entries()) for (const entry of [one.slice(-24).at(0), one.at(-1)]) check(signed[at], entry ?? assert.fail());
    assert.deepEqual([signed[0] === signed[1], signed[1] === signed[2], signed[2] === signed[3]], [false, true, false]);
  });

  test("of each transaction it says for what that was sent, and where its entries stand", async () => {
    const all = [recorded(40, 3), recorded(43, 2), recorded(45, 1)];
    const [first] = await Promise.all(all.map((one) => receipts.of(one, sentFor(one[0]))));
    const receipt = readReceipt(first ?? assert.fail(), signer.key, notary.origin);
    for (const one of all) assert.deepEqual({ ...runFor(receipt, objectOf(one[0])), sent: 0 }, { from: one[0]?.index, sent: 0, to: (one[0]?.index ?? 0) + one.length });
    assert.equal(runFor(receipt, []), undefined);
  });

  test("the largest is shorter than the 4 KiB that a header may have", async () => {
    const all = Array.from({ length: MAX_RECEIPT_LEAVES }, (_, at) => recorded(2 ** 50 + at, 1));
    const signed = await Promise.all(all.map((one) => receipts.of(one, sentFor(one[0]))));
    assert.equal(new Set(signed).size, 1);
    const longest = (signed[0] ?? assert.fail()).length + 2 * (255 - notary.origin.length);
    assert.ok((longest * 4) / 3 < 4096, `${longest}`);
  });

  test("nothing recorded, nothing promised", async () => assert.equal(await receipts.of([], sentHash([])), undefined));
});
