import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { utf8 } from "../bytes/text.ts";
import { readVectors } from "../crypto/test-vectors.ts";
import { checkCurrencyProof } from "./currency.ts";
import { leafHash } from "./merkle.ts";
import { Replay } from "./replay.ts";
import { EMPTY_TREE, integrate, rootOf } from "./tree.ts";
import { readVerifierKey } from "./verifier-key.ts";

type ProofVector = { readonly about: string; readonly proof: string; readonly now: number; readonly outcome: string; readonly kind?: string; readonly id?: string; readonly value?: { readonly g: number; readonly n: number } | null; readonly epoch?: number; readonly size?: number };
type LogVector = { readonly about: string; readonly entries: readonly string[]; readonly outcome: string; readonly root?: string };

const policyText = readVectors<{ readonly origin: string; readonly logKeys: readonly string[]; readonly cosigners: readonly string[]; readonly quorum: number; readonly freshSeconds: number }>("notary/policy.json");
const policy = { ...policyText, logKeys: policyText.logKeys.map(readVerifierKey), cosigners: policyText.cosigners.map(readVerifierKey) };

function provenBy({ proof, now }: ProofVector): Partial<ProofVector> {
  const { label, value, epoch, checkpoint } = checkCurrencyProof(utf8(proof), policy, now);
  return { ...label, value: value === undefined ? null : { g: value.g, n: value.n }, epoch: epoch.n, size: checkpoint.size };
}

async function replayed({ entries, root }: LogVector): Promise<void> {
  const [octets, replay] = [entries.map(utf8), new Replay()];
  await replay.take(octets);
  assert.equal(rootOf(integrate(EMPTY_TREE, octets.map(leafHash)).tree).toHex(), root);
}

for (const folder of ["valid", "invalid"]) {
  suite(`vectors/notary/${folder} (log 4 to 8)`, () => {
    for (const file of readdirSync(join(import.meta.dirname, "../../vectors/notary", folder)).sort()) {
      const vector = readVectors<ProofVector & LogVector>(`notary/${folder}/${file}`);
      test(`${file}: ${vector.about}: ${vector.outcome}`, async () => {
        const run = async () => (file.startsWith("proof-") ? provenBy(vector) : replayed(vector));
        if (folder === "invalid") return assert.rejects(run(), { code: vector.outcome });
        const { kind, id, value, epoch, size } = vector;
        assert.deepEqual(await run(), file.startsWith("proof-") ? { kind, id, value, epoch, size } : undefined);
      });
    }
  });
}
