import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../../src/bytes/base64url.ts";
import type { Json } from "../../src/bytes/canonical-json.ts";
import { ordinal } from "../../src/bytes/ordinal.ts";
import { fromUtf8, utf8 } from "../../src/bytes/text.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { followLog } from "../../src/client/follow-log.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { randomBytes } from "../../src/crypto/random.ts";
import { digestOf } from "../../src/envelope/signed.ts";
import { sealEntry } from "../../src/notary/commitment.ts";
import { writeEntry } from "../../src/notary/entry.ts";
import { checkEvidence, type Evidence, readEvidence } from "../../src/notary/evidence.ts";
import { logShelf } from "../../src/notary/keeping/rows.ts";
import { leafHash } from "../../src/notary/merkle.ts";
import { signReceipt } from "../../src/notary/receipt.ts";
import { standingOf } from "../../src/portal/logged.ts";
import type { Store } from "../../src/store/store.ts";
import { logOpenings } from "../../src/protocol/openings.ts";
import { makePin } from "../../src/client/operations/pin.ts";
import { createMesh } from "../../src/client/operations/create.ts";
import { newDevice } from "../support/world.ts";
import { agreed, join, refused, save, whoIs } from "./household.ts";
import { logged, type LoggedHousehold, pagesOf, signers } from "./log-doubles.ts";

const HOUR = 3_600_000;

/** The portal commits from now on to what `lie` makes of where the catalogs stand. */
async function commits({ portal }: LoggedHousehold, lie: (heads: readonly Head[]) => readonly Head[]): Promise<void> {
  portal.pages.get = await pagesOf(portal.store, () => portal.clock.now, signers, async (reading, mesh) => {
    const { heads, master } = (await standingOf(reading, mesh)) as unknown as { readonly heads: readonly Head[]; readonly master: string };
    return { heads: lie(heads), master } as unknown as Json;
  });
}

type Head = { readonly catalog: string; readonly digest: string; readonly index: number };

/** An hour passes, and what was written meanwhile is closed over. */
async function hourLater({ honest, portal }: LoggedHousehold): Promise<void> {
  await (portal.pages.get ?? honest)("/mesh/1/checkpoint");
  portal.clock.now += HOUR;
}

/** What an honest-looking portal keeps beside its log for the devices of a mesh. */
async function changeSeals(store: Store, change: (row: { content: Record<string, Json>; k: string; salt: string }) => void): Promise<void> {
  await store.transact(async (w) => {
    for (const { key, value } of await w.list(logShelf.seals, "")) {
      const row = JSON.parse(fromUtf8(value)) as { content: Record<string, Json>; k: string; salt: string };
      change(row);
      await w.put(logShelf.seals, key, utf8(JSON.stringify(row)));
    }
  });
}

function judged(octets: Uint8Array | undefined): Evidence {
  const evidence = readEvidence(octets ?? assert.fail("no evidence was kept"));
  checkEvidence(evidence, signers.origin, [signers.note.key, signers.subtree.key]);
  return evidence;
}

suite("a device opens the sealed entries that its portal's log has of its mesh (log 7.6, 7.7)", () => {
  test("an honest portal's open to what the device sent and was shown, hour after hour, on every device", async () => {
    const home = await logged();
    const { desktop, devices, portal } = home;
    for (const name of ["bank", "shop", "mail"]) {
      await save(desktop, name);
      await hourLater(home);
      for (const device of [desktop, ...Object.values(devices)]) await sync(device.client);
    }
    const phone = await join(home, "phone");
    await sync(phone.client);
    await makePin(desktop.client, HOUR);
    const writing = await pull(desktop.client);
    await writing.link.dropBlobs(writing.requester, [await writing.link.putBlob(writing.requester, utf8("octets"))]);
    writing.link.close();
    await sync(desktop.client);
    await disableDevice(desktop.client, "tablet", agreed);
    await hourLater(home);
    await sync(phone.client);
    const synced = await pull(desktop.client);
    assert.ok((await followLog(desktop.client, synced, true)) > 0, "something was opened");
    assert.equal(await followLog(desktop.client, synced, true), 0, "once");
    synced.link.close();
    assert.deepEqual([desktop.evidence, phone.evidence], [[], []]);
    // Nobody is asked within the hour.
    const before = portal.events.filter(({ command }) => command === "LogOpenings").length;
    await save(desktop, "again");
    await sync(desktop.client);
    assert.equal(portal.events.filter(({ command }) => command === "LogOpenings").length, before);
  });

  test("one that commits to other heads than it served", async () => {
    const home = await logged();
    await commits(home, (heads) => heads.map((head) => ({ ...head, digest: digestOf(utf8("another commit")) })));
    await save(home.desktop, "bank");
    await hourLater(home);
    await refused(home.desktop, () => sync(home.desktop.client), "portal-forked-catalog");
  });

  test("one that commits to more than it shows", async () => {
    const home = await logged();
    await commits(home, (heads) => heads.map((head) => ({ ...head, index: head.index + 5 })));
    await save(home.desktop, "bank");
    await sync(home.desktop.client);
    await hourLater(home);
    await refused(home.desktop, () => sync(home.desktop.client), "portal-older-catalog");
  });

  test("one that never commits to what it took", async () => {
    const home = await logged();
    await commits(home, () => []);
    await save(home.desktop, "bank");
    await hourLater(home);
    await sync(home.desktop.client);
    await hourLater(home);
    await refused(home.desktop, () => sync(home.desktop.client), "portal-missing-entry");
  });

  test("one that shows another opening than its entry commits to", async () => {
    const home = await logged();
    await save(home.desktop, "bank");
    await hourLater(home);
    await changeSeals(home.portal.store, (row) => void (row.salt = toBase64url(randomBytes(32))));
    await refused(home.desktop, () => sync(home.desktop.client), "portal-wrong-entry");
    assert.deepEqual(home.desktop.evidence, []);
  });

  test("one that keeps from a device what its log says of what it did", async () => {
    const home = await logged();
    const { desktop, portal } = home;
    await join(home, "phone");
    await portal.store.transact(async (w) => {
      for (const { key } of await w.list(logShelf.seals, "")) await w.remove(logShelf.seals, key);
    });
    await assert.rejects(sync(desktop.client), { code: "portal-wrong-entry" });
  });

  test("one that logs for a request what was not in it is convicted by its receipt", async () => {
    const lies: { append?: (index: number) => Promise<Uint8Array> } = {};
    const home = await logged((receipts, now) => ({
      of: async (recorded, sent) => {
        const last = recorded.at(-1);
        if (lies.append === undefined || last === undefined) return receipts.of(recorded, sent);
        const leaf = await lies.append(last.index + 1);
        return signReceipt({ from: recorded[0]?.index ?? 0, origin: signers.origin, runs: [{ leaves: [...recorded.map((one) => one.leaf), leaf], sent }], time: now() }, signers.note);
      },
    }));
    const { desktop, portal } = home;
    await sync(desktop.client);
    const { master } = await whoIs(desktop);
    lies.append = (index) =>
      portal.store.transact(async (w) => {
        const [salt, content] = [randomBytes(32), { drop: digestOf(utf8("nobody dropped this")) }];
        const entry = writeEntry(sealEntry("blobs", { content, salt }));
        assert.equal(await w.append(entry), index);
        await w.put(logShelf.seals, `${master}/${ordinal(index)}`, utf8(JSON.stringify({ content, k: "blobs", salt: toBase64url(salt) })));
        return leafHash(entry);
      });
    await disableDevice(desktop.client, "tablet", agreed);
    portal.clock.now += 1000;
    await refused(desktop, () => sync(desktop.client), "portal-wrong-entry");
    const evidence = judged(desktop.evidence.at(-1));
    assert.equal(evidence.kind, "wrong-seal");
    assert.ok(evidence.kind === "wrong-seal");
    const innocent = (other: Partial<typeof evidence>): void => void assert.throws(() => checkEvidence({ ...evidence, ...other }, signers.origin, [signers.note.key, signers.subtree.key]), { code: "log-evidence-false" });
    innocent({ index: evidence.index - 1 });
    innocent({ index: evidence.index + 1 });
    innocent({ sent: [...evidence.sent, { obj: digestOf(utf8("nobody dropped this")) }] });
    innocent({ opening: { ...evidence.opening, salt: toBase64url(randomBytes(32)) } });
    innocent({ opening: { ...evidence.opening, k: "release" } });
  });

  test("what a mesh's sealed entries commit to is told to its own devices alone", async () => {
    const { desktop, portal, at } = await logged();
    const bob = newDevice(portal, { holdsMaster: true });
    await createMesh(bob.client, bob.master, { address: "bob@example.com", portal: at, deviceName: "desktop" });
    const told = await Promise.all([desktop, bob].map(async ({ client }) => {
      const { link, requester } = await pull(client);
      const { openings } = await link.call(requester, logOpenings, { from: 0, to: 1000 });
      link.close();
      return openings.map(({ index }) => index);
    }));
    const all = await portal.store.read((r) => r.list(logShelf.seals, ""));
    assert.deepEqual(told.flat().sort((a, b) => a - b), all.map(({ key }) => Number(key.split("/")[1])).sort((a, b) => a - b));
    assert.equal(new Set(told.flat()).size, all.length);
    assert.ok(told.every((one) => one.length > 0));
  });
});
