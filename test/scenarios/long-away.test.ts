import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { toBase64url } from "../../src/bytes/base64url.ts";
import { ordinal } from "../../src/bytes/ordinal.ts";
import { commit as commitType } from "../../src/catalogs/commits.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { change } from "../../src/catalogs/merge.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import { loadCatalog } from "../../src/client/known.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { PIECE_OCTETS } from "../../src/client/pull-pieces.ts";
import { pull, sync } from "../../src/client/sync.ts";
import { getObject, parseRow, shelf, type Stamped } from "../../src/portal/records.ts";
import { catalogRead } from "../../src/protocol/catalogs.ts";
import type { SentCommit } from "../../src/protocol/parts.ts";
import { decodeRequest, decodeResponse, encodeResponse } from "../../src/protocol/wire.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import { openMemoryStore } from "../../src/store/memory.ts";
import { authentic } from "../adversary/cheating.ts";
import { agreed, deviceOf, household, type Household, idOf, names, save, whoIs } from "../adversary/household.ts";
import { startPortal, type TestDevice, type TestPortal } from "../support/world.ts";

const COMMITS = Math.ceil((1.5 * PIECE_OCTETS) / 270_000);

/** Far more than is held at once: each entry is a commit of its own. */
async function much(device: TestDevice): Promise<void> {
  await editEntries(device.client, "passwords", () => Array.from({ length: COMMITS }, (_, at) => change(newEntryId(), undefined, { name: `site ${at}`, notes: "x".repeat(260_000) })));
  await sync(device.client);
}

async function indexOf(device: TestDevice): Promise<number> {
  const catalog = await idOf(device, "passwords");
  return (await device.client.rows.read((rows) => loadCatalog(rows, catalog)))?.chain.index ?? 0;
}

/** What the laptop asks for of its passwords, after which commit each time. */
async function readsOf(alice: Household, work: () => Promise<unknown>): Promise<readonly number[]> {
  const catalog = await idOf(alice.desktop, "passwords");
  const reads: number[] = [];
  alice.portal.meddler.request = (sent) => {
    const { command, request } = decodeRequest(sent.body);
    if (command.name === catalogRead.name && (request as { catalog: string }).catalog === catalog) reads.push((request as { after: number }).after);
    return sent;
  };
  await work().finally(() => delete alice.portal.meddler.request);
  return reads;
}

suite("a device that was away for long", () => {
  test("reads piece by piece: cut off, it keeps the pieces it wrote and asks only for the rest", async () => {
    const alice = await household({ laptop: "member" });
    const laptop = deviceOf(alice, "laptop");
    await much(alice.desktop);
    const head = await indexOf(alice.desktop);
    const before = await indexOf(laptop);
    let left = Math.ceil(COMMITS * 0.42);
    alice.portal.meddler.answer = (request, answer) => {
      if (decodeRequest(request.body).command.name === catalogRead.name && left-- <= 0) throw new MeshError("service-unreachable", "cut off");
      return answer;
    };
    await assert.rejects(sync(laptop.client), { code: "service-unreachable" });
    delete alice.portal.meddler.answer;
    const kept = await indexOf(laptop);
    assert.ok(kept > before && kept < head, `${before} < ${kept} < ${head}`);
    assert.equal((await names(laptop)).length, kept - before);
    const reads = await readsOf(alice, () => sync(laptop.client));
    assert.equal(reads[0], kept);
    assert.equal(new Set(reads).size, reads.length, "nothing twice");
    assert.deepEqual(await readEntries(laptop.client, "passwords"), await readEntries(alice.desktop.client, "passwords"));
  });

  test("follows the chain to the heads that others named before it writes any of it: a piece of another history is never taken", async () => {
    const alice = await household({ tower: "member", laptop: "member", tablet: "member" });
    const [tower, laptop] = [deviceOf(alice, "tower"), deviceOf(alice, "laptop")];
    const other = await twin(alice.portal);
    await much(alice.desktop);
    await save(alice.desktop, "one more than in the other");
    // Whoever disables the tablet names a head that is pieces away.
    await disableDevice(alice.desktop.client, "tablet", agreed);
    tower.portal = other;
    await much(tower);
    const before = await indexOf(laptop);
    const catalog = await idOf(laptop, "passwords");
    const { master } = await whoIs(laptop);
    // The portal shows the laptop a whole piece of the other history, and then goes on with the true one.
    const prefix = `${master}/${catalog}/`;
    const strange = async (after: number): Promise<readonly SentCommit[]> =>
      other.store.read(async (r) => {
        const rows = await r.list(shelf.commits, prefix, { after: prefix + ordinal(after), limit: 2 });
        return Promise.all(rows.map(async ({ value }) => {
          const signed = await getObject(r, parseRow<Stamped>(value).digest, commitType);
          const body = signed.payload.kind === "entries" ? await r.get(shelf.bodies, signed.payload.digest) : undefined;
          return { commit: signed.jws, ...(body === undefined ? {} : { body: toBase64url(body) }) };
        }));
      });
    const lying = async (request: Parameters<typeof authentic>[1], answer: { readonly body: Uint8Array }) => {
      const { command, request: asked } = decodeRequest(request.body);
      if (command.name !== catalogRead.name || (asked as { catalog: string }).catalog !== catalog) return undefined;
      const commits = await strange((asked as { after: number }).after);
      if (commits.length === 0) return undefined;
      return authentic(alice.portal, request, encodeResponse(catalogRead, { ...decodeResponse(catalogRead, answer.body), commits: [...commits] }));
    };
    alice.portal.meddler.answer = async (request, answer) => (await lying(request, answer)) ?? answer;
    await assert.rejects(pull(laptop.client), (error: MeshError) => error.code.startsWith("portal-") && error.exit === 6);
    assert.equal(await indexOf(laptop), before);
    delete alice.portal.meddler.answer;
    const reads = await readsOf(alice, () => sync(laptop.client));
    assert.ok(new Set(reads).size < reads.length, "followed first, then read");
    assert.deepEqual(await readEntries(laptop.client, "passwords"), await readEntries(alice.desktop.client, "passwords"));
  });
});

/** Another portal with the same keys that goes on by itself from where one stands. */
async function twin(portal: TestPortal): Promise<TestPortal> {
  const store = openMemoryStore();
  const all = await portal.store.read((r) => Promise.all(Object.values(shelf).map(async (on) => ({ on, rows: await r.list(on, "") }))));
  await store.transact(async (w) => {
    for (const { on, rows } of all) for (const { key, value } of rows) await w.put(on, key, value);
  });
  return startPortal("example.com", store, { keys: portal.keys, clock: portal.clock });
}
