import assert from "node:assert/strict";
import { test } from "node:test";

import { generateLogKey } from "../../crypto/log-key.ts";
import { openMemoryStore } from "../../store/memory.ts";
import { writeCheckpoint } from "../checkpoint.ts";
import { type NoteSigner, signNote } from "../cosignature.ts";
import { writeNote } from "../note.ts";
import { someLeaves } from "../test-log.ts";
import { verifierKey } from "../verifier-key.ts";
import { writeAddCheckpoint } from "../witness.ts";
import { COSIGNED_SHELF, cosign } from "./cosign.ts";

const origin = "a.example/mesh/1";
const signerOf = (name: string, type: "note" | "cosignature/v1"): NoteSigner => {
  const key = generateLogKey("ed25519");
  return { key: verifierKey(name, type, key.publicKey), sign: (message) => key.sign(message) };
};

test("of many futures of a log that are shown at the same moment one is vouched for, and its head is kept before that is said (log 3.5)", async () => {
  const [store, log, own] = [openMemoryStore(), signerOf(origin, "note"), signerOf("w.example", "cosignature/v1")];
  const keptAtSigning: (Uint8Array | undefined)[] = [];
  const signer: NoteSigner = {
    key: own.key,
    sign: async (message) => {
      keptAtSigning.push(await store.read((r) => r.get(COSIGNED_SHELF, origin)));
      return own.sign(message);
    },
  };
  const requests = await Promise.all(someLeaves(10).map(async (root) => {
    const text = writeCheckpoint({ origin, size: 1, root, extensions: [] });
    return writeAddCheckpoint(0, [], writeNote({ text, signatures: [await signNote(log, text, 0)] }));
  }));
  const answers = await Promise.all(requests.map((body) => cosign({ store, logs: new Map([[origin, [log.key]]]), signer, now: () => 1e12 }, body)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 9 }, () => 409)]);
  assert.equal(keptAtSigning.length, 1);
  assert.ok(keptAtSigning[0] !== undefined);
});
