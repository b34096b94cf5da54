import assert from "node:assert/strict";

import type { Change } from "../../src/catalogs/entries.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { change } from "../../src/catalogs/merge.ts";
import { editEntries } from "../../src/client/catalog.ts";
import { sync } from "../../src/client/sync.ts";
import { type MeshRecord, row, shelf } from "../../src/portal/records.ts";
import { check } from "../../src/portal/upkeep/check.ts";
import type { Finding } from "../../src/portal/upkeep/finding.ts";
import { forget } from "../../src/portal/upkeep/forget.ts";
import { deviceOf, household, type Household, save, whoIs } from "../adversary/household.ts";
import type { TestDevice } from "../support/world.ts";

export const DAY = 86_400_000;

/** New passwords of about 8 KiB each. */
export function many(count: number, prefix: string): readonly Change[] {
  return Array.from({ length: count }, (_, n) => change(newEntryId(), undefined, { name: `${prefix} ${n}`, notes: "x".repeat(8000) }));
}

/** Passwords enough for a snapshot, sent. */
export async function fill(device: TestDevice, prefix: string, count = 140): Promise<void> {
  await editEntries(device.client, "passwords", () => many(count, prefix));
  await sync(device.client);
}

/** How much room a mesh takes at its portal, in octets. */
export async function roomOf({ portal, desktop }: Household): Promise<number> {
  const { master } = await whoIs(desktop);
  return (await portal.store.read((r) => row<MeshRecord>(r, shelf.meshes, master)))?.octets ?? 0;
}

/** The portal as `mesh portal check` sees it: nothing wrong, and room used is what is there. */
export async function sound({ portal }: Household) {
  const findings: Finding[] = [];
  const checked = await portal.store.read((r) => check(r, portal.clock.now, (finding) => findings.push(finding)));
  assert.deepEqual(findings, []);
  return checked;
}

/** A mesh two years on: the laptop was away while three snapshots were made, and the portal forgot what came before the second newest. */
export async function afterYears(others: Parameters<typeof household>[0] = { laptop: "member" }, before?: (alice: Household) => Promise<unknown>, writer = "desktop") {
  const alice = await household(others);
  await save(alice.desktop, "first");
  for (const device of Object.values(alice.devices)) await sync(device.client);
  await before?.(alice);
  for (const prefix of ["one", "two", "three"]) {
    await fill(writer === "desktop" ? alice.desktop : deviceOf(alice, writer), prefix);
    alice.portal.clock.now += 100 * DAY;
  }
  const gone = await forget(alice.portal.store, alice.portal.clock.now);
  return { alice, gone };
}
