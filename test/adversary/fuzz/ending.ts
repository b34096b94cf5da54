import assert from "node:assert/strict";

import { fromBase64url } from "../../../src/bytes/base64url.ts";
import { ordinal } from "../../../src/bytes/ordinal.ts";
import { commit as commitType } from "../../../src/catalogs/commits.ts";
import { type Entry, settled, writes } from "../../../src/catalogs/merge.ts";
import { catalogOf, journalOf, readEntries } from "../../../src/client/catalog.ts";
import { loadCatalog, loadMesh } from "../../../src/client/known.ts";
import { isActive, type Mesh, personalOf } from "../../../src/profiles/mesh.ts";
import { disabledIn } from "../../../src/profiles/history.ts";
import type { Head } from "../../../src/profiles/personal.ts";
import { compareVersions } from "../../../src/profiles/version.ts";
import { getObject, parseRow, shelf, type Stamped } from "../../../src/portal/records.ts";
import type { Whole } from "../../../src/portal/whole.ts";
import { MeshError } from "../../../src/refusals/mesh-error.ts";
import { address } from "../household.ts";
import { everythingOpenedBy, holds, keysOf, rowsOf } from "../searching.ts";
import { isEvidence, viewOf } from "./judge.ts";
import type { Scene } from "./scene.ts";
import { found, readFiles, type Told } from "./deeds.ts";
import { syncAsCommand, type Written } from "./steps.ts";
import { isAlarm } from "./story.ts";

/** What keeps a device from going on though nobody cheats: it was cut off, or away until nobody is left who can tell it what was forgotten. */
const STAYS_BEHIND: ReadonlySet<string> = new Set(["device-disabled", "catalog-not-kept"]);

/** How a story ended: who is in step with the portal, who raises an alarm, and who is cut off. */
export type Ending = { readonly well: readonly string[]; readonly alarmed: readonly string[]; readonly cutOff: readonly string[]; readonly searched: number };

/**
 * Has everybody sync with a portal that is honest again, and holds all of it to what must be so whatever it did before.
 *
 * Whoever is not in contradiction with what it shows is silent and in one state with the others, and every edit that one of
 * them acknowledged is there. Whoever is says so, and still holds what it wrote. Nobody holds what nobody wrote.
 */
export async function endWell(scene: Scene, told: Told, lines: string[], search: boolean): Promise<Ending> {
  await foundAtLast(scene, lines);
  const members = await membersOf(scene);
  const outcome = new Map<string, MeshError | undefined>();
  for (let round = 0; round < 3; round++) {
    for (const who of members) {
      await scene.quiet();
      const error = await syncAsCommand(scene.device(who).client).then(() => undefined, (thrown: unknown) => thrown);
      if (error !== undefined && !(error instanceof MeshError)) throw error;
      outcome.set(who, error);
      lines.push(`   ${who}: sync: ${error === undefined ? "done" : `${error.code} (${error.message})`}${scene.marks.size === 0 ? "" : ` [${[...scene.marks].join(", ")}]`}`);
      assert.ok(!scene.marks.has("false") || (error !== undefined && (isAlarm(error) || error.code === "device-disabled")), "what contradicts what was shown before is not noticed at the end");
      if (error !== undefined && isAlarm(error)) {
        assert.ok(scene.touched && error.hint !== undefined && error.exit === 6, "an alarm has a cause, and says what to do");
        assert.ok(scene.marks.has("false") || (await hasEvidence(scene, who)), "an alarm without a cause");
      } else assert.ok(error === undefined || STAYS_BEHIND.has(error.code), "an honest portal refuses nobody who is a member");
    }
  }
  const view = await viewOf(scene.truth, scene.master);
  const { now } = scene.truth.portal.clock;
  const well = members.filter((who) => outcome.get(who) === undefined);
  const alarmed = members.filter((who) => outcome.get(who) !== undefined && outcome.get(who)?.code !== "device-disabled");
  if (view === undefined) {
    // It was shown to its maker alone, and nobody else can know of it.
    assert.ok(well.length === 0 && scene.touched);
    await holdsWhatWasWritten(scene, alarmed, well, told);
    return { well, alarmed, cutOff: [], searched: 0 };
  }
  for (const who of members) assert.ok(outcome.get(who)?.code !== "device-disabled" || !isActive(view, scene.prepared.ids[who] ?? "", now), `${who} is a member, and was told that it is not`);
  await holdsWhatWasWritten(scene, [...well, ...alarmed], well, told);
  if (well[0] !== undefined) await readsWhatWasAttached(scene, well[0]);
  const cutOff = Object.keys(scene.prepared.ids).filter((who) => view.devices.has(scene.prepared.ids[who] ?? "") && !well.includes(who) && !alarmed.includes(who));
  const searched = search && well[0] !== undefined ? await searchFor(scene, view, well[0], cutOff, told.written) : 0;
  return { well, alarmed, cutOff, searched };
}

/** Whoever was to make a mesh goes on with it until it is there; where the portal said that its name was taken, it may have taken it for what was forgotten then. */
async function foundAtLast(scene: Scene, lines: string[]): Promise<void> {
  const { founder } = scene.prepared;
  if (founder === undefined) return;
  for (const name of [address, "another@example.com"]) {
    const error: unknown = await found(scene, founder, name).then(() => undefined, (thrown: unknown) => thrown);
    lines.push(`   ${founder}: create ${name}: ${error === undefined ? "done" : String(error)}`);
    if (error === undefined) return;
    assert.ok(error instanceof MeshError, String(error));
    if (error.code === "home-exists") return;
    assert.ok(scene.touched && (error.code === "account-name-taken" || isAlarm(error)), "a mesh is made in the end");
  }
}

/** Everything that is attached to what counts is read, or the portal is blamed for what it lost. */
async function readsWhatWasAttached(scene: Scene, who: string): Promise<void> {
  try {
    await readFiles(scene.device(who).client);
  } catch (error) {
    assert.ok(error instanceof MeshError && scene.touched && error.code === "portal-missing-blob", `${who} cannot read what is attached: ${String(error)}`);
  }
}

async function membersOf(scene: Scene): Promise<readonly string[]> {
  const all = await Promise.all([...scene.devices.keys()].map(async (name) => ((await scene.selfOf(name))?.state === "connected" ? [name] : [])));
  return all.flat();
}

/** Whether another device's word, or a version's, says that the portal showed two histories. */
async function hasEvidence(scene: Scene, who: string): Promise<boolean> {
  const { client } = scene.device(who);
  const mesh = await client.rows.read((rows) => loadMesh(rows, scene.master as Mesh["id"]));
  const said = (await readEntries(client, "devices")).flatMap((entry) => writes(entry, "seen").map((write) => (write.value as { heads?: Head[] }).heads ?? []));
  const named = mesh.history.map(({ profile }) => profile.payload.heads);
  for (const heads of [...said, ...named]) if (await isEvidence(heads, scene.truth, scene.master)) return true;
  return false;
}

async function holdsWhatWasWritten(scene: Scene, all: readonly string[], well: readonly string[], { written, purged }: Told): Promise<void> {
  const shown = ({ entry, field, value }: Omit<Written, "who">): string => JSON.stringify([entry, field, value]);
  const known = new Set<string>([...written.map((one) => one.value), ...scene.prepared.logins].map((value) => JSON.stringify(value)));
  const gone = new Set(purged.map(shown));
  const held = new Map<string, readonly Entry[]>();
  for (const who of all) {
    const entries = (await readEntries(scene.device(who).client, "passwords")).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    held.set(who, entries);
    for (const entry of entries) for (const write of Object.values(entry.fields).flat()) assert.ok(known.has(JSON.stringify(write.value)), `${who} holds ${JSON.stringify(write.value)}, which nobody wrote`);
  }
  const first = well[0] === undefined ? undefined : held.get(well[0]);
  for (const who of well) {
    // What is purged and not erased yet counts nowhere: each device erases it 72 hours after it heard of the purge.
    assert.deepEqual(held.get(who)?.map(settled), first?.map(settled), `${who} and ${well[0]} differ`);
    const waiting = await scene.device(who).client.rows.read(async (rows) => journalOf(rows, await catalogOf(rows, "passwords")));
    assert.deepEqual(waiting, [], `${who} did not send everything`);
  }
  // A text is written once only, and what takes something away may be written again.
  for (const one of purged.filter(({ value, who }) => well.includes(who) && typeof value === "string"))
    for (const who of well) {
      const entry = held.get(who)?.find(({ id }) => id === one.entry);
      assert.ok(entry === undefined || !writes(entry, one.field).some(({ value }) => value === one.value), `${one.who} purged ${String(one.value)} from ${one.field}, and ${who} shows it`);
    }
  for (const { who, entry, field, value } of written.filter((one) => all.includes(one.who) && !gone.has(shown(one)))) {
    for (const other of well.includes(who) ? well : [who]) {
      const there = held.get(other)?.find((one) => one.id === entry);
      assert.ok(there !== undefined && writes(there, field).some((write) => JSON.stringify(write.value) === JSON.stringify(value)), `${who} wrote ${String(value)} into ${field}, and ${other} does not have it`);
    }
  }
}

/** Searches all that the portal holds with the keys of whoever was cut off: nothing opens that was sent by somebody who knew. */
async function searchFor(scene: Scene, view: Whole, witness: string, cutOff: readonly string[], written: readonly Written[]): Promise<number> {
  const rows = (await Promise.all(scene.faces.map((face) => rowsOf(face.store)))).flat();
  const bodies = scene.heard.map((heard) => heard.octets.body);
  for (const { value } of written) if (typeof value === "string") assert.ok(!holds([...rows, ...bodies], value) && !alignmentsOf(value).some((text) => holds([...rows, ...bodies], text)), `the portal can read ${value}`);
  let searched = 0;
  const entries = await readEntries(scene.device(witness).client, "passwords");
  for (const who of cutOff) {
    const disabling = disabledIn(view.history, scene.prepared.ids[who] ?? "");
    if (typeof disabling !== "object") continue;
    const disabled = disabling.payload;
    const { client, keyring } = scene.device(who);
    const shared = await client.rows.read(async (reading) => {
      const mesh = await loadMesh(reading, view.id);
      const applications = mesh.history.length === 0 ? [] : personalOf(mesh).payload.applications;
      return (await Promise.all(applications.map(({ id }) => loadCatalog(reading, id)))).flatMap((row) => Object.values(row?.epochs ?? {}).flatMap(({ key }) => (key === undefined ? [] : [fromBase64url(key)])));
    });
    const opened = await everythingOpenedBy(await keysOf(keyring), shared, rows);
    for (const write of entries.flatMap((entry) => Object.values(entry.fields).flat())) {
      if (write.commit === undefined || typeof write.value !== "string") continue;
      const octets = await scene.truth.store.read((r) => r.get(shelf.commits, `${view.id}/${scene.prepared.catalogs.at(-1) ?? ""}/${ordinal(write.commit ?? 0)}`));
      const { digest } = octets === undefined ? assert.fail("no such commit") : parseRow<Stamped>(octets);
      // A commit that was forgotten opens for nobody.
      if ((await scene.truth.store.read((r) => r.get(shelf.objects, digest))) === undefined) continue;
      const { payload } = await scene.truth.store.read((r) => getObject(r, digest, commitType));
      if (compareVersions(payload, disabled) < 0) continue;
      searched += 1;
      assert.ok(!holds(opened, write.value), `${who} was cut off and reads ${write.value}`);
    }
  }
  return searched;
}

/** How a text looks within base64url, at each of its three alignments. */
function alignmentsOf(text: string): readonly string[] {
  return [0, 1, 2].map((skip) => Buffer.from(text).subarray((3 - skip) % 3).toString("base64url").slice(0, -2));
}

