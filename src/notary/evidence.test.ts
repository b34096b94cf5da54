import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../bytes/base64url.ts";
import { fromUtf8, utf8 } from "../bytes/text.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { signNote } from "./cosignature.ts";
import { checkEvidence, type Evidence, readEvidence, writeEvidence } from "./evidence.ts";
import { leafHash } from "./merkle.ts";
import { writeNote } from "./note.ts";
import { consistencyProof, inclusionProof, rootAt } from "./prove.ts";
import { signReceipt } from "./receipt.ts";
import { someLeaves, TestLog } from "./test-log.ts";
import { TestNotary } from "./test-notary.ts";
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
const text = (hashes: readonly Uint8Array[]) => hashes.map(toBase64url);
const refused = (evidence: Evidence, code = "log-evidence-false") => assert.throws(() => checkEvidence(readEvidence(writeEvidence(evidence)), origin, keys), { code });
const taken = (evidence: Evidence) => checkEvidence(readEvidence(writeEvidence(evidence)), origin, keys);

suite("evidence (log 7.2)", () => {
  test("a fork: two checkpoints of one size, or the earlier one's size in the later one's tree", async () => {
    const same: Evidence = { earlier: await signed(honest), kind: "fork", later: await signed(forked), proof: [], root: toBase64url(rootOf(forked.tree)), v: 1 };
    taken(same);
    const earlier = logOf(leaves.slice(0, 33));
    const fork: Evidence = { earlier: await signed(earlier), kind: "fork", later: await signed(forked), proof: text(await consistencyProof(forked.read, 33, 90)), root: toBase64url(await rootAt(forked.read, 33)), v: 1 };
    taken(fork);
    const innocent: Evidence = { ...fork, later: await signed(honest), proof: text(await consistencyProof(honest.read, 33, 90)), root: toBase64url(await rootAt(honest.read, 33)) };
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
    const receipt = fromUtf8(await signReceipt({ origin, from: 19, time: NOW * 1000, leaves: leaves.slice(19, 22) }, signers[0]));
    const broken: Evidence = { checkpoint: await signed(forked), found: toBase64url(other), kind: "broken-receipt", leaf: toBase64url(leaves[20] as Uint8Array), path: text(await inclusionProof(forked.read, 20, 90)), receipt, v: 1 };
    taken(broken);
    refused({ ...broken, checkpoint: await signed(honest), found: broken.leaf, path: text(await inclusionProof(honest.read, 20, 90)) });
    refused({ ...broken, leaf: toBase64url(leaves[19] as Uint8Array) });
    refused({ ...broken, leaf: toBase64url(leaves[40] as Uint8Array) }, "log-proof-false");
    refused({ ...broken, receipt: receipt.replace("\n19\n", "\n18\n") }, "note-unsigned");
  });

  test("a receipt that is late: a checkpoint of eleven seconds later does not reach it", async () => {
    const receipt = fromUtf8(await signReceipt({ origin, from: 90, time: NOW * 1000, leaves: [other] }, signers[0]));
    const late: Evidence = { checkpoint: await signed(honest, NOW + 11), kind: "late-receipt", leaf: toBase64url(other), receipt, v: 1 };
    taken(late);
    refused({ ...late, checkpoint: await signed(honest, NOW + 10) });
    refused({ ...late, checkpoint: await signed(logOf(leaves, [other]), NOW + 11) });
  });

  test("what is none is refused", () => {
    for (const octets of ["", "[]", "{}", '{"kind":"fork","v":1}', '{"kind":"diary","v":1}', `{"x":"${"x".repeat(1 << 20)}"}`]) assert.throws(() => readEvidence(utf8(octets)), { code: "log-evidence-malformed" });
  });
});
