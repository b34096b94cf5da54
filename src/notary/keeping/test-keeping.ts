import assert from "node:assert/strict";

import { toBase64url } from "../../bytes/base64url.ts";
import { fromUtf8, utf8 } from "../../bytes/text.ts";
import { sha512 } from "../../crypto/digest.ts";
import type { Digest } from "../../envelope/fields.ts";
import type { Store } from "../../store/store.ts";
import { readCheckpoint } from "../checkpoint.ts";
import type { NoteSigner } from "../cosignature.ts";
import { checkCurrencyProof } from "../currency.ts";
import type { PublicEntry } from "../entry.ts";
import { leafHash } from "../merkle.ts";
import { Replay } from "../replay.ts";
import { idOf, TestNotary } from "../test-notary.ts";
import { EMPTY_TREE, integrate, rootOf } from "../tree.ts";
import type { KeeperParts, LogKeeper } from "./log-keeper.ts";
import { record, type Recorded, type Recording } from "./record.ts";

const notary = await TestNotary.open();
const policy = notary.policy();
let clock = 1_790_000_000_000;

/** Everything that was ever signed, in order. */
export class Signed {
  readonly texts: string[] = [];
  readonly signers: readonly NoteSigner[] = notary.signers.map(({ key, sign }, at) => ({
    key,
    sign: (message) => {
      if (at === 0) this.texts.push(fromUtf8(message));
      return sign(message);
    },
  }));
}

export function partsOn(store: Store, signed = new Signed()): KeeperParts {
  return { store, origin: notary.origin, signers: signed.signers, now: () => (clock += 250), standingOf: async (_, mesh) => ({ heads: [], master: mesh }) };
}

const digestOf = (name: string) => toBase64url(sha512(utf8(name))) as Digest;
export const master = (person: number): PublicEntry => ({ id: idOf(person), k: "master", len: 8000, n: 1, obj: digestOf(`master ${person}`), v: 1 });
export const personal = (person: number, n: number): PublicEntry => ({ g: 1, id: idOf(person), k: "personal", len: 9000, n, obj: digestOf(`personal ${person} ${n}`), ...(n === 1 ? {} : { prev: digestOf(`personal ${person} ${n - 1}`) }), v: 1 });

/** Does something once, as a portal's compare-and-set has it: the log is told in the transaction that makes it true. */
const once = (store: Store, what: string, recordings: readonly Recording[]): Promise<readonly Recorded[]> =>
  store.transact(async (w) => {
    if ((await w.get("done", what)) !== undefined) return [];
    await w.put("done", what, new Uint8Array(0));
    return record(w, recordings);
  });
export const create = (store: Store, person: number, time = "once") => once(store, `create ${person} ${time}`, [{ seal: "account", of: idOf(person), content: { address: `p${person}@example.com` } }, { object: master(person) }, { object: personal(person, 1) }]);
export const next = (store: Store, person: number, n: number) => once(store, `personal ${person} ${n}`, [{ object: personal(person, n) }]);

/** All that must hold of a log, whatever happened to it: it replays, its proofs are right under their own checkpoints, and nothing was ever signed that is not a beginning of it. */
export async function judge(store: Store, keeper: LogKeeper, signed: Signed): Promise<void> {
  const entries = await store.read((r) => r.leaves(0));
  let replay = new Replay();
  for (const person of [1, 2, 3]) {
    const { value, checkpoint } = checkCurrencyProof(await keeper.prove({ kind: "personal", id: idOf(person) }), policy, clock / 1000);
    if (replay.size > checkpoint.size) replay = new Replay();
    await replay.take(entries.slice(replay.size, checkpoint.size));
    assert.ok(replay.agrees(checkpoint));
    assert.deepEqual(value, await replay.newest("personal", idOf(person)));
  }
  for (const text of signed.texts) {
    const { size, root } = readCheckpoint(text);
    assert.deepEqual(rootOf(integrate(EMPTY_TREE, entries.slice(0, size).map(leafHash)).tree), root, `what was signed at ${size} is no beginning of the log`);
  }
}
