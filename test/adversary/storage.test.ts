import assert from "node:assert/strict";
import { before, suite, test } from "node:test";

import { change, current, isRemoved } from "../../src/catalogs/merge.ts";
import { newEntryId } from "../../src/catalogs/entry-id.ts";
import { editEntries, readEntries } from "../../src/client/catalog.ts";
import { acceptConnection } from "../../src/client/operations/accept.ts";
import { disableDevice } from "../../src/client/operations/disable.ts";
import { joinMesh } from "../../src/client/operations/join.ts";
import { sync } from "../../src/client/sync.ts";
import { openMemoryKeyring } from "../../src/keyring/memory.ts";
import { personalOf } from "../../src/profiles/mesh.ts";
import { logPrefix } from "../../src/notary/log-policy.ts";
import { readCheckpoint, readNote } from "../../src/notary/index.ts";
import { check } from "../../src/portal/upkeep/check.ts";
import type { Finding } from "../../src/portal/upkeep/finding.ts";
import { loadWhole } from "../../src/portal/whole.ts";
import { MeshError } from "../../src/refusals/mesh-error.ts";
import type { Faults } from "../../src/store/faults.ts";
import { snapshotOf } from "../../src/client/snapshot-rows.ts";
import { cases, isLong } from "../support/long.ts";
import { newDevice, startPortal, type TestDevice } from "../support/world.ts";
import { address, household, idOf, meshOf, names, whoIs } from "./household.ts";
import { signers } from "./log-doubles.ts";
import { type Moment, openCopyable, type Run, runFrom } from "./restarting.ts";

/** Every device of the moment from which each run begins; `guest` has nothing yet. */
const NAMES = ["desktop", "tower", "laptop", "tablet", "guest"] as const;
type Name = (typeof NAMES)[number];

async function firstMoment(): Promise<Moment> {
  const portalStore = openCopyable();
  const portal = await startPortal("example.com", portalStore);
  const kept = Object.fromEntries(NAMES.map((name) => [name, { store: openCopyable(), keyring: openMemoryKeyring(), master: openMemoryKeyring(), options: { holdsMaster: name === "desktop" } }]));
  const device = (name: Name): TestDevice => newDevice(portal, { ...kept[name]?.options, ...kept[name] });
  await household({ tower: "admin", laptop: "member", tablet: "member" }, portal, (name) => device(name as Name));
  return { portalStore, keys: portal.keys, now: portal.clock.now, kept };
}

function deviceIn(run: Run, name: Name): TestDevice {
  const device = run.devices[name];
  assert.ok(device !== undefined);
  return device;
}

/** Saves a password as the command does: one of that name is not saved twice. */
async function add(device: TestDevice, name: string): Promise<void> {
  await editEntries(device.client, "passwords", (entries) => (entries.some((entry) => current(entry, "name") === name) ? [] : [change(newEntryId(), undefined, { name })]));
  await sync(device.client);
}

/** Does something that may fail for want of storage; anything else that goes wrong is a mistake. */
async function attempt(work: () => Promise<unknown>): Promise<"done" | "failed"> {
  try {
    await work();
    return "done";
  } catch (error) {
    assert.ok(error instanceof MeshError && ["store-failed", "service-internal"].includes(error.code), String((error as Error).stack));
    return "failed";
  }
}

type Step = { readonly prepare?: (run: Run) => Promise<void>; readonly act: (run: Run) => Promise<void>; readonly holds: (run: Run) => Promise<void>; 
  /** About so many of its calls are made to fail, spread evenly; `npm run test:long` makes every single one fail. */
  readonly failures: number };

const options = async (run: Run) => ({ address, master: (await whoIs(deviceIn(run, "desktop"))).master, portal: { url: run.portal.url, pin: run.portal.pin }, deviceName: "guest" });

async function ask(run: Run): Promise<string> {
  return (await joinMesh(deviceIn(run, "guest").client, await options(run))).witness;
}

async function admitted(run: Run): Promise<void> {
  const desktop = deviceIn(run, "desktop");
  if ((await joinMesh(deviceIn(run, "guest").client, await options(run))).status !== "connected") {
    await acceptConnection(desktop.client, await ask(run), "member");
    assert.equal((await joinMesh(deviceIn(run, "guest").client, await options(run))).status, "connected");
  }
  for (const name of ["desktop", "tower", "guest"] as const) {
    await sync(deviceIn(run, name).client);
    assert.equal(personalOf(await meshOf(deviceIn(run, name))).payload.devices.length, 5, name);
    const called = (await readEntries(deviceIn(run, name).client, "devices")).filter((entry) => !isRemoved(entry)).map((entry) => String(current(entry, "name"))).sort();
    assert.deepEqual(called, ["desktop", "guest", "laptop", "tablet", "tower"]);
  }
}

const steps: Readonly<Record<string, Step>> = {
  "asks to join": { act: async (run) => void (await ask(run)), holds: admitted, failures: 3 },
  "accepts a device": { prepare: async (run) => void (await ask(run)), act: async (run) => void (await acceptConnection(deviceIn(run, "desktop").client, await ask(run), "member")), holds: admitted, failures: 3 },
  "takes the mesh over": {
    prepare: async (run) => void (await acceptConnection(deviceIn(run, "desktop").client, await ask(run), "member")),
    act: async (run) => void (await joinMesh(deviceIn(run, "guest").client, await options(run))),
    holds: admitted,
    failures: 3,
  },
  "saves a password": {
    act: (run) => add(deviceIn(run, "laptop"), "github"),
    holds: async (run) => {
      for (const name of ["laptop", "tablet", "desktop"] as const) {
        await sync(deviceIn(run, name).client);
        assert.deepEqual(await names(deviceIn(run, name)), ["github"], name);
      }
    },
    failures: 12,
  },
  "sends many and writes the state down for others": {
    act: async (run) => {
      await editEntries(deviceIn(run, "desktop").client, "passwords", (entries) => (entries.length > 0 ? [] : Array.from({ length: 150 }, (_, n) => change(newEntryId(), undefined, { name: `site ${n}`, notes: "x".repeat(8000) }))));
      await sync(deviceIn(run, "desktop").client);
    },
    holds: async (run) => {
      const desktop = deviceIn(run, "desktop");
      await sync(desktop.client);
      const passwords = await idOf(desktop, "passwords");
      assert.ok((await desktop.client.rows.read((rows) => snapshotOf(rows, passwords))) !== undefined);
      await sync(deviceIn(run, "laptop").client);
      assert.equal((await names(deviceIn(run, "laptop"))).length, 150);
      await acceptConnection(desktop.client, await ask(run), "member");
      assert.equal((await joinMesh(deviceIn(run, "guest").client, await options(run))).status, "connected");
      assert.equal((await names(deviceIn(run, "guest"))).length, 150);
    },
    failures: 1,
  },
  "disables a device": {
    act: async (run) => {
      await disableDevice(deviceIn(run, "desktop").client, "tablet").catch((error: unknown) => {
        if (!(error instanceof MeshError) || error.code !== "device-already-disabled") throw error;
      });
    },
    holds: async (run) => {
      const { device, master } = await whoIs(deviceIn(run, "tablet"));
      for (const name of ["desktop", "laptop", "tower"] as const) await sync(deviceIn(run, name).client);
      await assert.rejects(sync(deviceIn(run, "tablet").client), { code: "device-disabled" });
      const view = await run.portal.store.read((r) => loadWhole(r, master));
      assert.ok(view !== undefined);
      for (const chain of view.chains.values()) {
        assert.equal(chain.holders.includes(device), false);
        assert.ok(chain.epoch <= 2, "one new epoch, not two");
      }
    },
    failures: 16,
  },
};

/** A portal's log, its map, its shelves and its depot say the same, to whoever opens them anew: nothing is signed before they do, and nobody was alarmed. */
async function agrees({ devices, portal, restartLog }: Run): Promise<void> {
  await restartLog();
  const page = await portal.pages.get?.(`${logPrefix(signers.origin)}checkpoint`);
  const findings: Finding[] = [];
  await portal.store.read((r) => check(r, portal.clock.now, (finding) => findings.push(finding)));
  assert.deepEqual(findings, []);
  if (page !== undefined) assert.equal(readCheckpoint(readNote(page).text).size, (await portal.store.read((r) => r.leaves(0))).length, "all that was appended is signed for");
  for (const { evidence } of Object.values(devices)) assert.deepEqual(evidence, []);
}

suite("storage that fails", () => {
  let moment: Moment;
  before(async () => {
    moment = await firstMoment();
  });

  for (const [what, step] of Object.entries(steps)) {
    const acting: Name = what.startsWith("accepts") || what.startsWith("disables") || what.startsWith("sends") ? "desktop" : what.startsWith("saves") ? "laptop" : "guest";
    for (const whose of ["portal", "device"] as const) {
      test(`at calls of the ${whose} all through while a device ${what}: asked again it is done, once, and nothing acknowledged is lost`, async () => {
        // A log costs as much again, and every step writes to it.
        const logged = whose === "portal" && (isLong || step.failures <= 3);
        const begin = async (): Promise<{ readonly run: Run; readonly faults: Faults }> => {
          const run = await runFrom(acting === "guest" || step.prepare !== undefined ? { ...moment, kept: { ...moment.kept, guest: { store: openCopyable(), keyring: openMemoryKeyring(), master: openMemoryKeyring(), options: {} } } } : moment, { logged, parted: whose === "portal" });
          await step.prepare?.(run);
          const faults = whose === "portal" ? run.portalFaults : run.faults[acting];
          assert.ok(faults !== undefined);
          return { run, faults };
        };
        const quiet = await begin();
        quiet.faults.arm(undefined);
        await step.act(quiet.run);
        const calls = quiet.faults.calls();
        await step.holds(quiet.run);
        if (logged) await agrees(quiet.run);
        assert.ok(calls > 5);
        const stride = Math.max(1, Math.floor(calls / cases(step.failures, calls)));
        let [fired, runs] = [0, 0];
        for (const when of ["before", "after"] as const) {
          for (let call = when === "before" ? 1 : calls; call > 0 && call <= calls; call += when === "before" ? stride : -stride) {
            runs += 1;
            const { run, faults } = await begin();
            faults.arm({ call, when, fatal: call % 2 === 0 });
            const outcome = await attempt(() => step.act(run));
            fired += faults.fired() ? 1 : 0;
            faults.arm(undefined);
            // What failed for good has died there.
            if (call % 2 === 0) await run.restartLog();
            if (outcome === "failed") await step.act(run);
            await step.holds(run);
            if (logged) await agrees(run);
          }
        }
        assert.ok(fired >= runs / 2, `${fired} failures in ${runs} runs`);
      });
    }
  }
});
