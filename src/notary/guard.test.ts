import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { utf8 } from "../bytes/text.ts";
import { generateLogKey } from "../crypto/log-key.ts";
import { openMemoryStore } from "../store/memory.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import { type NoteSigner, signNote } from "./cosignature.ts";
import { checkNotBehind, type SignedLog } from "./guard.ts";
import { cosign } from "./keeping/cosign.ts";
import type { Hash } from "./merkle.ts";
import { writeNote } from "./note.ts";
import { consistencyProof } from "./prove.ts";
import { type Cosigner, showCheckpoint } from "./show.ts";
import { someLeaves, TestLog } from "./test-log.ts";
import { rootOf } from "./tree.ts";
import { verifierKey } from "./verifier-key.ts";

const origin = "a.example/mesh/1";
const leaves = someLeaves(500);
const signerOf = (name: string, type: "note" | "cosignature/v1"): NoteSigner => {
  const key = generateLogKey("ed25519");
  return { key: verifierKey(name, type, key.publicKey), sign: (message) => key.sign(message) };
};
const signer = signerOf(origin, "note");

/** The log as one copy of its records has it. */
function copyOf(size: number, of: readonly Hash[] = leaves): SignedLog {
  const log = new TestLog();
  log.append(of.slice(0, size));
  const text = writeCheckpoint({ origin, size, root: rootOf(log.tree), extensions: [] });
  return { signer, since: async (old) => (size === 0 ? undefined : { size, checkpoint: writeNote({ text, signatures: [await signNote(signer, text, 0)] }), proof: old > 0 && old <= size ? await consistencyProof(log.read, old, size) : [] }) };
}

/** A cosigner that is as the portal's are. */
function newCosigner(): Cosigner & { readonly vouch: (size: number) => Promise<void> } {
  const [store, own] = [openMemoryStore(), signerOf("w.example/mesh/cosigner/1", "cosignature/v1")];
  const send: Cosigner["send"] = async (body) => {
    const answer = await cosign({ store, logs: new Map([[origin, [signer.key]]]), signer: own, now: () => 1e12 }, body);
    return { status: answer.status, body: utf8(answer.status === 200 ? answer.lines : answer.status === 409 ? `${answer.size}\n` : "") };
  };
  let known = 0;
  const vouch = async (size: number): Promise<void> => {
    const { checkpoint, proof } = (await copyOf(size).since(known)) ?? assert.fail();
    assert.equal((await showCheckpoint({ key: own.key, send }, known, proof, checkpoint)).is, "cosigned");
    known = size;
  };
  return { key: own.key, send, vouch };
}

suite("a log that was set back signs nothing behind what others vouched for (decision 8.7, log 10.4)", () => {
  const behind = { code: "log-behind-peers" };
  for (const vouched of [1, 255, 256, 300, 499]) {
    test(`where ${vouched} entries were vouched for`, async () => {
      const cosigner = newCosigner();
      await checkNotBehind(copyOf(0), cosigner);
      await cosigner.vouch(vouched);
      await assert.rejects(checkNotBehind(copyOf(0), cosigner), behind);
      if (vouched > 1) await assert.rejects(checkNotBehind(copyOf(vouched - 1), cosigner), behind);
      const forked = leaves.with(vouched - 1, leaves[(vouched + 7) % 500] as Hash);
      await assert.rejects(checkNotBehind(copyOf(vouched, forked), cosigner), behind);
      await assert.rejects(checkNotBehind(copyOf(500, forked), cosigner), behind);
      await checkNotBehind(copyOf(vouched), cosigner);
      await checkNotBehind(copyOf(500), cosigner);
      await assert.rejects(checkNotBehind(copyOf(vouched), cosigner), behind, "what was shown is vouched for now");
    });
  }

  test("what another process signs meanwhile is no reason to stop", async () => {
    const cosigner = newCosigner();
    await cosigner.vouch(100);
    const sizes = [100, 200, 300];
    const since: SignedLog["since"] = async (old) => {
      if (old < 200) await cosigner.vouch(old + 100);
      return copyOf(sizes.find((one) => one > old) ?? 300).since(old);
    };
    await checkNotBehind({ signer, since }, cosigner);
  });

  for (const [why, status, body, code] of [
    ["does not know the log", 404, "", undefined],
    ["says a size that is none", 409, "many\n", "service-answer-malformed"],
    ["says a size beyond all", 409, "9007199254740991\n", "log-behind-peers"],
    ["fails", 500, "", "service-answer-malformed"],
    ["vouches with nothing", 200, "", "service-answer-malformed"],
    ["vouches with another's signature", 200, "— w.example/mesh/cosigner/1 AAAAAAAA\n", "service-answer-malformed"],
  ] as const) {
    test(`of one that ${why}`, async () => {
      const check = checkNotBehind(copyOf(10), { key: newCosigner().key, send: async () => ({ status, body: utf8(body) }) });
      await (code === undefined ? check : assert.rejects(check, { code }));
    });
  }
});
