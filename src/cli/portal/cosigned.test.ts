import assert from "node:assert/strict";
import { suite, test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { utf8 } from "../../bytes/text.ts";
import { generateLogKey } from "../../crypto/log-key.ts";
import type { NoteSigner } from "../../notary/cosignature.ts";
import { cosign } from "../../notary/keeping/cosign.ts";
import { LogKeeper } from "../../notary/keeping/log-keeper.ts";
import { record } from "../../notary/keeping/record.ts";
import { readNote } from "../../notary/note.ts";
import { verifierKey } from "../../notary/verifier-key.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { openMemoryStore } from "../../store/memory.ts";
import { beginShowing } from "./cosigned.ts";
import { guardStart, type Peer } from "./cosigners.ts";
import type { Log } from "./log.ts";
import { logSigners, newLogKeys } from "./log-keys.ts";

/** A log that grows, and what its operator is told. */
async function someLog() {
  const store = openMemoryStore();
  const signers = logSigners("a.example", newLogKeys(), 1);
  const keeper = await LogKeeper.open({ store, origin: signers.origin, signers: [signers.note, signers.subtree], now: () => Date.now(), standingOf: async () => ({}) });
  const grow = async (): Promise<Uint8Array> => {
    await store.transact((w) => record(w, [{ seal: "release", of: "m", content: {} }]));
    await keeper.close();
    return keeper.checkpoint ?? assert.fail();
  };
  const notes: string[] = [];
  const log: Log = { request: () => {}, wire: () => {}, note: (level, event, facts) => notes.push(`${level} ${event} ${facts?.["cosigner"] ?? ""}`) };
  return { store, signers, grow, notes, log };
}

function peerThat(name: string, send: (honest: Peer["send"], body: Uint8Array) => ReturnType<Peer["send"]>, origin: string, logKey: Parameters<typeof verifierKey>[2]): Peer & { readonly asked: () => number } {
  const own = generateLogKey("ed25519");
  const signer: NoteSigner = { key: verifierKey(name, "cosignature/v1", own.publicKey), sign: (message) => own.sign(message) };
  const parts = { store: openMemoryStore(), logs: new Map([[origin, [verifierKey(origin, "note", logKey)]]]), signer, now: () => Date.now() };
  let asked = 0;
  const honest: Peer["send"] = async (body) => {
    const answer = await cosign(parts, body);
    return { status: answer.status, body: utf8(answer.status === 200 ? answer.lines : answer.status === 409 ? `${answer.size}\n` : "") };
  };
  return { key: signer.key, asked: () => asked, close: () => {}, send: (body) => ((asked += 1), send(honest, body)) };
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; tries < 100 && !what(); tries++) await pause(50);
  assert.ok(what());
}

suite("those who vouch for a portal's log", () => {
  test("whoever is away, silent or lies holds up nobody, and its word stands under nothing", async (t: TestContext) => {
    const { store, signers, grow, notes, log } = await someLog();
    const peer = (name: string, send: Parameters<typeof peerThat>[1]) => peerThat(name, send, signers.origin, signers.note.key.key);
    const peers = [
      peer("good", (honest, body) => honest(body)),
      peer("away", async () => { throw new MeshError("service-unreachable", "Nobody is there."); }),
      peer("silent", () => new Promise(() => {})),
      peer("liar", async () => ({ status: 409, body: utf8("123456\n") })),
      peer("forger", async () => ({ status: 200, body: utf8("— good AAAAAAAAAAAAAAAAAAAAAAAA\n") })),
      peer("babbler", async () => ({ status: 200, body: new Uint8Array(60_000).fill(0xff) })),
    ];
    const shown = beginShowing(store, peers, log, () => Date.now());
    t.after(shown.stop);
    const first = await grow();
    const names = (octets: Uint8Array): string[] => readNote(shown.on("checkpoint", octets)).signatures.map(({ name }) => name).slice(2);
    await until(() => names(first).length === 1);
    assert.deepEqual(names(first), ["good"]);
    const second = await grow();
    assert.deepEqual(names(second), [], "the word on one is none on another");
    await until(() => names(second).length === 1);
    assert.deepEqual(notes.filter((one) => !one.includes("silent")).sort(), ["error cosigner-failed liar", "warn cosigner-failed away", "warn cosigner-failed babbler", "warn cosigner-failed forger"], "each is named once");
    const { length } = shown.on("tile/0/000", second);
    assert.equal(length, second.length);
    await pause(2100);
    assert.equal(peers[0]?.asked(), 2, "what is not new is not shown again");
  });

  test("at a start enough of them have to answer; the rest are not waited for long", async () => {
    const { signers, log } = await someLog();
    const peer = (name: string, send: Parameters<typeof peerThat>[1]) => peerThat(name, send, signers.origin, signers.note.key.key);
    const good = peer("good", (honest, body) => honest(body));
    const silent = peer("silent", () => new Promise(() => {}));
    const liar = peer("liar", async () => ({ status: 409, body: utf8("5\n") }));
    const own = { signer: signers.note, since: async () => undefined };
    const began = performance.now();
    await guardStart(own, [good], 1, log);
    assert.ok(performance.now() - began < 1000);
    await guardStart(own, [good, silent], 1, log);
    assert.ok(performance.now() - began < 5000);
    await assert.rejects(guardStart(own, [good, silent, liar], 1, log), { code: "log-behind-peers" });
    await guardStart(own, [silent], 0, log);
  });
});
