import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../bytes/base64url.ts";
import type { Digest } from "../envelope/fields.ts";
import type { LogEntry } from "./entry.ts";
import { Tally } from "./tally.ts";
import { idOf } from "./test-notary.ts";

const HOUR = 3_600_000;
const obj = toBase64url(new Uint8Array(64)) as Digest;
const version = (person: number, n: number): LogEntry => ({ g: 1, id: idOf(person), k: "personal", len: 1, n, obj, v: 1 });
const sealed = (k: "account" | "catalogs"): LogEntry => ({ c: obj, k, v: 1 });
const epoch = (n: number, t: number): LogEntry => ({ k: "epoch", map: toBase64url(new Uint8Array(32)), n, t, v: 1 });

function tallyOf(entries: readonly LogEntry[]) {
  const tally = new Tally();
  for (const entry of entries) tally.add(entry);
  return tally.tallied;
}

suite("what a replay counts (log 8.4)", () => {
  test("are accounts and versions; what is sealed is nobody's", () => {
    const { accounts, versions } = tallyOf([sealed("account"), version(1, 1), sealed("catalogs"), version(2, 1), epoch(1, HOUR)]);
    assert.deepEqual([accounts, versions], [1, 2]);
  });

  test("an hour is that of the epoch that closes over an entry, and the busiest is whoever had most in one", () => {
    const { busiest } = tallyOf([version(1, 1), version(1, 2), version(2, 1), epoch(1, 5 * HOUR - 1), version(2, 2), version(2, 3), version(2, 4), epoch(2, 5 * HOUR), version(1, 3), epoch(3, 6 * HOUR)]);
    assert.deepEqual(busiest, { hour: 5 * HOUR, id: idOf(2), versions: 3 });
  });

  test("what no epoch closed has no hour yet", () => {
    const { busiest, versions } = tallyOf([version(1, 1)]);
    assert.deepEqual([busiest, versions], [undefined, 1]);
  });
});
