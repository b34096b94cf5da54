import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { DecapsulationKey } from "../crypto/key-pair.ts";
import { openKeyed } from "../envelope/keyed.ts";
import { decapsulatorWith, openSealed } from "../envelope/sealed.ts";
import { MeshError } from "../refusals/mesh-error.ts";
import { addSuspension, applicationOf, beginMesh, HOUR, makeDevice, makePerson, someId, type TestDevice } from "../profiles/test-mesh.ts";
import { wrapSubject } from "./commits.ts";
import { openChanges } from "./entries.ts";
import { disable, NOTHING, roll, type TestCatalog, write } from "./test-catalog.ts";

const [laptop, phone, tablet] = (await Promise.all(Array.from({ length: 3 }, makeDevice))) as [TestDevice, TestDevice, TestDevice];
const alice = makePerson([laptop]);
const ID = someId();
const mesh = await beginMesh(alice, [laptop], [phone, tablet], [applicationOf(ID, [laptop, phone, tablet], 1)], -1000 * HOUR);

/**
 * All that somebody opens who has every object of the portal's database, some private keys and some epoch keys: every key
 * is tried on every wrap, every key found on every key before and every body, whatever the objects say they are for.
 */
async function opens(catalog: TestCatalog, keys: readonly DecapsulationKey[], held: readonly Uint8Array[]): Promise<readonly number[]> {
  const found = new Map(held.map((key) => [key.toHex(), key]));
  const add = (key: Uint8Array | undefined) => key !== undefined && found.set(key.toHex(), key);
  for (const { signed: { payload } } of catalog.commits) {
    if (payload.kind === "entries") continue;
    for (const key of keys) {
      for (let recipient = 0; recipient < payload.wraps.recipients.length; recipient++) add(await opened(() => openSealed(payload.wraps, wrapSubject(payload.catalog, payload.epoch), decapsulatorWith(key))));
    }
  }
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const { signed: { payload } } of catalog.commits) {
      if (payload.kind !== "epoch" || payload.previousKey === undefined) continue;
      for (const key of found.values()) for (let epoch = 0; epoch <= payload.epoch; epoch++) add(openKeyed(key, `mesh/previous-epoch/v1/${payload.catalog}/${epoch}`, payload.previousKey));
    }
  }
  const read = new Set<number>();
  for (const { signed: { payload }, body } of catalog.commits) {
    if (payload.kind !== "entries" || body === undefined) continue;
    for (const key of found.values()) {
      for (let epoch = 1; epoch <= payload.epoch + 1; epoch++) if ((await opened(() => openChanges({ ...payload, epoch }, body, key))) !== undefined) read.add(payload.index);
    }
  }
  return [...read].sort((a, b) => a - b);
}

async function opened<T>(action: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof MeshError) return undefined;
    throw error;
  }
}

suite("secrecy: a device that was cut off, together with the portal's whole database (decision 6.2, attack B2)", () => {
  for (const [how, cut] of [
    ["disabled", async (catalog: TestCatalog) => ({ of: await disable(mesh, phone, laptop, [catalog]), excluded: [] })],
    ["suspended", async (_: TestCatalog) => ({ of: await addSuspension(mesh, phone.id, laptop.administration), excluded: [phone.id] })],
  ] as const) {
    test(`${how}: it opens all that was written before, and with every key it ever held nothing written after`, async () => {
      let catalog = await roll(NOTHING, ID, mesh, laptop);
      catalog = await write(catalog, ID, mesh, laptop, "one");
      catalog = await roll(catalog, ID, mesh, laptop);
      catalog = await write(catalog, ID, mesh, tablet, "two");
      const before = catalog.commits.filter((one) => one.body !== undefined).map((one) => one.signed.payload.index);
      assert.deepEqual(await opens(catalog, phone.everyKey, []), before);
      const held = Object.values(catalog.keys);

      const { of, excluded } = await cut(catalog);
      catalog = await roll(catalog, ID, of, tablet, { excluded });
      catalog = await write(catalog, ID, of, laptop, "three");
      catalog = await write(catalog, ID, of, tablet, "four");
      catalog = await roll(catalog, ID, of, laptop, { excluded });
      catalog = await write(catalog, ID, of, laptop, "five");
      assert.deepEqual(await opens(catalog, phone.everyKey, held), before);

      const all = catalog.commits.filter((one) => one.body !== undefined).map((one) => one.signed.payload.index);
      assert.deepEqual(await opens(catalog, tablet.everyKey, []), all, "the same search with a reader's keys opens everything");
      assert.deepEqual(await opens(catalog, (await makeDevice()).everyKey, []), [], "and with a stranger's nothing");
    });
  }
});
