import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as fc from "fast-check";

import { toBase64url } from "../bytes/base64url.ts";
import { canonicalBytes, type Json } from "../bytes/canonical-json.ts";
import { concatBytes } from "../bytes/equal.ts";
import { utf8 } from "../bytes/text.ts";
import { generateDecapsulationKey } from "../crypto/key-pair.ts";
import { randomBytes } from "../crypto/random.ts";
import { encryptUnder } from "../envelope/keyed.ts";
import { decapsulatorWith, seal } from "../envelope/sealed.ts";
import { digestOf } from "../envelope/signed.ts";
import { makeDevice, outcome, someId } from "../profiles/test-mesh.ts";
import { checkBody, MAX_COMMIT_BODY, wrapSubject } from "./commits.ts";
import { type Change, changesBytes, MAX_PLAINTEXT, openChanges, pad, sealChanges } from "./entries.ts";
import { counterLimit } from "./counters.ts";
import { newEntryId } from "./entry-id.ts";
import { beginEpoch, grantEpoch, previousKey, takeKey } from "./epoch-keys.ts";

const place = { catalog: someId(), epoch: 3, g: 1, index: 9, n: 1 };
const key = randomBytes(32);
const fields: Readonly<Record<string, readonly [number, Json]>> = Object.fromEntries<readonly [number, Json]>([["name", [1, "shop"]], ["constructor", [2, { a: [1, null] }]], ["prototype", [1, true]]]);
const changes: readonly Change[] = [{ entry: newEntryId(), fields }];

/** A commit over any plaintext, as somebody who holds the key but not to the rules might make it. */
function made(plaintext: Uint8Array, of = place) {
  const { salt, ciphertext } = encryptUnder(key, `mesh/entries/v1/${of.catalog}/${of.epoch}`, plaintext);
  return { body: ciphertext, payload: { ...of, digest: digestOf(ciphertext), kind: "entries" as const, salt: toBase64url(salt), size: ciphertext.length, v: 1 as const } };
}

suite("entries of a commit (decision 6.2)", () => {
  test("what was sealed opens, fields named as what every object has too", () => {
    const { payload, body } = sealChanges(place, key, changes);
    const opened = openChanges(payload, body, key);
    assert.deepEqual(opened, changes);
    assert.deepEqual(Object.keys(opened[0]?.fields ?? {}).sort(), ["constructor", "name", "prototype"]);
  });

  test("another key, epoch, catalog, salt or body is refused", async () => {
    const { payload, body } = sealChanges(place, key, changes);
    const rows = [
      ["entries-malformed", () => openChanges(payload, body, randomBytes(32))],
      ["entries-malformed", () => openChanges({ ...payload, epoch: 4 }, body, key)],
      ["entries-malformed", () => openChanges({ ...payload, catalog: someId() }, body, key)],
      ["entries-malformed", () => openChanges({ ...payload, salt: toBase64url(randomBytes(32)) }, body, key)],
      ["commit-wrong-body", () => openChanges(payload, body.subarray(1), key)],
      ["commit-wrong-body", () => openChanges(payload, concatBytes(body, Uint8Array.of(0)), key)],
      ["commit-wrong-body", () => checkBody({ ...payload, size: payload.size + 1 }, body)],
      ["commit-wrong-body", () => checkBody(payload, body.map((octet, at) => (at === 5 ? octet ^ 1 : octet)))],
    ] as const;
    for (const [code, action] of rows) assert.equal(await outcome(action), code);
  });

  test("what an author should not have sealed is refused by every reader, and by the author", async () => {
    const entry = newEntryId();
    const bad: readonly unknown[] = [
      [{ entry: "short", fields: {} }],
      [{ entry, fields: {}, purge: { fields: {} } }],
      [{ entry, fields: {}, purge: { blobs: ["x"], fields: {} } }],
      ...[0, 1.5, Number.MAX_SAFE_INTEGER, "1"].map((counter) => [{ entry, fields: {}, purge: { blobs: [], fields: { name: { [someId()]: counter } } } }]),
      [{ entry, fields: {}, purge: { blobs: [], fields: { name: { constructor: 1 } } } }],
      [{ entry, fields: {}, purge: { blobs: [], fields: { Name: { [someId()]: 1 } } } }],
      [{ entry, fields: { Name: [1, "x"] } }],
      [{ entry, fields: { ["a".repeat(65)]: [1, "x"] } }],
      [{ entry, fields: { name: [0, "x"] } }],
      [{ entry, fields: { name: [1.5, "x"] } }],
      [{ entry, fields: { name: [1] } }],
      [{ entry, fields: { name: [1, "x", "y"] } }],
      [{ entry, fields: { name: "x" } }],
      [{ entry, fields: ["x"] }],
      [{ entry, fields: { name: [counterLimit(place.index) + 1, "x"] } }],
      [{ entry, fields: { name: [1, "x"], other: [Number.MAX_SAFE_INTEGER, "x"] } }],
      [{ entry, fields: {}, purge: { blobs: [], fields: { name: { [someId()]: counterLimit(place.index) + 1 } } } }],
      [{ entry, fields: {}, more: 1 }],
      {},
    ];
    for (const each of bad) {
      const { payload, body } = made(pad(canonicalBytes({ changes: each as Json, v: 1 })));
      assert.equal(await outcome(() => openChanges(payload, body, key)), "entries-malformed", JSON.stringify(each));
      assert.equal(await outcome(() => sealChanges(place, key, each as Change[])), "entries-malformed", JSON.stringify(each));
    }
    for (const plaintext of [pad(utf8('{"changes":[],"v":2}')), utf8('{"changes":[],"v":1}'), new Uint8Array(512), concatBytes(pad(utf8('{"changes":[],"v":1}')), Uint8Array.of(1))]) {
      const { payload, body } = made(plaintext);
      assert.equal(await outcome(() => openChanges(payload, body, key)), "entries-malformed");
    }
    const spaced = made(pad(utf8('{"changes": [],"v":1}')));
    assert.equal(await outcome(() => openChanges(spaced.payload, spaced.body, key)), "json-not-canonical");
  });

  test("padding: at least 512 octets, steps of at most an eighth, nothing lost, never beyond what a commit holds", async () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_PLAINTEXT - 1 }), (length) => {
        const padded = pad(new Uint8Array(length));
        assert.ok(padded.length > length && padded.length >= 512 && padded.length <= MAX_PLAINTEXT);
        assert.ok(padded.length <= Math.max(512, (length + 1) * 1.125 + 1));
        assert.equal(padded[length], 0x80);
        assert.ok(padded.subarray(length + 1).every((octet) => octet === 0));
      }),
    );
    const sizes = new Set(Array.from({ length: 4096 }, (_, length) => pad(new Uint8Array(length)).length));
    assert.ok(sizes.size <= 26, `${sizes.size} sizes up to 4 KiB`);
    assert.equal(await outcome(() => pad(new Uint8Array(MAX_PLAINTEXT))), "entries-malformed");
    assert.equal(sealChanges(place, key, [{ entry: newEntryId(), fields: { x: [1, "a".repeat(MAX_PLAINTEXT - 120)] } }]).body.length <= MAX_COMMIT_BODY, true);
  });

  test("texts with octet 0x80 in them are not taken for padding", () => {
    const text: readonly Change[] = [{ entry: newEntryId(), fields: { x: [counterLimit(place.index), "\u0080\u0100 \u2000"] } }];
    const { payload, body } = sealChanges(place, key, text);
    assert.deepEqual(openChanges(payload, body, key), text);
    assert.ok(changesBytes(text).includes(0x80));
  });
});

suite("keys of epochs (decision 6.2, attack B1)", async () => {
  const [laptop, phone] = await Promise.all([makeDevice(), makeDevice()]);
  const first = await beginEpoch({ ...place, epoch: 1 }, [laptop.profile.payload], [], undefined);
  const second = await beginEpoch({ ...place, epoch: 2 }, [laptop.profile.payload], [], first.key);

  test("each reader takes the key, and from it the key before, back to the first", async () => {
    const taken = await takeKey(second.payload, second.payload.commitment, decapsulatorWith(laptop.encryption));
    assert.deepEqual(taken, second.key);
    assert.deepEqual(previousKey(second.payload, taken, first.payload.commitment), first.key);
    const third = await beginEpoch({ ...place, epoch: 3 }, [phone.profile.payload], [], second.key);
    const mine = await takeKey(third.payload, third.payload.commitment, decapsulatorWith(phone.encryption));
    assert.deepEqual(previousKey(second.payload, previousKey(third.payload, mine, second.payload.commitment), first.payload.commitment), first.key);
  });

  test("an epoch may go on from an earlier one than the one before, and then says so", async () => {
    const third = await beginEpoch({ ...place, epoch: 3 }, [phone.profile.payload], [], first.key, 1);
    assert.equal(third.payload.previousEpoch, 1);
    assert.deepEqual(previousKey(third.payload, third.key, first.payload.commitment), first.key);
    assert.equal(second.payload.previousEpoch, undefined);
  });

  test("from an old key nothing newer follows: the chain of keys goes one way", async () => {
    for (const key of [first.key, randomBytes(32)]) assert.equal(await outcome(() => previousKey(second.payload, key, first.payload.commitment)), "epoch-key-wrong");
    assert.equal(await outcome(() => takeKey(second.payload, second.payload.commitment, decapsulatorWith(phone.encryption))), "sealed-not-for-this-key");
  });

  test("a grant gives the key that the epoch committed to, and no other", async () => {
    const good = await grantEpoch({ ...place, epoch: 1 }, first.key, [phone.profile.payload]);
    assert.deepEqual(await takeKey(good, first.payload.commitment, decapsulatorWith(phone.encryption)), first.key);
    const bad = await grantEpoch({ ...place, epoch: 1 }, randomBytes(32), [phone.profile.payload]);
    assert.equal(await outcome(() => takeKey(bad, first.payload.commitment, decapsulatorWith(phone.encryption))), "epoch-key-wrong");
    assert.equal(await outcome(() => takeKey(good, second.payload.commitment, decapsulatorWith(phone.encryption))), "epoch-key-wrong");
    assert.equal(await outcome(() => takeKey({ ...good, epoch: 2 }, second.payload.commitment, decapsulatorWith(phone.encryption))), "sealed-malformed");
  });

  test("a key before that is not the one its epoch committed to is refused", async () => {
    const other = await beginEpoch({ ...place, epoch: 2 }, [laptop.profile.payload], [], randomBytes(32));
    assert.equal(await outcome(() => previousKey(other.payload, other.key, first.payload.commitment)), "epoch-key-wrong");
    const { previousKey: _, ...without } = second.payload;
    assert.equal(await outcome(() => previousKey(without, second.key, first.payload.commitment)), "epoch-key-wrong");
  });

  test("a key of another length is refused, though it was sealed and committed to", async () => {
    const key = generateDecapsulationKey();
    const wraps = await seal(wrapSubject(place.catalog, 1), randomBytes(16), [key.publicKey]);
    assert.equal(await outcome(() => takeKey({ ...first.payload, wraps }, first.payload.commitment, decapsulatorWith(key))), "epoch-key-wrong");
  });
});
