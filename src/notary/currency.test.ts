import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../bytes/base64url.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import { readVectors } from "../crypto/test-vectors.ts";
import { checkCurrencyProof } from "./currency.ts";
import { writeEntry } from "./entry.ts";
import { leafHash } from "./merkle.ts";
import { advance, NO_HEAD } from "./log-head.ts";
import { readNote, writeNote } from "./note.ts";
import { consistencyProof } from "./prove.ts";
import { checkReceipt, sentHash, signReceipt } from "./receipt.ts";
import { Replay } from "./replay.ts";
import { idOf, TestNotary } from "./test-notary.ts";
import { flipped } from "./test-log.ts";
import { readTlogProof, writeTlogProof } from "./tlog-proof.ts";
import { rootOf } from "./tree.ts";

const NOW = 1_790_000_000;

suite("what is current (log 6)", () => {
  test("is proved for master, personal and suspensions, as is that there is nothing; replaying the log agrees", async () => {
    const notary = await TestNotary.open();
    for (let person = 1; person <= 20; person++) notary.create(idOf(person));
    await notary.close(NOW);
    notary.personal(idOf(3));
    notary.suspend(idOf(3));
    notary.sealed("connect");
    await notary.close(NOW + 1);
    const proof = await notary.prove({ kind: "personal", id: idOf(3) });
    const current = checkCurrencyProof(proof, notary.policy(), NOW + 2);
    assert.deepEqual([current.value?.g, current.value?.n, current.epoch.n, current.checkpoint.size], [1, 2, 2, notary.size]);
    assert.equal(checkCurrencyProof(await notary.prove({ kind: "suspensions", id: idOf(3) }), notary.policy(), NOW).value?.n, 1);
    assert.equal(checkCurrencyProof(await notary.prove({ kind: "suspensions", id: idOf(4) }), notary.policy(), NOW).value, undefined);
    assert.equal(checkCurrencyProof(await notary.prove({ kind: "master", id: idOf(77) }), notary.policy(), NOW).value, undefined);

    const replay = new Replay();
    for (const entry of notary.entries) await replay.take([entry]);
    assert.ok(replay.agrees(current.checkpoint));
    assert.deepEqual(await replay.newest("personal", idOf(3)), current.value);
    const [half, rest] = [new Replay(), notary.entries.length / 2];
    await half.take(notary.entries.slice(0, rest));
    await half.take(notary.entries.slice(rest));
    assert.ok(half.agrees(current.checkpoint));
  });

  test("every bit of the proof counts, but those that are no part of what is signed by the keys asked for", async () => {
    const notary = await TestNotary.open();
    for (let person = 1; person <= 9; person++) notary.create(idOf(person));
    await notary.close(NOW);
    const proof = await notary.prove({ kind: "master", id: idOf(5) });
    const wanted = checkCurrencyProof(proof, notary.policy(), NOW);
    const { extra = new Uint8Array(0), path, ...rest } = readTlogProof(proof);
    const refused = (octets: Uint8Array, about: string) => assert.throws(() => checkCurrencyProof(octets, notary.policy(), NOW), (error: { code?: string }) => /^(log-proof-|note-)/.test(error.code ?? ""), about);
    for (let bit = 0; bit < extra.length * 8; bit++) refused(writeTlogProof({ ...rest, path, extra: flipped(extra, bit) }), `extra ${bit}`);
    for (const [at, hash] of path.entries()) for (let bit = 0; bit < 256; bit += 5) refused(writeTlogProof({ ...rest, extra, path: path.with(at, flipped(hash, bit)) }), `path ${at} ${bit}`);
    for (let bit = 0; bit < proof.length * 8; bit += 31) {
      const text = flipped(proof, bit);
      try {
        assert.deepEqual({ ...checkCurrencyProof(text, notary.policy(), NOW), checkpoint: 0 }, { ...wanted, checkpoint: 0 });
      } catch (error) {
        assert.match((error as { code?: string }).code ?? "", /^(log-|note-)/, String(error));
      }
    }
  });

  test("an older epoch, another log, a missing signature of the log and too few fresh cosigners are told apart", async () => {
    const notary = await TestNotary.open({ cosigners: 3 });
    notary.create(idOf(1));
    await notary.close(NOW);
    const old = await notary.prove({ kind: "master", id: idOf(1) });
    const policy = notary.policy({ quorum: 2 });
    assert.equal(checkCurrencyProof(old, policy, NOW).checkpoint.cosigned, 3);
    assert.throws(() => checkCurrencyProof(old, policy, NOW + 601), { code: "log-proof-stale" });
    assert.throws(() => checkCurrencyProof(old, policy, NOW - 601), { code: "log-proof-stale" });
    assert.throws(() => checkCurrencyProof(old, { ...policy, quorum: 4 }, NOW), { code: "log-proof-stale" });
    assert.throws(() => checkCurrencyProof(old, { ...policy, origin: "other.example/mesh/1" }, NOW), { code: "log-wrong-origin" });
    assert.throws(() => checkCurrencyProof(old, { ...policy, logKeys: [] }, NOW), { code: "note-unsigned" });
    const { checkpoint, ...rest } = readTlogProof(old);
    const note = readNote(checkpoint);
    for (const left of [0, 1]) {
      const signatures = note.signatures.filter((_, at) => at !== left);
      assert.throws(() => checkCurrencyProof(writeTlogProof({ ...rest, checkpoint: writeNote({ ...note, signatures }) }), policy, NOW), { code: "note-unsigned" });
    }
    notary.personal(idOf(1));
    await notary.close(NOW + 5);
    const fresh = readTlogProof(await notary.prove({ kind: "master", id: idOf(1) }));
    const { checkpoint: newer } = fresh;
    assert.throws(() => checkCurrencyProof(writeTlogProof({ ...rest, checkpoint: newer }), policy, NOW), { code: "log-proof-false" });
  });
});

suite("a log that goes on (log 7)", () => {
  test("is followed; less is older, something else a fork", async () => {
    const notary = await TestNotary.open();
    notary.create(idOf(1));
    const first = await notary.close(NOW);
    notary.create(idOf(2));
    const second = await notary.close(NOW + 1);
    const head = advance(NO_HEAD, first, []);
    const proof = await consistencyProof(notary.log.read, first.size, second.size);
    assert.deepEqual(advance(head, second, proof), { size: second.size, root: second.root });
    assert.throws(() => advance(second, first, proof), { code: "portal-older-log" });
    assert.throws(() => advance(head, { ...second, root: flipped(second.root, 9) }, proof), { code: "portal-forked-log" });
    assert.throws(() => advance(head, second, []), { code: "portal-forked-log" });
    assert.throws(() => advance(second, { ...second, root: flipped(second.root, 9) }, []), { code: "portal-forked-log" });
    assert.throws(() => advance(NO_HEAD, { size: 0, root: second.root }, []), { code: "portal-forked-log" });
  });

  test("a receipt is for its leaf, from its log, by its key", async () => {
    const notary = await TestNotary.open();
    const leaves = [1, 2, 3].map((person) => leafHash(utf8(`entry ${person}`)));
    const receipt = await signReceipt({ origin: notary.origin, from: 40, time: NOW * 1000, runs: [{ leaves, sent: sentHash([]) }] }, notary.signers[0]);
    assert.deepEqual(checkReceipt(receipt, notary.signers[0].key, notary.origin, leaves[2] as Uint8Array), { index: 42, time: NOW * 1000 });
    assert.throws(() => checkReceipt(receipt, notary.signers[0].key, notary.origin, leafHash(utf8("entry 4"))), { code: "log-proof-false" });
    assert.throws(() => checkReceipt(receipt, notary.signers[0].key, "other.example", leaves[0] as Uint8Array), { code: "log-wrong-origin" });
    assert.throws(() => checkReceipt(receipt, (notary.signers[1] ?? assert.fail()).key, notary.origin, leaves[0] as Uint8Array), { code: "note-unsigned" });
    assert.throws(() => checkReceipt(utf8(fromUtf8(receipt).replace("\n40\n", "\n41\n")), notary.signers[0].key, notary.origin, leaves[0] as Uint8Array), { code: "note-unsigned" });
    notary.create(idOf(1));
    await notary.close(NOW);
    assert.throws(() => checkReceipt(notary.checkpoint, notary.signers[0].key, notary.origin, leaves[0] as Uint8Array), { code: "note-malformed" });
  });
});

suite("replaying a log (log 8) refuses", () => {
  const replayed = async (change: (notary: TestNotary) => void): Promise<Replay> => {
    const notary = await TestNotary.open();
    notary.create(idOf(1));
    await notary.close(NOW);
    change(notary);
    await notary.close(NOW + 1).catch(() => {});
    const replay = new Replay();
    await replay.take(notary.entries);
    return replay;
  };
  const digest = toBase64url(new Uint8Array(64).fill(9));
  const personal = { g: 1, id: idOf(1), k: "personal", len: 10, obj: digest, v: 1 } as const;

  for (const [why, code, entry] of [
    ["a Master Profile twice", "portal-wrong-entry", { id: idOf(1), k: "master", len: 10, n: 1, obj: digest, v: 1 }],
    ["a version that follows another digest", "portal-wrong-entry", { ...personal, n: 2, prev: digest }],
    ["a step of more than 16", "portal-wrong-entry", { ...personal, n: 18 }],
    ["a Personal Profile under a Master Profile that is not there", "portal-wrong-entry", { ...personal, g: 2, n: 1 }],
    ["a Master Profile without a Personal Profile under it, once an epoch closes", "portal-wrong-entry", { id: idOf(2), k: "master", len: 10, n: 1, obj: digest, v: 1 }],
    ["an epoch out of its turn", "portal-wrong-entry", { k: "epoch", map: toBase64url(new Uint8Array(32)), n: 3, t: NOW * 1000 + 1, v: 1 }],
    ["an epoch whose time does not rise", "portal-wrong-entry", { k: "epoch", map: toBase64url(new Uint8Array(32)), n: 2, t: NOW * 1000, v: 1 }],
    ["an epoch with another map", "portal-wrong-map", { k: "epoch", map: toBase64url(new Uint8Array(32)), n: 2, t: NOW * 1000 + 1, v: 1 }],
  ] as const) {
    test(why, () => assert.rejects(replayed((notary) => notary.add(writeEntry(entry as never))), { code }));
  }
  test("an entry that is none", () => assert.rejects(replayed((notary) => notary.add(utf8('{"k":"epoch" }'))), { code: "log-entry-malformed" }));

  test("to agree with a checkpoint of another size or root, or of a log that no epoch closes", async () => {
    const notary = await TestNotary.open();
    notary.create(idOf(1));
    const closed = await notary.close(NOW);
    notary.sealed("account");
    const [all, some] = [new Replay(), new Replay()];
    await some.take(notary.entries.slice(0, -1));
    assert.deepEqual([some.agrees(closed), some.agrees({ ...closed, root: flipped(closed.root, 1) }), some.agrees({ ...closed, size: 4 })], [true, false, false]);
    await all.take(notary.entries);
    assert.equal(all.agrees({ ...closed, size: 4, root: rootOf(notary.log.tree) }), false);
  });
});

test("the example of C2SP tlog-proof reads and is written the same, with `extra` and without", () => {
  const [example = ""] = readVectors<{ readonly specExamples: { readonly "tlog-proof": readonly string[] } }>("tlog/c2sp-notes.json").specExamples["tlog-proof"];
  const proof = readTlogProof(utf8(example));
  assert.deepEqual([proof.index, proof.path.length, fromUtf8((proof.extra ?? assert.fail()).slice(0, 10))], [73894, 5, "age-v1.2.1"]);
  assert.equal(fromUtf8(writeTlogProof(proof)), example);
  // Its signatures are elided, so that it is no note.
  assert.throws(() => readNote(proof.checkpoint), { code: "note-malformed" });
  const plain = example.replace(/^extra .*\n/m, "");
  assert.equal(readTlogProof(utf8(plain)).extra, undefined);
  assert.equal(fromUtf8(writeTlogProof(readTlogProof(utf8(plain)))), plain);
});

suite("proofs have one spelling (log 6.3)", () => {
  const good = "c2sp.org/tlog-proof@v1\nextra AA==\nindex 5\ngSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n\nx\n";
  test("the plainest reads", () => assert.equal(readTlogProof(utf8(good)).index, 5));
  for (const [why, text] of [
    ["another head", good.replace("@v1", "@v2")],
    ["no index", good.replace("index 5\n", "")],
    ["the index before the extra", good.replace("extra AA==\nindex 5", "index 5\nextra AA==")],
    ["a zero before the index", good.replace("index 5", "index 05")],
    ["an index of 2^53", good.replace("index 5", "index 9007199254740992")],
    ["extra with stray bits", good.replace("AA==", "AB==")],
    ["a hash cut short", good.replace("gSKy", "")],
    ["54 hashes", good.replace("gSKy", `${"gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n".repeat(53)}gSKy`)],
    ["no checkpoint", good.slice(0, good.indexOf("\n\n"))],
    ["too many octets", `${good}${"x".repeat(512 * 1024)}`],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => readTlogProof(utf8(text)), { code: "log-proof-malformed" }));
  }
});
