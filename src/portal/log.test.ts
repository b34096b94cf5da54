import assert from "node:assert/strict";
import { before, suite, test } from "node:test";

import { fromBase64url, toBase64url } from "../bytes/base64url.ts";
import { logSigners, newLogKeys } from "../cli/portal/log-keys.ts";
import { fromUtf8 } from "../bytes/text.ts";
import { signerOf } from "../client/client.ts";
import { disableDevice } from "../client/operations/disable.ts";
import { signObject } from "../envelope/signed.ts";
import { sync } from "../client/sync.ts";
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
import { account as accountType } from "../profiles/account.ts";
import { masterOf, personalOf } from "../profiles/mesh.ts";
import { deleteAccount } from "../protocol/accounts.ts";
import { RECEIPT_HEADER } from "../protocol/wire.ts";
import { idOf } from "../notary/test-notary.ts";
import { withFaults } from "../store/faults.ts";
import { openMemoryStore } from "../store/memory.ts";
import type { Store } from "../store/store.ts";
import { cases } from "../../test/support/long.ts";
import { startPortal, type TestDevice, type TestPortal } from "../../test/support/world.ts";
import { agreed, deviceOf, household, meshOf, save, whoIs } from "../../test/adversary/household.ts";
import { adopt } from "./adopt.ts";
import { standingOf } from "./logged.ts";
import type { PortalRequest } from "./portal.ts";
import { shelf } from "./records.ts";
import { openAs } from "./test-asking.ts";
import { purge } from "./upkeep/purge.ts";
import { loadWhole } from "./whole.ts";

const signers = logSigners("example.com", newLogKeys(), 1);
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

async function isNewest(replay: Replay, mesh: Awaited<ReturnType<typeof meshOf>>): Promise<void> {
  const { g, n } = personalOf(mesh).payload;
  const [master, personal] = [await replay.newest("master", mesh.id), await replay.newest("personal", mesh.id)];
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
    await isNewest(replay, mesh);
    const proof = await keeper.prove({ kind: "personal", id: mesh.id });
    const { label, value } = checkCurrencyProof(proof, policy, portal.clock.now / 1000);
    assert.deepEqual([label, toBase64url(value?.digest ?? new Uint8Array(0))], [{ kind: "personal", id: mesh.id }, personalOf(mesh).digest]);
  });

  test("whatever a portal takes has an entry of its kind, and a suspension is found by its number", async () => {
    const portal = await portalWithLog();
    const home = await household({ phone: "admin", tablet: "member" }, portal);
    await save(home.desktop, "bank");
    await disableDevice(deviceOf(home, "tablet").client, "phone", agreed);
    const { replay } = await replayed(portal.store, () => portal.clock.now);
    await sync(home.desktop.client);
    const { id, suspensions } = await meshOf(home.desktop);
    const newest = await replay.newest("suspensions", id);
    assert.deepEqual([newest?.n, toBase64url(newest?.digest ?? new Uint8Array(0))], [1, suspensions[0]?.object.digest]);
    const kinds = new Set((await entriesOf(portal.store)).map((octets) => readEntry(octets).k));
    assert.deepEqual([...kinds].sort(), ["account", "application", "catalogs", "connect", "device", "epoch", "master", "personal", "suspension"]);
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
    const old = await withoutLog(portal.store);
    await adopt(old);
    const { replay } = await replayed(old, () => portal.clock.now);
    await isNewest(replay, await meshOf(desktop));
    const told = (await entriesOf(old)).length;
    await adopt(old);
    assert.equal((await entriesOf(old)).length, told);
  });

  test("cut off anywhere while it is told, it goes on at the next start, and tells nothing twice", async () => {
    const portal = await portalWithLog();
    const { desktop } = await household({ phone: "admin" }, portal);
    const calls = await countedCalls(await withoutLog(portal.store));
    for (let call = 1; call <= calls; call++) {
      for (const when of ["before", "after"] as const) {
        const old = await withoutLog(portal.store);
        const faults = withFaults(old);
        faults.arm({ call, fatal: true, when });
        await adopt(faults.store).catch(() => undefined);
        await adopt(old);
        const { replay } = await replayed(old, () => portal.clock.now);
        await isNewest(replay, await meshOf(desktop));
        assert.equal((await entriesOf(old)).filter((octets) => readEntry(octets).k === "account").length, 1);
      }
    }
  });
});

suite("a portal that had no log, and very many meshes (log 9.4)", () => {
  /** How many there are: three batches of 64, the last of them short. */
  const MESHES = 150;
  let old: readonly (readonly [shelf: string, key: string, value: Uint8Array])[] = [];
  let ids: readonly string[] = [];

  /** A mesh is made, and stands there under many other names: what is logged of one is judged by its name and digests. */
  before(async () => {
    const portal = await portalWithLog();
    const { desktop } = await household({ phone: "admin" }, portal);
    const { master } = await whoIs(desktop);
    ids = Array.from({ length: MESHES }, (_, person) => idOf(person)).sort();
    const rows = await Promise.all(Object.values(shelf).map((one) => portal.store.read(async (r) => (await r.list(one, "")).map(({ key, value }) => [one, key, value] as const))));
    old = rows.flat().flatMap((row) => {
      const [one, key, value] = row;
      return key === master || key.startsWith(`${master}/`) ? ids.map((id) => [one, id + key.slice(master.length), value] as const) : [row];
    });
  });

  async function portalOfMany(): Promise<Store> {
    const store = openMemoryStore();
    await store.transact(async (w) => {
      for (const [one, key, value] of old) await w.put(one, key, value);
    });
    return store;
  }

  async function isTold(store: Store): Promise<void> {
    await replayed(store, () => Date.parse("2026-06-01T12:00:00Z"));
    const entries = (await entriesOf(store)).map((octets) => readEntry(octets));
    assert.deepEqual(entries.flatMap((entry) => (entry.k === "master" && entry.n === 1 ? [entry.id] : [])), ids, "each once, in the order of their names");
    assert.equal(entries.filter(({ k }) => k === "account").length, MESHES);
    assert.equal(entries.filter(({ k }) => k === "catalogs").length, MESHES);
    const seals = await store.read((r) => r.list(logShelf.seals, ""));
    assert.equal(seals.length, entries.filter((entry) => "c" in entry).length, "every sealed entry has its opening, and none has two");
  }

  /** Counts what is committed, so that a death can be put between two batches. */
  function counting(store: Store): { readonly store: Store; readonly commits: () => number } {
    let commits = 0;
    return { commits: () => commits, store: { close: () => store.close(), read: (work) => store.read(work), transact: async (work) => store.transact(work).finally(() => (commits += 1)) } };
  }

  test("tells it in batches of 64, and once it was told looks no further", async () => {
    const store = await portalOfMany();
    const first = counting(store);
    await adopt(first.store);
    assert.equal(first.commits(), 3);
    await isTold(store);
    const again = counting(store);
    await adopt(again.store);
    assert.equal(again.commits(), 1);
  });

  test("killed in any batch and between them, again and again, it goes on with the batch that was not told", async () => {
    const calls = await countedCalls(await portalOfMany());
    const stride = Math.ceil(calls / cases(3, 400));
    for (const when of ["before", "after"] as const) {
      for (let call = when === "before" ? 1 : calls; call > 0 && call <= calls; call += when === "before" ? stride : -stride) {
        const store = await portalOfMany();
        const faults = withFaults(store);
        // Three deaths on its way, each a little later than the one before.
        for (const death of [call, Math.ceil(call / 2), 3]) {
          faults.arm({ call: death, fatal: true, when });
          await adopt(faults.store).catch(() => undefined);
        }
        await adopt(store);
        await isTold(store);
      }
    }
  });
});

/** What an older version of the program would have kept: all shelves but those of the log, and no leaf. */
async function withoutLog(store: Store): Promise<Store> {
  const old = openMemoryStore();
  for (const one of Object.values(shelf)) {
    const rows = await store.read((r) => r.list(one, ""));
    await old.transact(async (w) => {
      for (const { key, value } of rows) await w.put(one, key, value);
    });
  }
  return old;
}

async function countedCalls(store: Store): Promise<number> {
  const faults = withFaults(store);
  faults.arm(undefined);
  await adopt(faults.store);
  return faults.calls();
}

suite("a mesh that comes back after it was taken away (log 9.1)", () => {
  /** A mesh whose account ended, taken away, and the request that had made it. */
  async function gone(devices: Readonly<Record<string, "member">>): Promise<{ readonly portal: TestPortal; readonly desktop: TestDevice; readonly create: PortalRequest }> {
    const portal = await portalWithLog();
    const keeper = await keeperOf(portal.store, () => portal.clock.now);
    const made: PortalRequest[] = [];
    portal.meddler.request = (request) => {
      if (fromUtf8(request.body).startsWith('{"CreateAccount"')) made.push(request);
      return request;
    };
    const { desktop } = await household(devices, portal);
    const self = await whoIs(desktop);
    const { account } = (await portal.store.read((r) => loadWhole(r, self.master))) ?? assert.fail();
    const closed = await signObject(accountType, { ...account.payload, previous: account.digest, status: "closed", version: account.payload.version + 1 }, signerOf(desktop.keyring, self.administrationKey));
    assert.equal((await (await openAs(desktop)).ask(deleteAccount, { account: closed.jws })).code, "ok");
    await keeper.close();
    portal.clock.now += 33 * 24 * 3_600_000;
    assert.equal((await purge(portal.store, portal.clock.now, () => keeper.save())).accounts, 1);
    return { portal, desktop, create: made[0] ?? assert.fail() };
  }

  test("does not stand in the log twice", async () => {
    const { portal, create, desktop } = await gone({});
    assert.equal((await portal.portal.handle(create)).status, 200);
    const { replay } = await replayed(portal.store, () => portal.clock.now);
    await isNewest(replay, await meshOf(desktop));
    const kinds = (await entriesOf(portal.store)).map((octets) => readEntry(octets).k);
    assert.deepEqual([kinds.filter((k) => k === "account").length, kinds.filter((k) => k === "personal").length], [3, 1]);
  });

  test("is turned away without the versions that it had here", async () => {
    const { portal, create } = await gone({ tablet: "member" });
    assert.match(fromUtf8((await portal.portal.handle(create)).body), /profile-out-of-order/);
    await replayed(portal.store, () => portal.clock.now);
  });
});
