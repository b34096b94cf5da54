import assert from "node:assert/strict";
import * as fc from "fast-check";

import { type Entry, REMOVED, type Write, writes } from "../../../src/catalogs/merge.ts";
import { catalogOf, journalOf, readEntries } from "../../../src/client/catalog.ts";
import { loadCatalog } from "../../../src/client/known.ts";
import { disableDevice } from "../../../src/client/operations/disable.ts";
import { sync } from "../../../src/client/sync.ts";
import { check, doShare } from "../../support/workers.ts";
import type { TestDevice } from "../../support/world.ts";
import { prepare, type Prepared } from "./prepared.ts";
import { runFrom } from "../restarting.ts";
import { edit, type Edit, syncAsCommand, type Written } from "./steps.ts";

const NAMES = ["desktop", "laptop", "phone"] as const;

type Who = (typeof NAMES)[number];
type Step = (Edit & { readonly who: Who }) | { readonly do: "sync"; readonly who: Who } | { readonly do: "disable" | "admit" };

const who = fc.constantFrom(...NAMES);
const nth = fc.nat({ max: 1 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 24, arbitrary: fc.record({ do: fc.constant("edit" as const), who, nth, field: fc.constantFrom("username" as const, "password" as const) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant("sync" as const), who }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("remove" as const), who, nth }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("add" as const), who }) },
    // Both change epochs or who holds them; each happens once at most in a case.
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("disable" as const, "admit" as const) }) },
  ),
  { minLength: 6, maxLength: 12, size: "max" },
);

/** What all cases together were made of: that the property says something is asserted, not hoped. */
export type Seen = { cases: number; writes: number; inConflict: number; casesWithConflict: number; removed: number; rolled: number; granted: number };
const seen: Seen = { cases: 0, writes: 0, inConflict: 0, casesWithConflict: 0, removed: 0, rolled: 0, granted: 0 };

/** Writes of one field by two authors, neither of whom knew the other's: they bear one counter. */
function inConflict(all: readonly Write[]): number {
  return all.filter((one) => all.some((other) => other.counter === one.counter && other.author !== one.author)).length;
}

await doShare(async (share) => {
  // Two logins that everybody has: what follows is about the same fields.
  const prepared = await prepare({ laptop: "member", phone: "member", tablet: "member" }, { guest: "pin" }, ["github", "mail"]);
  await check(share, fc.asyncProperty(steps, (all) => play(prepared, all)));
  return seen;
});

async function play(prepared: Prepared, all: readonly Step[]): Promise<void> {
  const { devices } = await runFrom(prepared.moment);
  const device = (name: string): TestDevice => devices[name] ?? assert.fail(name);
  const written: Written[] = [];
  const done = new Set<string>();
  for (const step of all) {
    if (step.do === "sync") await sync(device(step.who).client);
    if (step.do === "add" || step.do === "edit" || step.do === "remove") written.push(...(await edit(device(step.who).client, step.who, step, `${step.who} ${written.length}`)));
    if (step.do === "disable" && !done.has("disable")) await disableDevice(device("desktop").client, "tablet");
    if (step.do === "admit" && !done.has("admit")) assert.deepEqual(await syncAsCommand(device("desktop").client), { admitted: ["guest"], removed: 0 });
    done.add(step.do);
  }
  for (const name of [...NAMES, "desktop", "laptop"]) await sync(device(name).client);

  const [first, ...others] = await Promise.all(NAMES.map((name) => stateOf(device(name))));
  for (const other of others) assert.deepEqual(other, first);
  for (const { entry: id, field, value } of written) {
    const kept = first?.entries.find((one) => one.id === id);
    assert.ok(kept !== undefined && writes(kept, field).some((write) => write.value === value), `${field} = ${String(value)} is out of reach`);
  }
  const fields = first?.entries.flatMap((one) => Object.values(one.fields)) ?? [];
  seen.cases += 1;
  seen.writes += written.length;
  seen.inConflict += fields.reduce((sum, field) => sum + inConflict(field), 0);
  seen.casesWithConflict += fields.some((field) => inConflict(field) > 0) ? 1 : 0;
  seen.removed += written.some((one) => one.field === REMOVED && one.value === true) ? 1 : 0;
  seen.rolled += (first?.epoch ?? 1) > 1 ? 1 : 0;
  seen.granted += done.has("admit") ? 1 : 0;
}

/** All that a device holds of its passwords and its devices, and that nothing of it waits. */
async function stateOf({ client }: TestDevice): Promise<{ readonly entries: readonly Entry[]; readonly devices: readonly Entry[]; readonly epoch: number | undefined; readonly heads: readonly unknown[] }> {
  const byId = (entries: readonly Entry[]) => entries.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const { epoch, heads } = await client.rows.read(async (rows) => {
    const ids = await Promise.all((["passwords", "devices"] as const).map((type) => catalogOf(rows, type)));
    for (const id of ids) assert.deepEqual(await journalOf(rows, id), [], "something was not sent");
    const chains = await Promise.all(ids.map(async (id) => (await loadCatalog(rows, id))?.chain));
    return { epoch: chains[0]?.epoch, heads: chains.map((chain) => [chain?.index, chain?.digest]) };
  });
  return { devices: byId(await readEntries(client, "devices")), entries: byId(await readEntries(client, "passwords")), epoch, heads };
}
