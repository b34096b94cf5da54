import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { utf8 } from "../bytes/text.ts";
import { sha256 } from "../crypto/digest.ts";
import { generateLogKey, LogVerifyingKey } from "../crypto/log-key.ts";
import { readVectors } from "../crypto/test-vectors.ts";
import { type NoteSigner, signatureBy, signNote, verifyNote } from "./cosignature.ts";
import type { LogHead } from "./log-head.ts";
import { readNote, readSignatureLines, writeSignatureLines } from "./note.ts";
import { readVerifierKey, verifierKey, type VerifierKey } from "./verifier-key.ts";
import { decideWitness, readAddCheckpoint, writeAddCheckpoint } from "./witness.ts";

type Request = { readonly url: string; readonly body: string; readonly status: number; readonly asserts: readonly string[] };
type Vectors = { readonly files: Readonly<Record<string, { readonly setup: readonly string[]; readonly requests: readonly Request[] }>>; readonly realSumdbCheckpoint: { readonly vkey: string; readonly note: string } };

const vectors = readVectors<Vectors>("tlog/witness-litewitness.json");

/** The logs that the commands of a setup configure, by origin. */
function logsOf(setup: readonly string[]): ReadonlyMap<string, readonly VerifierKey[]> {
  const logs = new Map<string, readonly VerifierKey[]>();
  for (const command of setup) {
    const sigsum = /add-sigsum-log -key=([0-9a-f]{64})/.exec(command)?.[1];
    const [, origin, key] = /add-key -origin '([^']+)' -key (\S+)/.exec(command) ?? [];
    if (origin !== undefined && key !== undefined) logs.set(origin, [readVerifierKey(key)]);
    if (sigsum === undefined) continue;
    const raw = Uint8Array.fromHex(sigsum);
    const name = `sigsum.org/v1/tree/${sha256(raw).toHex()}`;
    logs.set(name, [verifierKey(name, "note", new LogVerifyingKey("ed25519", raw))]);
  }
  return logs;
}

for (const [file, { setup, requests }] of Object.entries(vectors.files)) {
  test(`vectors/tlog/witness-litewitness.json, ${file}: one request after another has its status`, async () => {
    const logs = logsOf(setup);
    assert.ok(logs.size === 1);
    const heads = new Map<string, LogHead>();
    const own = generateLogKey("ed25519");
    const witness: NoteSigner = { key: verifierKey("example.com/witness", "cosignature/v1", own.publicKey), sign: (message) => own.sign(message) };
    for (const [at, { body, status, asserts }] of requests.entries()) {
      // Where the file was made the last line end was lost; without it no line would be whole.
      const request = readAddCheckpoint(utf8(`${body}\n`));
      const { origin } = request.checkpoint;
      const decision = decideWitness(request, logs.get(origin), heads.get(origin));
      // The row of 2025 expects 403 for a log that is not known; tlog-witness 1.0 says 404.
      const wanted = asserts.includes('body contains "unknown log"') ? 404 : status;
      assert.equal(decision.status, wanted, `${file} ${at}`);
      if (decision.status === 409) assert.deepEqual(asserts, [`body == "${decision.known}\\n"`]);
      if (decision.status !== 200) continue;
      heads.set(origin, decision.head);
      const answer = writeSignatureLines([await signNote(witness, request.note.text, 1_790_000_000)]);
      assert.ok(answer.startsWith("— example.com/witness "));
      assert.deepEqual(readSignatureLines(answer).map((one) => verifyNote(witness.key, request.note.text, one)), [{ seconds: 1_790_000_000 }]);
    }
  });
}

test("the real checkpoint of sum.golang.org verifies", () => {
  const { vkey, note } = vectors.realSumdbCheckpoint;
  assert.deepEqual(signatureBy(readVerifierKey(vkey), readNote(utf8(note))), { seconds: 0 });
});

suite("add-checkpoint (log 3.5)", () => {
  const body = vectors.files["litewitness"]?.requests[7]?.body ?? assert.fail();
  test("a request is written as it was read", () => {
    const { old, proof } = readAddCheckpoint(utf8(`${body}\n`));
    assert.deepEqual(writeAddCheckpoint(old, proof, utf8(`${body.slice(body.indexOf("\n\n") + 2)}\n`)), utf8(`${body}\n`));
  });
  test("the example of the specification reads", () => {
    const [, example = ""] = readVectors<{ readonly specExamples: { readonly "tlog-witness": readonly string[] } }>("tlog/c2sp-notes.json").specExamples["tlog-witness"];
    const { old, proof, checkpoint, note } = readAddCheckpoint(utf8(example));
    assert.deepEqual([old, proof.length, checkpoint.size, note.signatures.length], [20852014, 4, 20852163, 2]);
  });
  for (const [why, change] of [
    ["no old size", (text: string) => text.replace(/^old \d+\n/, "")],
    ["an old size with a zero before it", (text: string) => text.replace("old ", "old 0")],
    ["an old size of 2^64", (text: string) => text.replace(/old \d+/, "old 18446744073709551616")],
    ["64 hashes", (text: string) => text.replace(/\n/, `\n${"KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".repeat(61)}`)],
    ["a hash cut short", (text: string) => text.replace("KgIA", "")],
    ["no checkpoint", (text: string) => text.slice(0, text.indexOf("\n\n") + 2)],
  ] as const) {
    test(`refuses ${why}`, () => assert.throws(() => readAddCheckpoint(utf8(change(`${body}\n`))), { code: "note-malformed" }));
  }
});
