import assert from "node:assert/strict";
import type { LogSigners } from "../../src/cli/portal/log-keys.ts";
import { type PublicEntry, readEntry, writeEntry } from "../../src/notary/entry.ts";
import { readCheckpoint } from "../../src/notary/checkpoint.ts";
import { follow } from "../../src/notary/follow.ts";
import { logResource } from "../../src/notary/keeping/resources.ts";
import { tilesIn } from "../../src/notary/keeping/rows.ts";
import { policyOf } from "../../src/notary/log-policy.ts";
import { leafHash } from "../../src/notary/merkle.ts";
import { readNote } from "../../src/notary/note.ts";
import { rootAt } from "../../src/notary/prove.ts";
import { PROMISE_MS, promisedIndex, readReceipt } from "../../src/notary/receipt.ts";
import { Replay } from "../../src/notary/replay.ts";
import { EMPTY_TREE, integrate, rootOf } from "../../src/notary/tree.ts";
import { writeVerifierKey } from "../../src/notary/verifier-key.ts";
import type { Store } from "../../src/store/store.ts";

/** What somebody was told: that the log has this, by a receipt. */
export type Promised = { readonly entry: PublicEntry; readonly receipt: Uint8Array };

/**
 * Reads a portal's log as a monitor does, and holds it to all that anybody was told: every receipt, within the time that it gives, and every checkpoint that was seen.
 * The replay, for more to be asked of it, and the log's size.
 */
export async function judgeLog(store: Store, signers: LogSigners, promised: readonly Promised[], seen: readonly Uint8Array[]): Promise<{ readonly replay: Replay; readonly size: number }> {
  const policy = policyOf([writeVerifierKey(signers.note.key), writeVerifierKey(signers.subtree.key)]);
  const replay = new Replay();
  const { size } = await follow(replay, async (path) => (await logResource(store, path))?.octets ?? assert.fail(`no ${path}`), policy, Date.now() / 1000);
  const leaves = await store.read((r) => r.leaves(0));
  const hashes = leaves.map(leafHash);
  assert.deepEqual(await store.read((r) => rootAt(tilesIn(r), size)), rootOf(integrate(EMPTY_TREE, hashes.slice(0, size)).tree), "the tiles are those of the entries");
  const closed = leaves.map(readEntry).flatMap((entry, index) => (entry.k === "epoch" ? [{ index, time: entry.t }] : []));
  for (const { entry, receipt: octets } of promised) {
    const receipt = readReceipt(octets, signers.note.key, signers.origin);
    for (const [at, hash] of receipt.leaves.entries()) assert.deepEqual(hashes[receipt.from + at], hash, `a receipt promised leaf ${receipt.from + at}`);
    const index = promisedIndex(receipt, leafHash(writeEntry(entry))) ?? assert.fail("a receipt is about other entries");
    const epoch = closed[firstOver(closed, index)] ?? assert.fail(`no epoch closes over ${index}`);
    assert.ok(epoch.time <= receipt.time + PROMISE_MS, `what was promised at ${receipt.time} was closed over at ${epoch.time}`);
  }
  let tree = EMPTY_TREE;
  const checkpoints = seen.map((octets) => readCheckpoint(readNote(octets).text)).sort((a, b) => a.size - b.size);
  for (const one of checkpoints) {
    tree = integrate(tree, hashes.slice(tree.size, one.size)).tree;
    assert.deepEqual(rootOf(tree), one.root, `a checkpoint of ${one.size} entries was seen that is of another log`);
  }
  assert.equal(leaves.length, size, "all that was appended is under the last checkpoint");
  return { replay, size };
}

/** The first epoch that closes over an entry. */
function firstOver(closed: readonly { readonly index: number }[], index: number): number {
  let [from, to] = [0, closed.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((closed[middle]?.index ?? 0) > index) to = middle;
    else from = middle + 1;
  }
  return from;
}
