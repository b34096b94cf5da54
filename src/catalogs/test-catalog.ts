import assert from "node:assert/strict";

import type { Json } from "../bytes/canonical-json.ts";
import { signObject, type Signed, type Signer } from "../envelope/signed.ts";
import { type Mesh, personalOf } from "../profiles/mesh.ts";
import { applicationEntry } from "../profiles/personal.ts";
import { devicesWith, nextPersonal, addPersonal, type TestDevice } from "../profiles/test-mesh.ts";
import type { ApplicationId, DeviceId } from "../profiles/types.ts";
import { type Authority, authorityOf, type Chain, nextCommit, type Placed } from "./chain.ts";
import { type Commit, commit } from "./commits.ts";
import { sealChanges } from "./entries.ts";
import { newEntryId } from "./entry-id.ts";
import { beginEpoch, grantEpoch, type Place } from "./epoch-keys.ts";
import { change } from "./merge.ts";

/** A catalog as somebody sees it who has everything: the portal's rows, and every epoch's key. */
export type TestCatalog = { readonly chain: Chain | undefined; readonly commits: readonly { readonly signed: Signed<Commit>; readonly body?: Uint8Array; readonly standing: Placed["standing"] }[]; readonly keys: Readonly<Record<number, Uint8Array>> };

export const NOTHING: TestCatalog = { chain: undefined, commits: [], keys: {} };

/** Where the next commit of a catalog stands, under the version current. */
export function placeIn(catalog: TestCatalog, id: ApplicationId, mesh: Mesh, at: { readonly g: number; readonly n: number } = personalOf(mesh).payload): Place {
  const { chain } = catalog;
  const place = { catalog: id, epoch: chain?.epoch ?? 1, g: at.g, index: (chain?.index ?? 0) + 1, n: at.n };
  return chain === undefined ? place : { ...place, previous: chain.digest };
}

/** Signs a payload and judges it as the next commit. */
export async function append(catalog: TestCatalog, payload: Commit, by: Signer, authority: Authority, more: { readonly body?: Uint8Array; readonly key?: Uint8Array } = {}): Promise<TestCatalog> {
  const signed = await signObject(commit, payload, by);
  const placed = await nextCommit(catalog.chain, signed, authority);
  const row = { signed, standing: placed.standing, ...(more.body === undefined ? {} : { body: more.body }) };
  return { chain: placed.chain, commits: [...catalog.commits, row], keys: more.key === undefined ? catalog.keys : { ...catalog.keys, [payload.epoch]: more.key } };
}

/** A new epoch for the readers of the version current, or for the devices given. */
export async function roll(catalog: TestCatalog, id: ApplicationId, mesh: Mesh, by: TestDevice, options: { readonly now?: number; readonly readers?: readonly DeviceId[]; readonly excluded?: readonly DeviceId[] } = {}): Promise<TestCatalog> {
  const before = catalog.chain;
  const excluded = options.excluded ?? [];
  const readers = options.readers ?? applicationEntry(personalOf(mesh).payload, id)?.readers.filter((device) => !excluded.includes(device)) ?? [];
  const place = { ...placeIn(catalog, id, mesh), epoch: (before?.epoch ?? 0) + 1 };
  const { key, payload } = await beginEpoch(place, readers.map((device) => mesh.devices.get(device)?.payload ?? assert.fail()), excluded, before === undefined ? undefined : catalog.keys[before.epoch]);
  return append(catalog, payload, by.device, authorityOf(mesh, options.now ?? 0), { key });
}

/** Gives the current key to further devices. */
export async function grant(catalog: TestCatalog, id: ApplicationId, mesh: Mesh, by: TestDevice, to: readonly TestDevice[]): Promise<TestCatalog> {
  const place = placeIn(catalog, id, mesh);
  return append(catalog, await grantEpoch(place, catalog.keys[place.epoch] ?? assert.fail(), to.map((one) => one.profile.payload)), by.device, authorityOf(mesh, 0));
}

/** A new entry with one field. */
export async function write(catalog: TestCatalog, id: ApplicationId, mesh: Mesh, by: TestDevice, value: Json, at?: { readonly g: number; readonly n: number }, now = 0): Promise<TestCatalog> {
  const place = placeIn(catalog, id, mesh, at);
  const { payload, body } = sealChanges(place, catalog.keys[place.epoch] ?? new Uint8Array(32), [change(newEntryId(), undefined, { value })]);
  return append(catalog, payload, by.device, authorityOf(mesh, now), { body });
}

/** The next version, with a device disabled and out of all applications, by a signer that names what heads it knew. */
export async function disable(mesh: Mesh, target: TestDevice, by: TestDevice, heads: readonly TestCatalog[]): Promise<Mesh> {
  const without = (list: readonly DeviceId[]) => list.filter((one) => one !== target.id);
  const applications = personalOf(mesh).payload.applications.map((one) => ({ ...one, administrators: without(one.administrators), editors: without(one.editors), readers: without(one.readers) }));
  return addPersonal(mesh, nextPersonal(mesh, { applications, devices: devicesWith(mesh, target.id, { status: "disabled" }), heads: headsOf(heads) }), by.administration);
}

export function headsOf(catalogs: readonly TestCatalog[]) {
  return catalogs.flatMap(({ chain }) => (chain === undefined ? [] : [{ catalog: chain.catalog as ApplicationId, digest: chain.digest, index: chain.index }]));
}
