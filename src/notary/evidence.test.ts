import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../bytes/base64url.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import type { Digest } from "../envelope/fields.ts";
import { digestOf } from "../envelope/signed.ts";
import type { Udf } from "../udf/udf.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { signNote } from "./cosignature.ts";
import { closedEpoch } from "./currency.ts";
import { type LogEntry, readEntry, writeEntry } from "./entry.ts";
import { checkEvidence, type Evidence, originIn, readEvidence, writeEvidence } from "./evidence.ts";
import { closingOf } from "./make-evidence.ts";
import { leafHash } from "./merkle.ts";
import { writeNote } from "./note.ts";
import { consistencyProof, inclusionProof, rootAt } from "./prove.ts";
import { sentHash, type SentObject, signReceipt } from "./receipt.ts";
import { someLeaves, TestLog } from "./test-log.ts";
import { idOf, TestNotary } from "./test-notary.ts";
import { joinTlogProof, readTlogProof } from "./tlog-proof.ts";
import { rootOf } from "./tree.ts";

const { origin, signers } = await TestNotary.open();
const keys = signers.map(({ key }) => key);
const NOW = 1_790_000_000;

async function signed({ tree }: TestLog, seconds = NOW): Promise<string> {
  const text = writeCheckpoint({ origin, size: tree.size, root: rootOf(tree), extensions: [] });
  return fromUtf8(writeNote({ text, signatures: await Promise.all(signers.map((one) => signNote(one, text, seconds))) }));
}

function logOf(...parts: readonly (readonly Uint8Array[])[]): TestLog {
  const log = new TestLog();
  for (const part of parts) log.append(part);
  return log;
}

const leaves = someLeaves(90);
const [other] = [leafHash(utf8("another"))];
const honest = logOf(leaves);
/** The same log, but for its 20th leaf. */
const forked = logOf(leaves.with(20, other));
const hashes = (proof: readonly Uint8Array[]) => proof.map(toBase64url);
const refused = (evidence: Evidence, code = "log-evidence-false") => assert.throws(() => checkEvidence(readEvidence(writeEvidence(evidence)), origin, keys), { code });
const taken = (evidence: Evidence) => checkEvidence(readEvidence(writeEvidence(evidence)), origin, keys);

function personalIn(octets: Uint8Array | undefined): Extract<LogEntry, { k: "personal" }> {
  const entry = readEntry(octets ?? assert.fail());
  return entry.k === "personal" ? entry : assert.fail();
}

/** What stands beside a proof, under another number and time of its epoch. */
function withTime(extra: Uint8Array, n: number, t: number): Uint8Array {
  const octets = extra.slice();
  const view = new DataView(octets.buffer);
  view.setBigUint64(54, BigInt(n));
  view.setBigUint64(62, BigInt(t));
  return octets;
}

suite("evidence (log 7.2)", () => {
  test("a fork: two checkpoints of one size, or the earlier one's size in the later one's tree", async () => {
    const same: Evidence = { earlier: await signed(honest), kind: "fork", later: await signed(forked), proof: [], root: toBase64url(rootOf(forked.tree)), v: 1 };
    taken(same);
    const earlier = logOf(leaves.slice(0, 33));
    const fork: Evidence = { earlier: await signed(earlier), kind: "fork", later: await signed(forked), proof: hashes(await consistencyProof(forked.read, 33, 90)), root: toBase64url(await rootAt(forked.read, 33)), v: 1 };
    taken(fork);
    const innocent: Evidence = { ...fork, later: await signed(honest), proof: hashes(await consistencyProof(honest.read, 33, 90)), root: toBase64url(await rootAt(honest.read, 33)) };
    refused(innocent);
    refused({ ...innocent, root: fork.root });
    refused({ ...fork, proof: fork.proof.slice(1) });
    refused({ ...fork, earlier: fork.later, later: fork.earlier });
    refused({ ...same, later: same.earlier });
    refused({ ...same, later: same.later.replace("\n90\n", "\n91\n") }, "note-unsigned");
    refused({ ...same, later: same.later.replace(/\n— .*\n$/, "\n") }, "note-unsigned");
    assert.throws(() => checkEvidence(same, "other.example/mesh/1", keys), { code: "log-wrong-origin" });
  });

  test("a receipt that is broken: another leaf stands where one was promised", async () => {
    const receipt = fromUtf8(await signReceipt({ origin, from: 19, time: NOW * 1000, runs: [{ leaves: leaves.slice(19, 22), sent: sentHash([]) }] }, signers[0]));
    const broken: Evidence = { checkpoint: await signed(forked), found: toBase64url(other), kind: "broken-receipt", leaf: toBase64url(leaves[20] as Uint8Array), path: hashes(await inclusionProof(forked.read, 20, 90)), receipt, v: 1 };
    taken(broken);
    refused({ ...broken, checkpoint: await signed(honest), found: broken.leaf, path: hashes(await inclusionProof(honest.read, 20, 90)) });
    refused({ ...broken, leaf: toBase64url(leaves[19] as Uint8Array) });
    refused({ ...broken, leaf: toBase64url(leaves[40] as Uint8Array) }, "log-proof-false");
    refused({ ...broken, receipt: receipt.replace("\n19\n", "\n18\n") }, "note-unsigned");
  });

  test("a receipt that is late: a checkpoint of eleven seconds later does not reach it", async () => {
    const receipt = fromUtf8(await signReceipt({ origin, from: 90, time: NOW * 1000, runs: [{ leaves: [other], sent: sentHash([]) }] }, signers[0]));
    const late: Evidence = { checkpoint: await signed(honest, NOW + 11), kind: "late-receipt", leaf: toBase64url(other), receipt, v: 1 };
    taken(late);
    refused({ ...late, checkpoint: await signed(honest, NOW + 10) });
    refused({ ...late, checkpoint: await signed(logOf(leaves, [other]), NOW + 11) });
  });

  test("a rollback: fewer entries, signed later", async () => {
    const rollback: Evidence = { earlier: await signed(honest), kind: "rollback", later: await signed(logOf(leaves.slice(0, 89)), NOW + 1), v: 1 };
    taken(rollback);
    refused({ ...rollback, later: await signed(logOf(leaves.slice(0, 89))) });
    refused({ ...rollback, later: await signed(logOf(leaves, [other]), NOW + 1) });
    refused({ ...rollback, later: rollback.earlier });
    refused({ ...rollback, later: rollback.later.replace("\n89\n", "\n88\n") }, "note-unsigned");
  });

  test("a rollback within one second: fewer entries under an epoch that was closed later", async () => {
    const [one, other] = [await TestNotary.open(), await TestNotary.open()];
    const log = async (notary: TestNotary, people: number, seconds: number) => {
      for (let person = 0; person < people; person++) notary.create(idOf(person));
      await notary.close(seconds);
      const text = writeCheckpoint({ origin, size: notary.size, root: rootOf(notary.log.tree), extensions: [] });
      return { checkpoint: fromUtf8(writeNote({ text, signatures: await Promise.all(signers.map((each) => signNote(each, text, NOW))) })), closing: closingOf(notary.closed.epoch, await inclusionProof(notary.log.read, notary.size - 1, notary.size)) };
    };
    const [before, after] = [await log(one, 5, NOW), await log(other, 3, NOW + 1)];
    const rollback = { earlier: before.checkpoint, epochs: [before.closing, after.closing], kind: "rollback", later: after.checkpoint, v: 1 } satisfies Evidence as Evidence & { kind: "rollback" };
    taken(rollback);
    refused({ earlier: before.checkpoint, kind: "rollback", later: after.checkpoint, v: 1 });
    refused({ ...rollback, epochs: [before.closing, before.closing] });
    refused({ ...rollback, epochs: [after.closing, after.closing] });
    refused({ ...rollback, epochs: [{ ...before.closing, t: 1 }, after.closing] });
    refused({ ...rollback, epochs: [before.closing, { ...after.closing, path: after.closing.path.slice(1) }] });
    refused({ ...rollback, earlier: rollback.later, epochs: [after.closing, before.closing], later: rollback.earlier });
  });

  test("a wrong entry: the log has something else than the version that a receipt is for, or nothing", async () => {
    const notary = await TestNotary.open();
    notary.create(idOf(1));
    const from = notary.size;
    notary.personal(idOf(1));
    const { k, id, g, n, obj } = personalIn(notary.entries[from]);
    await notary.close(NOW);
    const proof = fromUtf8(await notary.prove({ id: idOf(1), kind: "personal" }));
    const judge = (evidence: Evidence) => checkEvidence(readEvidence(writeEvidence(evidence)), origin, notary.policy().logKeys);
    /** What a receipt for a version says of the run that begins there. */
    const promised = async (run: { readonly from: number; readonly leaf?: Uint8Array }, version: { readonly g?: number; readonly n?: number; readonly obj?: Digest; readonly id?: Udf<"master"> } = {}): Promise<Evidence> => {
      const sent: readonly SentObject[] = [{ obj: digestOf(utf8("account")) }, { g, id, k, n, obj, ...version }];
      return { at: 1, kind: "wrong-entry", proof, receipt: fromUtf8(await signReceipt({ from: run.from, origin, runs: [{ leaves: [run.leaf ?? other], sent: sentHash(sent) }], time: NOW * 1000 }, notary.signers[0])), sent: [...sent], v: 1 };
    };
    const never = digestOf(utf8("another object"));
    judge(await promised({ from: 0 }));
    judge(await promised({ from }, { n: n + 1, obj: never }));
    judge(await promised({ from }, { g: g + 1, n: 1, obj: never }));
    judge(await promised({ from }, { obj: never }));
    const innocent = (evidence: Evidence) => assert.throws(() => judge(evidence), { code: "log-evidence-false" });
    // It stands in the run, the log had it before, it is not current any more, it is of somebody else, or the checkpoint is from before.
    for (const one of [await promised({ from }), await promised({ from: from + 1 }), await promised({ from }, { n: n - 1, obj: never }), await promised({ from: 0 }, { id: idOf(2) }), await promised({ from: notary.size }, { obj: never })]) innocent(one);
    const lie = await promised({ from: 0 });
    assert.ok(lie.kind === "wrong-entry");
    innocent({ ...lie, at: 0 });
    innocent({ ...lie, at: 2 });
    innocent({ ...lie, sent: [...lie.sent, { obj }] });
    assert.throws(() => judge({ ...lie, receipt: lie.receipt.replace("\n0\n", "\n1\n") }), { code: "note-unsigned" });
    assert.equal(originIn(lie), origin);
  });

  test("a wrong map: an entry that the log has is news to the map over it", async () => {
    const notary = await TestNotary.open();
    notary.create(idOf(1));
    await notary.close(NOW);
    const before = await notary.prove({ id: idOf(1), kind: "personal" });
    const { epoch } = notary.closed;
    const old = notary.size;
    notary.personal(idOf(1));
    const [entry] = notary.entries.slice(old);
    // The map as it was, under an epoch that closes over the entry.
    const lie = writeEntry({ ...epoch, n: 2, t: epoch.t + 1000 });
    const tree = notary.log.tree;
    notary.add(lie);
    const text = writeCheckpoint({ origin, size: notary.size, root: rootOf(notary.log.tree), extensions: [] });
    const checkpoint = writeNote({ text, signatures: await Promise.all(notary.signers.map((one) => signNote(one, text, NOW + 1))) });
    const { extra } = readTlogProof(before);
    const proof = fromUtf8(joinTlogProof(extra === undefined ? undefined : withTime(extra, 2, epoch.t + 1000), closedEpoch({ ...epoch, n: 2, t: epoch.t + 1000 }, tree, checkpoint).end));
    const judge = (evidence: Evidence) => checkEvidence(readEvidence(writeEvidence(evidence)), origin, notary.policy().logKeys);
    const wrong: Evidence = { entry: fromUtf8(entry ?? assert.fail()), index: old, kind: "wrong-map", path: hashes(await inclusionProof(notary.log.read, old, notary.size)), proof, v: 1 };
    judge(wrong);
    assert.equal(originIn(wrong), origin);
    const known = notary.entries.findIndex((one) => readEntry(one).k === "personal");
    const told = hashes(await inclusionProof(notary.log.read, known, notary.size));
    assert.throws(() => judge({ ...wrong, entry: fromUtf8(notary.entries[known] ?? assert.fail()), index: known, path: told }), { code: "log-evidence-false" });
    assert.throws(() => judge({ ...wrong, index: wrong.index - 1 }), { code: "log-evidence-false" });
    assert.throws(() => judge({ ...wrong, path: wrong.path.slice(1) }), { code: "log-evidence-false" });
    assert.throws(() => judge({ ...wrong, proof: proof.replace("index ", "index 1") }), { code: "log-proof-false" });
    assert.throws(() => judge({ ...wrong, entry: "{}" }), { code: "log-entry-malformed" });
    assert.throws(() => judge({ ...wrong, proof: "none" }), { code: "log-proof-malformed" });
  });

  test("what is none is refused", () => {
    for (const octets of ["", "[]", "{}", '{"kind":"fork","v":1}', '{"kind":"diary","v":1}', `{"x":"${"x".repeat(1 << 20)}"}`]) assert.throws(() => readEvidence(utf8(octets)), { code: "log-evidence-malformed" });
  });
});
