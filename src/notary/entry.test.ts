import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { toBase64url } from "../bytes/base64url.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import type { Digest } from "../envelope/fields.ts";
import { opens, sealEntry } from "./commitment.ts";
import { type LogEntry, MAX_ENTRY, readEntry, sealedKinds, writeEntry } from "./entry.ts";
import { changeOf, isNews } from "./succession.ts";
import { idOf } from "./test-notary.ts";

const digest = (octet: number) => toBase64url(new Uint8Array(64).fill(octet)) as Digest;
const personal = { g: 2, id: idOf(1), k: "personal", len: 9000, n: 5, obj: digest(1), prev: digest(2), v: 1 } as const;
const some: readonly LogEntry[] = [
  { id: idOf(1), k: "master", len: 8000, n: 2, obj: digest(3), prev: digest(4), v: 1 },
  personal,
  { id: idOf(1), k: "suspension", len: 6000, n: 1, obj: digest(5), v: 1 },
  { k: "epoch", map: toBase64url(new Uint8Array(32)), n: 1, t: 1_790_000_000_000, v: 1 },
  { k: "load", len: 0, obj: digest(7), v: 1 },
  ...sealedKinds.map((k): LogEntry => ({ c: digest(6), k, v: 1 })),
];

suite("entries (log 4.1, 4.2)", () => {
  for (const entry of some) {
    test(`${entry.k} reads as it was written, in a few hundred octets`, () => {
      assert.deepEqual(readEntry(writeEntry(entry)), entry);
      assert.ok(writeEntry(entry).length < 512);
    });
  }

  const text = fromUtf8(writeEntry(personal));
  for (const [why, octets] of [
    ["members in another order", utf8(text.replace(/^\{("g":2),/, "{").replace(/\}$/, ',"g":2}'))],
    ["a member missing", utf8(text.replace('"len":9000,', ""))],
    ["a number as text", utf8(text.replace('"n":5', '"n":"5"'))],
    ["a fraction", utf8(text.replace('"n":5', '"n":5.5'))],
    ["a version of 2^32", utf8(text.replace('"n":5', '"n":4294967296'))],
    ["a number of 2^53", utf8(text.replace('"len":9000', '"len":9007199254740992'))],
    ["version 0", utf8(text.replace('"n":5', '"n":0'))],
    ["a digest cut short", utf8(text.replace(digest(1), digest(1).slice(4)))],
    ["an identifier in another spelling", utf8(text.replace(idOf(1), idOf(1).toLowerCase()))],
    ["another format", utf8(text.replace('"v":1', '"v":2'))],
    ["depth", utf8('{"k":[[1]]}')],
    ["what was added for a test of load and claims to be of a mesh", utf8(`{"id":"${idOf(1)}","k":"load","len":1,"obj":"${digest(7)}","v":1}`)],
    ["a list", utf8("[]")],
    ["octets that are no UTF-8", Uint8Array.of(0xff, 0xfe)],
    ["more than 4 KiB", new Uint8Array(MAX_ENTRY + 1).fill(0x20)],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => readEntry(octets), { code: "log-entry-malformed" }));
  }

  test("only those that name an object change the map, and what is not newer is no news", () => {
    const changes = some.map((entry) => changeOf(entry, 40));
    assert.deepEqual(changes.map((change) => (change === undefined ? undefined : [change.kind, change.value.g, change.value.n, change.value.index])), [["master", 2, 0, 40], ["personal", 2, 5, 40], ["suspensions", 0, 1, 40], ...some.slice(3).map(() => undefined)]);
    const newest = (g: number, n: number) => ({ g, n, index: 1, digest: new Uint8Array(64) });
    assert.deepEqual([undefined, newest(2, 4), newest(1, 99), newest(2, 5), newest(2, 6), newest(3, 1)].map((one) => isNews(personal, one)), [true, true, true, false, false, false]);
  });
});

suite("sealed entries (log 4.3)", () => {
  test("open with their own salt and content, of their own kind, and with nothing else", () => {
    fc.assert(
      fc.property(fc.constantFrom(...sealedKinds), fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(255), fc.string(), (kind, salt, at, word) => {
        const entry = sealEntry(kind, { salt, content: { word } });
        assert.ok(opens(readEntry(writeEntry(entry)) as typeof entry, { salt, content: { word } }));
        assert.ok(!opens(entry, { salt, content: { word: `${word}!` } }));
        assert.ok(!opens(entry, { salt: salt.with(at >> 3, (salt[at >> 3] as number) ^ (1 << (at & 7))), content: { word } }));
        assert.ok(!opens(entry, { salt: salt.slice(1), content: { word } }));
        for (const other of sealedKinds) if (other !== kind) assert.ok(!opens({ ...entry, k: other }, { salt, content: { word } }));
      }),
    );
  });
});
