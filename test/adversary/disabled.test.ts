import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { fromBase64url, toBase64url } from "../../src/bytes/base64url.ts";
import { authorityOf, nextCommit } from "../../src/catalogs/chain.ts";
import { commit } from "../../src/catalogs/commits.ts";
import { sealChanges } from "../../src/catalogs/entries.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import type { Place } from "../../src/catalogs/epoch-keys.ts";
import { change } from "../../src/catalogs/merge.ts";
import { editEntries } from "../../src/client/catalog.ts";
import { signerOf } from "../../src/client/client.ts";
import { loadCatalog } from "../../src/client/known.ts";
import { disableDevice, leaveMesh } from "../../src/client/operations/disable.ts";
import { joinMesh } from "../../src/client/operations/join.ts";
import { makePin } from "../../src/client/operations/pin.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { signObject } from "../../src/envelope/signed.ts";
import { personalOf } from "../../src/profiles/mesh.ts";
import { catalogAppend } from "../../src/protocol/catalogs.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import { newDevice, type TestDevice } from "../support/world.ts";
import { serveAfter, twinOf } from "./cheating.ts";
import { deviceOf, household, idOf, join, meshOf, names, refused, save, whoIs } from "./household.ts";
import { everythingOpenedBy, holds, keysOf, rowsOf } from "./searching.ts";

/** The keys of epochs that lie in a device's home. */
async function epochKeysIn(device: TestDevice): Promise<readonly Uint8Array[]> {
  const keys: Uint8Array[] = [];
  for (const { id } of personalOf(await meshOf(device)).payload.applications) {
    const row = await device.client.rows.read((rows) => loadCatalog(rows, id));
    for (const epoch of Object.values(row?.epochs ?? {})) if (epoch.key !== undefined) keys.push(fromBase64url(epoch.key));
  }
  return keys;
}

suite("a disabled device with the whole database of its portal", () => {
  test("reads everything that was written before, and nothing that was written later, with any key against any object", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    await save(alice.desktop, "early", "written before");
    await sync(laptop.client);
    const [keys, shared] = [await keysOf(laptop.keyring), await epochKeysIn(laptop)];
    assert.equal(keys.length, 3);
    assert.ok(holds(await everythingOpenedBy(keys, [], await rowsOf(alice.portal.store)), "written before"), "the search finds what there is to find, from the keyring alone");

    // Offline: made before the disable, sent after it (decision 6.1).
    await editEntries(tablet.client, "passwords", () => [change(newEntryId(), undefined, { name: "offline", password: "sent later" })]);
    await disableDevice(alice.desktop.client, "laptop");
    await sync(tablet.client);
    await save(alice.desktop, "late", "written later");
    await join(alice, "phone");
    await save(tablet, "later still", "written last");

    const opened = await everythingOpenedBy(keys, shared, await rowsOf(alice.portal.store));
    assert.ok(holds(opened, "written before"));
    for (const text of ["written later", "sent later", "written last", "later still"]) assert.equal(holds(opened, text), false, text);
    const others = await everythingOpenedBy(await keysOf(tablet.keyring), [], await rowsOf(alice.portal.store));
    for (const text of ["written before", "written later", "sent later", "written last"]) assert.ok(holds(others, text), `the same search with a key that may read finds: ${text}`);
  });

  test("as an administration device that is disabled, reads no PIN and no request that comes later", async () => {
    const alice = await household({ tower: "admin" });
    const tower = deviceOf(alice, "tower");
    const [keys, shared] = [await keysOf(tower.keyring), await epochKeysIn(tower)];
    const ask = async (deviceName: string) => joinMesh(newDevice(alice.portal).client, { address: "alice@example.com", portal: alice.at, deviceName });
    await makePin(alice.desktop.client, 3_600_000);
    await ask("early-bird");
    const before = await everythingOpenedBy(keys, shared, await rowsOf(alice.portal.store));
    assert.ok(holds(before, "early-bird") && holds(before, "failures"));
    const pins = (opened: readonly Uint8Array[]): number => new Set(opened.flatMap((one) => Buffer.from(one).toString("latin1").match(/"pin":\[1,"[A-Z2-7]{5}"\]/g) ?? [])).size;
    assert.equal(pins(before), 1);
    await disableDevice(alice.desktop.client, "tower");
    await makePin(alice.desktop.client, 3_600_000);
    await ask("latecomer");
    const opened = await everythingOpenedBy(keys, shared, await rowsOf(alice.portal.store));
    assert.equal(pins(opened), 1);
    assert.equal(holds(opened, "latecomer"), false);
  });

  test("inserts no commit into the past: its place is taken, and after the heads that its disabler knew nothing of it counts", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    await save(laptop, "true");
    await sync(tablet.client);
    const passwords = await idOf(laptop, "passwords");
    const row = await laptop.client.rows.read((rows) => loadCatalog(rows, passwords));
    assert.ok(row !== undefined);
    const { device } = await whoIs(laptop);
    const key = fromBase64url(row.epochs[row.chain.epoch]?.key ?? "");
    const { g, n } = row.chain.version;
    const forge = async (place: Partial<Place>) => {
      const { payload, body } = sealChanges({ catalog: passwords as Place["catalog"], epoch: row.chain.epoch, g, n, index: row.chain.index + 1, previous: row.chain.digest, ...place }, key, [change(newEntryId(), undefined, { name: "planted" })]);
      return { signed: await signObject(commit, payload, signerOf(laptop.keyring, device)), body: toBase64url(body) };
    };
    // Two faces: on one, the portal takes the thief's commit before the disable reaches that face.
    const face = await twinOf(alice.portal);
    const planted = await forge({});
    laptop.portal = face;
    const link = await pull(laptop.client);
    await link.link.call(link.requester, catalogAppend, { commits: [{ commit: planted.signed.jws, body: planted.body }] });
    await disableDevice(alice.desktop.client, "laptop");
    await sync(tablet.client);

    const mesh = await meshOf(tablet);
    const authority = authorityOf(mesh, alice.portal.clock.now);
    const chain = (await tablet.client.rows.read((rows) => loadCatalog(rows, passwords)))?.chain;
    assert.ok(chain !== undefined);
    // In the place it had: it stands in the chain of whoever is shown it there, and counts for nothing.
    const placed = await nextCommit(row.chain, planted.signed, authority);
    assert.equal(placed.standing, "quarantined");
    // Anywhere after the roll: refused.
    for (const [place, codes] of [
      [{ index: chain.index + 1, previous: chain.digest }, ["commit-out-of-order", "commit-wrong-epoch", "commit-wrong-author"]],
      [{ index: chain.index + 1, previous: chain.digest, ...chain.version }, ["commit-wrong-epoch", "commit-wrong-author"]],
      [{ index: chain.index + 1, previous: chain.digest, ...chain.version, epoch: chain.epoch }, ["commit-wrong-author"]],
      [{ index: chain.index }, ["commit-out-of-order"]],
      [{ index: 1 }, ["commit-out-of-order"]],
    ] as const) {
      const { signed, body } = await forge(place);
      const error: unknown = await nextCommit(chain, signed, authority).then(() => undefined, (thrown: unknown) => thrown);
      assert.ok(error instanceof MeshError && (codes as readonly string[]).includes(error.code), String(error));
      if (signed.payload.index !== chain.index + 1) continue;
      const stop = serveAfter(alice.portal, { commit: signed.jws, body });
      await refused(tablet, () => sync(tablet.client), "portal-false-data");
      stop();
    }
    await sync(tablet.client);
    assert.deepEqual(await names(tablet), ["true"]);
  });

  test("a device that was shown its late commit before the news drops what it wrote, and holds what all others hold", async () => {
    const alice = await household({ laptop: "member", tablet: "member" });
    const [laptop, tablet] = [deviceOf(alice, "laptop"), deviceOf(alice, "tablet")];
    await save(laptop, "true");
    for (const device of [tablet, alice.desktop]) await sync(device.client);
    // The desktop decides while it sees only so much; the thief's commit is in before its batch is.
    let late: Promise<void> | undefined;
    alice.portal.meddler.request = async (sent) => {
      if (late !== undefined || !Buffer.from(sent.body).includes('"Publish"')) return sent;
      late = save(laptop, "late");
      await late;
      await sync(tablet.client);
      return sent;
    };
    await disableDevice(alice.desktop.client, "laptop");
    assert.ok(late !== undefined);
    delete alice.portal.meddler.request;
    for (const device of [tablet, alice.desktop]) {
      await sync(device.client);
      assert.deepEqual(await names(device), ["true"]);
    }
  });
});

test("a device that leaves with the only Master keys says that they stay, and who takes its Administration Key away", async () => {
  const alice = await household({ tower: "admin", tablet: "member" });
  const { pending } = await leaveMesh(alice.desktop.client);
  assert.match(pending[0] ?? "", /^your Master and Recovery keys are not erased/);
  assert.match(pending[1] ?? "", /Administration Key/);
  assert.equal((await leaveMesh(deviceOf(alice, "tablet").client)).pending.length, 1);
});
