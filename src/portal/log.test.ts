import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { logSigners, newLogKeys } from "../cli/portal/log-keys.ts";
import { disableDevice } from "../client/operations/disable.ts";
import { readCheckpoint } from "../notary/checkpoint.ts";
import { checkCurrencyProof } from "../notary/currency.ts";
import { readEntry } from "../notary/entry.ts";
import { LogKeeper } from "../notary/keeping/log-keeper.ts";
import { Receipts } from "../notary/keeping/receipts.ts";
import { logShelf } from "../notary/keeping/rows.ts";
import { policyOf } from "../notary/log-policy.ts";
import { leafHash } from "../notary/merkle.ts";
import { readNote } from "../notary/note.ts";
import { checkReceipt } from "../notary/receipt.ts";
import { Replay } from "../notary/replay.ts";
import { writeVerifierKey } from "../notary/verifier-key.ts";
import { masterOf, personalOf } from "../profiles/mesh.ts";
import { RECEIPT_HEADER } from "../protocol/wire.ts";
import { openMemoryStore } from "../store/memory.ts";
import type { Store } from "../store/store.ts";
import { startPortal, type TestPortal } from "../../test/support/world.ts";
import { agreed, household, meshOf, save, whoIs } from "../../test/adversary/household.ts";
import { adopt } from "./adopt.ts";
import { standingOf } from "./logged.ts";
import type { PortalRequest } from "./portal.ts";
import { shelf } from "./records.ts";

const signers = logSigners("example.com", newLogKeys());
const policy = policyOf([writeVerifierKey(signers.note.key), writeVerifierKey(signers.subtree.key)]);

function keeperOf(store: Store, now: () => number): Promise<LogKeeper> {
  return LogKeeper.open({ store, origin: signers.origin, signers: [signers.note, signers.subtree], now, standingOf });
}

function entriesOf(store: Store): Promise<readonly Uint8Array[]> {
  return store.read((r) => r.leaves(0));
}

/** Closes the log of a store, and reads it as somebody outside does; what it finds wrong it throws. */
async function replayed(store: Store, now: () => number): Promise<{ readonly keeper: LogKeeper; readonly replay: Replay }> {
  const keeper = await keeperOf(store, now);
  await keeper.close();
  const replay = new Replay();
  await replay.take(await entriesOf(store));
  assert.ok(replay.agrees(readCheckpoint(readNote(keeper.checkpoint ?? assert.fail("no checkpoint")).text)));
  return { keeper, replay };
}

function isNewest(replay: Replay, mesh: Awaited<ReturnType<typeof meshOf>>): void {
  const { g, n } = personalOf(mesh).payload;
  const [master, personal] = [replay.newest("master", mesh.id), replay.newest("personal", mesh.id)];
  assert.deepEqual([personal?.g, personal?.n, toBase64url(personal?.digest ?? new Uint8Array(0))], [g, n, personalOf(mesh).digest]);
  assert.deepEqual([master?.g, toBase64url(master?.digest ?? new Uint8Array(0))], [mesh.masters.length, masterOf(mesh).digest]);
}

/** A portal whose log has keys. */
async function portalWithLog(store: Store = openMemoryStore()): Promise<TestPortal> {
  const clock = { now: Date.parse("2026-06-01T12:00:00Z") };
  const receipts = new Receipts({ origin: signers.origin, signer: signers.note, now: () => clock.now, keeper: { time: 0 } });
  return startPortal("example.com", store, { clock, receipts });
}

suite("what a portal takes stands in its log (log 9)", () => {
  test("a mesh that was made, joined, written to and cut down replays, and what is current is proved", async () => {
    const portal = await portalWithLog();
    const home = await household({ phone: "admin", tablet: "member" }, portal);
    await save(home.desktop, "bank");
    await disableDevice(home.desktop.client, "tablet", agreed);
    const { keeper, replay } = await replayed(portal.store, () => portal.clock.now);
    const mesh = await meshOf(home.desktop);
    isNewest(replay, mesh);
    const proof = await keeper.prove({ kind: "personal", id: mesh.id });
    const { label, value } = checkCurrencyProof(proof, policy, portal.clock.now / 1000);
    assert.deepEqual([label, toBase64url(value?.digest ?? new Uint8Array(0))], [{ kind: "personal", id: mesh.id }, personalOf(mesh).digest]);
  });

  test("an account comes first, then the parts that make it, in their order", async () => {
    const portal = await portalWithLog();
    await household({}, portal);
    const kinds = (await entriesOf(portal.store)).map((octets) => readEntry(octets).k);
    assert.deepEqual(kinds.slice(0, 4), ["account", "master", "device", "personal"]);
  });

  test("writing to catalogs appends nothing at once, and one entry for its mesh with the next epoch", async () => {
    const portal = await portalWithLog();
    const { desktop } = await household({}, portal);
    // With the first entries of a catalog comes its Application Profile.
    await save(desktop, "first");
    await replayed(portal.store, () => portal.clock.now);
    const before = (await entriesOf(portal.store)).length;
    await save(desktop, "bank");
    await save(desktop, "library");
    assert.equal((await entriesOf(portal.store)).length, before);
    assert.deepEqual((await portal.store.read((r) => r.list(logShelf.due, ""))).map(({ key }) => key), [(await whoIs(desktop)).master]);
    await replayed(portal.store, () => portal.clock.now);
    assert.deepEqual((await entriesOf(portal.store)).slice(before).map((octets) => readEntry(octets).k), ["catalogs", "epoch"]);
  });
});

suite("a receipt for what the log was told (log 3.6, 10.1)", () => {
  test("comes with the answer, and is made again for a request that is repeated", async () => {
    const portal = await portalWithLog();
    const { desktop } = await household({ tablet: "member" }, portal);
    const promised: { readonly request: PortalRequest; readonly receipt: string }[] = [];
    portal.meddler.answer = (request, answer) => {
      const receipt = answer.headers[RECEIPT_HEADER];
      if (receipt !== undefined) promised.push({ request, receipt });
      return answer;
    };
    const before = (await entriesOf(portal.store)).length;
    await disableDevice(desktop.client, "tablet", agreed);
    const after = await entriesOf(portal.store);
    const [first] = promised;
    assert.ok(first !== undefined && after.length > before);
    const leaf = leafHash(after[before] ?? assert.fail());
    const check = (receipt = "") => checkReceipt(fromBase64url(receipt), signers.note.key, signers.origin, leaf).index;
    assert.equal(check(first.receipt), before);
    const again = await portal.portal.handle(first.request);
    assert.equal(check(again.headers[RECEIPT_HEADER]), before);
    assert.equal((await entriesOf(portal.store)).length, after.length, "a repeated request is not logged again");
  });
});

suite("a portal that had no log (log 9.4)", () => {
  test("tells it what it holds, as if it had been told at once, and never twice", async () => {
    const portal = await portalWithLog();
    const { desktop } = await household({ phone: "admin" }, portal);
    const old = openMemoryStore();
    // What an older version of the program would have kept: all shelves but those of the log, and no leaf.
    for (const one of Object.values(shelf)) {
      const rows = await portal.store.read((r) => r.list(one, ""));
      await old.transact(async (w) => {
        for (const { key, value } of rows) await w.put(one, key, value);
      });
    }
    await adopt(old);
    const { replay } = await replayed(old, () => portal.clock.now);
    isNewest(replay, await meshOf(desktop));
    const told = (await entriesOf(old)).length;
    await adopt(old);
    assert.equal((await entriesOf(old)).length, told);
  });
});
